"""./manage.py lab drill ALERT … | all: cause an alert, execute its runbook as it stands, see the alert end."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from deploy.lab import drill, subject
from deploy.lab.faults import FaultError, NotHereError
from deploy.local.home import REPOSITORY, Home

HELP: Final = "Drill a runbook: cause its alert, execute its commands, see it end."
FIGURES: Final = Path(drill.__file__).with_name("drilled.json")
PAGE: Final = REPOSITORY / "docs" / "reference" / "drills.md"
PORT: Final = 8500
WATCHED: Final[Mapping[str, str]] = {"RINGBACK_WATCH_SECONDS": "1"}


def add_arguments(parser: ArgumentParser) -> None:
    """Which, and where."""
    known = ", ".join(sorted(drill.drills()))
    parser.add_argument("alert", nargs="+", help=f"all, or some of {known}")
    parser.add_argument("--tier", help="the rung to drill on (default: each drill's own)")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the systems that are started (default: {PORT})")
    parser.add_argument("--here", action="store_true", help="drill the system that runs already, whatever its settings")
    parser.add_argument("--after", type=float, default=0, help="look on for so many seconds at what else pages (0)")
    parser.add_argument("--keep", action="store_true", help="keep the figures in deploy/lab/drilled.json")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Run them, one after the other, on systems of their own; 0 where every one went as its page says."""
    every = drill.drills()
    names = sorted(every) if options["alert"] == ["all"] else options["alert"]
    if unknown := sorted(set(names) - set(every)):
        raise FaultError(f"There is no drill for {unknown[0]!r}: deploy/lab/drills.toml lists them.")
    wanted = sorted((every[name] for name in names), key=_system)
    failed, number = 0, 0
    for _, several in groupby(wanted, key=_system):
        group = list(several)
        with _subject(home, group[0], options) as tried:
            for one in group:
                number += 1
                print(f"[{number}/{len(wanted)}] {one.alert} by {one.fault} …", flush=True)
                failed += not _one(one, tried, options)
    return 1 if failed else 0


def _system(one: drill.Drill) -> str:
    """Drills that want the same of a system share one."""
    return json.dumps([one.tier, dict(one.settings)], sort_keys=True)


@contextmanager
def _subject(home: Home, one: drill.Drill, options: Mapping[str, Any]) -> Iterator[subject.Subject]:
    if options["here"]:
        yield subject.attached(home=home.root)
        return
    tier = options["tier"] or one.tier
    print(f"drill: starting a system of its own on {tier} …", flush=True)
    with subject.running(tier=tier, port=options["port"], settings={**WATCHED, **one.settings}) as tried:
        yield tried


def _one(one: drill.Drill, tried: subject.Subject, options: Mapping[str, Any]) -> bool:
    try:
        told = drill.run(one, tried, after_seconds=options["after"])
    except NotHereError as missing:
        print(f"  – not here: {missing}", flush=True)
        return True
    except (drill.DrillFailed, FaultError) as failed:
        print(f"  ✗ {failed}", flush=True)
        return False
    others = f"; also paged: {', '.join(told.others)}" if told.others else ""
    seconds = f"fired after {told.fired_seconds} s, ended after {told.ended_seconds} s"
    print(f"  ✓ {seconds}, {told.commands} commands{others}", flush=True)
    if options["keep"]:
        _keep(told)
    return True


def _keep(told: drill.Drilled) -> None:
    kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    kept[told.alert] = asdict(told) | {"at": datetime.now(UTC).strftime("%Y-%m-%d")}
    FIGURES.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    PAGE.write_text(page(kept))


def page(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """docs/reference/drills.md: when each runbook was executed last, and what that measured."""
    every = drill.drills()
    head = (
        "# Drills\n\nA drill causes an alert by a fault, executes its runbook's commands as they stand on the page,\n"
        "and waits for the alert to end ([how](../howto/answer-an-alert.md)). This page is written by\n"
        '`./manage.py lab drill all --keep`. Seconds from the fault to the alert (where it says "at risk": the fault\n'
        "endangers the promise only after so long), and from the last command to the end; the watch looked every\n"
        "second. Ended by: the runbook's commands; the fault's end, where the cause is somebody else's to mend; or\n"
        "both, where the commands put right what a mended cause leaves.\n\n"
        "| alert | fault | tier | ended by | fired after | ended after | commands | also paged | last |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = [
        f"| [{alert}](../runbooks/{alert}.md) | `{one.fault}` | {one.tier} | {one.ended_by} "
        f"| {_figures(one, kept.get(alert))} |"
        for alert, one in sorted(every.items())
    ]
    otherwise = [
        f"| [{alert}](../runbooks/{alert}.md) | {one['why']} | `{one['proof']}` |"
        for alert, one in sorted(drill.proved_otherwise().items())
    ]
    proved = (
        "\n## Proved otherwise\n\nNo fault causes these within minutes.\n\n| alert | why | proof |\n|---|---|---|\n"
    )
    burns = (
        "\nBurn rates look back over hours: `promtool` proves each on series of its own\n"
        "(`deploy/prometheus/tests/burn-rates.yml`), `tests/unit/config/test_alerting.py` what the watch makes of them."
    )
    return head + "\n".join([*lines, proved + "\n".join(otherwise), burns]) + "\n"


def _figures(one: drill.Drill, told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "not passed yet | | | |"
    others = ", ".join(told["others"]) or "nothing"
    risk = f" (at risk after {one.risk_seconds:g} s)" if one.risk_seconds else ""
    return f"{told['fired_seconds']} s{risk} | {told['ended_seconds']} s | {told['commands']} | {others} | {told['at']}"
