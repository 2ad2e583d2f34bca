"""./manage.py lab report: what the last trials found, as a table, as pages, and as the reference in docs/."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.lab import figures, pages, report
from deploy.lab.commands.run import reports_directory
from deploy.lab.page import HEADLINE, page, verdict
from deploy.lab.series import write_index
from deploy.local.home import Home
from reminders.tables import Column, table

HELP: Final = "Show what the last trials found, and draw their pages anew."


def add_arguments(parser: ArgumentParser) -> None:
    """Which, and how to say it."""
    parser.add_argument("--reports", type=Path, help="where they are (default: lab/reports in the data directory)")
    parser.add_argument("--tier", help="of this tier only")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--write-docs", action="store_true", help="put their figures into docs/reference")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Say it; 1 where a trial was not as expected, 2 where there is none."""
    directory = reports_directory(home, options)
    found = [one for one in report.read_all(directory) if options["tier"] in (None, one["tier"])]
    if not found:
        print(f"There are no reports in {directory}. Next: ./manage.py lab run all")
        return 2
    for one in found:
        (directory / one["tier"] / f"{one['experiment']}.html").write_text(page(one))
    write_index(directory)
    if options["write_docs"]:
        for place in figures.write(found):
            print(f"written: {place}")
        pages.write()
    _say(found, directory, as_json=options["json"])
    return 0 if all(one["as_expected"] for one in found) else 1


def _say(found: list[dict[str, Any]], directory: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{**figures.kept(one), "at": one["at"]} for one in found], indent=1))
        return
    columns = [Column(title="tier"), Column(title="experiment"), Column(title="verdict")]
    columns += [Column(title=kind, right=True) for kind in HEADLINE]
    rows = [
        (one["tier"], one["experiment"], verdict(one), *(f"{one['measures'][kind]:g}" for kind in HEADLINE))
        for one in found
    ]
    print(table(columns=columns, rows=rows))
    print(f"\nNext: open {directory / 'index.html'}")
