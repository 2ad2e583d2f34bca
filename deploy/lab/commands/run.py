"""./manage.py lab run EXPERIMENT … | all | walk | FILE.toml: try a claim, and let three books say whether it held."""

import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from deploy.lab import experiment, report, walk
from deploy.lab.experiment import Steady
from deploy.lab.faults import catalogue
from deploy.lab.series import Options, Series
from deploy.local import tiers
from deploy.local.home import Home

HELP: Final = (
    "Try an experiment (`all`, or a random `walk`) on a tier: steady state, load, fault, undo, oracle, report."
)
PORT: Final = 8400


def add_arguments(parser: ArgumentParser) -> None:
    """What is tried, and where."""
    known = ", ".join(experiment.names())
    parser.add_argument("experiment", nargs="+", help=f"all, walk, files of one's own, or some of {known}")
    parser.add_argument("--tier", default="durable", help="the rung to try it on (default: durable)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same texts at the same times")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long a walk is (default: 3)")
    parser.add_argument("--walks", type=int, default=1, help="that many walks, with this seed and the ones after it")
    parser.add_argument("--whole", action="store_true", help="keep a walk that fails as it is: shrinking takes an hour")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the system that is started (default: {PORT})")
    parser.add_argument("--home", type=Path, help="try it on the system that runs there, and start none")
    parser.add_argument("--reports", type=Path, help="where reports go (default: lab/reports in the data directory)")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Run it; 0 as expected, 1 not, 2 it could not be tried. Raises CannotStartError where there is no such tier."""
    end_on(signal.SIGTERM)
    chosen = Options(
        tier=options["tier"], seed=options["seed"], port=options["port"], home=options["home"],
        reports=reports_directory(home, options),
    )  # fmt: skip
    tiers.read(chosen.tier)
    if options["experiment"] == ["walk"]:
        return _walks(chosen, minutes=options["minutes"], walks=options["walks"], shrinks=not options["whole"])
    return _experiments(chosen, options["experiment"])


def _experiments(chosen: Options, wanted: list[str]) -> int:
    names = experiment.names() if wanted == ["all"] else wanted
    outcome = Series(chosen).run([experiment.read(name) for name in names])
    if len(names) > 1:
        kept, broken = len(outcome.as_expected), len(outcome.not_as_expected)
        print(f"{kept} as expected, {broken} not, {len(outcome.not_tried)} not tried, {len(outcome.not_here)} not here")
        print(f"Next: open {chosen.reports / 'index.html'}")
    elif outcome.not_here:
        return 2
    return outcome.code


def _walks(chosen: Options, *, minutes: float, walks: int, shrinks: bool) -> int:
    """Seed after seed; those that a report of this commit shows to be fine already are not walked again."""
    code = 0
    known = {fault.name for fault in catalogue()}
    survives = tiers.read(chosen.tier).survives
    for seed in range(chosen.seed, chosen.seed + walks):
        drawn = walk.drawn(seed=seed, minutes=minutes, tier=chosen.tier, known=known, survives=survives)
        if walks > 1 and report.is_done(drawn, tier=chosen.tier, directory=chosen.reports):
            print(f"– {drawn.name}: done already, at this commit")
            continue
        outcome = Series(replace(chosen, seed=seed)).run([drawn])
        if outcome.not_as_expected:
            _keep(drawn, replace(chosen, seed=seed), shrinks=shrinks)
        code = max(code, outcome.code)
    return code


def _keep(failed: experiment.Experiment, chosen: Options, *, shrinks: bool) -> None:
    """Drop faults while it still fails, where that is wanted, and keep what is left as a file that repeats it."""

    def fails(fewer: experiment.Experiment) -> bool:
        # What hangs hangs for a minute too: a trial that fails shall not take as long as the walk did.
        trial = replace(fewer, name=f"{fewer.name}-shrinking", quiet_seconds=60, steady=Steady(within_seconds=45))
        return bool(Series(chosen).run([trial]).not_as_expected)

    left = walk.shrunk(failed, fails=fails) if shrinks else failed
    place = walk.kept(left, directory=chosen.reports / chosen.tier)
    print(f"Kept as {place}: ./manage.py lab run {place} --tier {chosen.tier} --seed {chosen.seed}")


def reports_directory(home: Home, options: Mapping[str, Any]) -> Path:
    """Where reports go."""
    return Path(options["reports"] or home.root / "lab" / "reports").absolute()


def end_on(number: signal.Signals) -> None:
    """Let this signal end us as Ctrl-C does, so that everything is undone first."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(number, stop)
