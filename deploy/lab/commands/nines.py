"""./manage.py lab nines: measure the ladder: what each tier keeps through a year of events, and what it costs."""

import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.lab.commands.run import PORT, end_on, reports_directory
from deploy.lab.figures import TIERS
from deploy.lab.ladder import climb, events, ladder
from deploy.lab.ladder.events import AT_REST
from deploy.lab.series import Options
from deploy.local.home import Home
from reminders.tables import Column, table

_EVENTS: Final = (AT_REST, *(event.name for event in events.read().events))
HELP: Final = "Measure the ladder: a year's events on every tier, the nines that are left, and what each tier costs."


def add_arguments(parser: ArgumentParser) -> None:
    """Which tiers, how often, and where to."""
    parser.add_argument("--tiers", nargs="+", default=list(TIERS), choices=TIERS, help="default: all, lowest first")
    parser.add_argument("--events", nargs="+", choices=_EVENTS, help=f"default: all, and `{AT_REST}` for the costs")
    parser.add_argument("--trials", type=int, default=1, help="of each event on each tier (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of the first trial; the next have the ones after it")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the systems that are started (default: {PORT})")
    parser.add_argument("--reports", type=Path, help="where reports go (default: lab/reports in the data directory)")
    parser.add_argument("--show", action="store_true", help="show what was found before, and measure nothing")
    parser.add_argument("--write-docs", action="store_true", help="put what was found into docs/reference/nines.md")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Measure what was not measured at this commit; 0 done, 2 something could not be tried."""
    end_on(signal.SIGTERM)
    reports = reports_directory(home, options)
    notebook = climb.Notebook(reports / "nines.json")
    year = events.read()
    failed = 0
    if not options["show"]:
        chosen = Options(tier=options["tiers"][0], seed=options["seed"], port=options["port"], reports=reports)
        failed = climb.climb(
            year=year, tiers=options["tiers"], names=options["events"] or _EVENTS, trials=options["trials"],
            options=chosen, notebook=notebook, say=_say,
        )  # fmt: skip
    # Where nothing was measured on this machine, what is committed is shown.
    rungs = ladder.rungs(year=year, records=notebook.records or climb.read(ladder.DATA))
    if not rungs:
        print("Nothing was measured yet. Next: ./manage.py lab nines")
        return 2
    for titles, row in ((ladder.KEEPS, ladder.keeps), (ladder.COSTS, ladder.costs)):
        columns = [Column(title=title, right=place > 0) for place, title in enumerate(titles)]
        print(table(columns=columns, rows=[row(rung) for rung in rungs]), end="\n\n")
    if options["write_docs"]:
        for place in ladder.write(year=year, records=notebook.records):
            print(f"written: {place}")
    print("Next: docs/reference/nines.md says what the figures mean;")
    print("./manage.py lab nines --write-docs renews it.")
    return 2 if failed else 0


def _say(words: str) -> None:
    print(words, flush=True)
