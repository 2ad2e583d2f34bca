"""./manage.py lab run EXPERIMENT … | all | FILE.toml: try a claim, and let three books say whether it held."""

import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.lab import experiment
from deploy.lab.faults import FaultError
from deploy.lab.series import Options, Series
from deploy.local.home import Home

HELP: Final = "Try an experiment (or `all`) on a tier: steady state, load, fault, undo, oracle, report."
PORT: Final = 8400


def add_arguments(parser: ArgumentParser) -> None:
    """What is tried, and where."""
    known = ", ".join(experiment.names())
    parser.add_argument("experiment", nargs="+", help=f"all, files of one's own, or some of {known}")
    parser.add_argument("--tier", default="durable", help="the rung to try it on (default: durable)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same texts at the same times")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the system that is started (default: {PORT})")
    parser.add_argument("--home", type=Path, help="try it on the system that runs there, and start none")
    parser.add_argument("--reports", type=Path, help="where reports go (default: lab/reports in the data directory)")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Run it; 0 as expected, 1 not, 2 it could not be tried."""
    end_on(signal.SIGTERM)
    chosen = Options(
        tier=options["tier"], seed=options["seed"], port=options["port"], home=options["home"],
        reports=reports_directory(home, options),
    )  # fmt: skip
    names = experiment.names() if options["experiment"] == ["all"] else options["experiment"]
    try:
        outcome = Series(chosen).run([experiment.read(name) for name in names])
    except experiment.WrongExperimentError as wrong:
        raise FaultError(str(wrong)) from None
    if len(names) > 1:
        kept, broken = len(outcome.as_expected), len(outcome.not_as_expected)
        print(f"{kept} as expected, {broken} not, {len(outcome.not_tried)} not tried, {len(outcome.not_here)} not here")
        print(f"Next: open {chosen.reports / 'index.html'}")
    elif outcome.not_here:
        return 2
    return outcome.code


def reports_directory(home: Home, options: Mapping[str, Any]) -> Path:
    """Where reports go."""
    return Path(options["reports"] or home.root / "lab" / "reports").absolute()


def end_on(number: signal.Signals) -> None:
    """Let this signal end us as Ctrl-C does, so that everything is undone first."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(number, stop)
