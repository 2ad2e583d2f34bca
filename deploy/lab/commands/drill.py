"""./manage.py lab drill ALERT … | all: cause an alert, execute its runbook as it stands, see the alert end."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.lab import drill, subject
from deploy.lab.faults import FaultError, NotHereError
from deploy.local.home import REPOSITORY, Home

HELP: Final = "Drill a runbook: cause its alert, execute its commands, see it end."
FIGURES: Final = Path(drill.__file__).with_name("drilled.json")
PAGE: Final = REPOSITORY / "docs" / "reference" / "drills.md"
PORT: Final = 8500


def add_arguments(parser: ArgumentParser) -> None:
    """Which, and where."""
    known = ", ".join(sorted(drill.drills()))
    parser.add_argument("alert", nargs="+", help=f"all, or some of {known}")
    parser.add_argument("--tier", default="durable", help="the rung to drill on (default: durable)")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the system that is started (default: {PORT})")
    parser.add_argument("--keep", action="store_true", help="keep the figures in deploy/lab/drilled.json")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Run them, one after the other, on a system of their own; 0 where every one went as its page says."""
    every = drill.drills()
    wanted = sorted(every) if options["alert"] == ["all"] else options["alert"]
    if unknown := sorted(set(wanted) - set(every)):
        raise FaultError(f"There is no drill for {unknown[0]!r}: deploy/lab/drills.toml lists them.")
    settings = {"RINGBACK_WATCH_SECONDS": "1"}
    failed = 0
    print(f"drill: starting a system of its own on {options['tier']} …", flush=True)
    with subject.running(tier=options["tier"], port=options["port"], settings=settings) as tried:
        for number, alert in enumerate(wanted, 1):
            print(f"[{number}/{len(wanted)}] {alert} by {every[alert].fault} …", flush=True)
            failed += not _one(every[alert], tried, keep=options["keep"])
    return 1 if failed else 0


def _one(one: drill.Drill, tried: subject.Subject, *, keep: bool) -> bool:
    try:
        told = drill.run(one, tried)
    except NotHereError as missing:
        print(f"  – not here: {missing}")
        return True
    except drill.DrillFailed as failed:
        print(f"  ✗ {failed}")
        return False
    others = f"; also paged: {', '.join(told.others)}" if told.others else ""
    print(
        f"  ✓ paged after {told.fired_seconds} s, {told.commands} commands, ended after {told.ended_seconds} s{others}"
    )
    if keep:
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
        "`./manage.py lab drill all --keep`. Seconds from the fault to the page, and from the last command to the\n"
        "end; the watch looked every second.\n\n"
        "| alert | fault | ended by | paged after | ended after | commands | also paged | last |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    lines = [
        f"| [{alert}](../runbooks/{alert}.md) | `{one.fault}` | {one.ended_by} | {_figures(kept.get(alert))} |"
        for alert, one in sorted(every.items())
    ]
    return head + "\n".join(lines) + "\n"


def _figures(told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "not passed yet | | | |"
    others = ", ".join(told["others"]) or "nothing"
    return f"{told['fired_seconds']} s | {told['ended_seconds']} s | {told['commands']} | {others} | {told['at']}"
