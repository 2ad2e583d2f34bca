"""./manage.py lab failover: the primary's whole node killed again and again under writes; the distribution."""

import json
import os
import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from deploy.lab import failover
from deploy.lab.commands.run import end_on, reports_directory
from deploy.lab.faults import FaultError
from deploy.lab.subject import running
from deploy.lab.trial import NotHealed, NotHere, NotInjected
from deploy.local.home import Home

HELP: Final = "Kill the primary's whole node again and again under writes: what was lost, how soon it went on."
PORT: Final = 8400
# What the project promises of it: seconds, and nothing lost.
TARGETS: Final[Mapping[str, float]] = {
    "writes_back_median_seconds": 1.0, "writes_back_max_seconds": 4.0, "rejoined_max_seconds": 20.0,
    "lost": 0, "texts_lost": 0,
}  # fmt: skip
SPOOLED: Final = ("isolated",)  # where no text may be refused either


def add_arguments(parser: ArgumentParser) -> None:
    """How often, how much, where."""
    parser.add_argument("--tier", default="isolated", help="replicated or isolated (default)")
    parser.add_argument("--kills", type=int, default=10, help="how many failovers in a row (default: 10)")
    parser.add_argument("--writes", type=float, default=100.0, help="a second (default: 100)")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the system that is started (default: {PORT})")
    parser.add_argument("--reports", type=Path, help="where the report goes (default: lab/reports)")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Measure; 0 where every target was met, 1 where not."""
    end_on(signal.SIGTERM)
    try:
        with running(tier=options["tier"], port=options["port"], settings={}) as subject:
            found = failover.measured(
                subject=subject,
                kills=options["kills"],
                per_second=options["writes"],
                tell=lambda line: print(line, flush=True),
            )
    except (NotHere, NotInjected, NotHealed, failover.NotWhole) as problem:
        raise FaultError(str(problem)) from None
    report = {**asdict(found), **found.figures(), "load": [round(one, 2) for one in os.getloadavg()]}
    place = reports_directory(home, options) / found.tier / "failover.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(report, indent=1) + "\n")
    wrong = missed(report)
    print(told(report))
    for one in wrong:
        print(f"✗ {one}")
    print(place)
    return 1 if wrong else 0


def told(report: Mapping[str, Any]) -> str:
    """What was measured, in a few lines."""
    back, rejoined = ([f"{report[f'{name}_{what}_seconds']:g} s" for what in ("median", "max")] for name in (
        "writes_back", "rejoined",
    ))  # fmt: skip
    return "\n".join((
        f"{len(report['blows'])} failovers on {report['tier']} under {report['per_second']:g} writes a second, "
        f"load {report['load'][0]:g} at the end",
        f"writes back after {back[0]} (median), {back[1]} (worst)",
        f"the old primary followed after {rejoined[0]} (median), {rejoined[1]} (worst)",
        f"{report['acknowledged']} of {report['written']} writes acknowledged, {report['lost']} of them lost",
        f"{report['accepted']} of {report['texted']} texts accepted, {report['refused']} refused, "
        f"{report['texts_lost']} accepted and lost",
    ))  # fmt: skip


def missed(report: Mapping[str, Any]) -> list[str]:
    """Each target that was not met, in words."""
    targets = {**TARGETS, **({"refused": 0} if report["tier"] in SPOOLED else {})}
    return [f"{name} is {report[name]:g}, more than {most:g}" for name, most in targets.items() if report[name] > most]
