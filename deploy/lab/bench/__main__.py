"""`python -m deploy.lab.bench [measure …]`: memory, intake, burst, callbacks, steady, kill, scan, looking; or all.

Only by their names: story, whose twenty million rows take longer than all the others; seed, which makes the rows of
scan, measures nothing and leaves the data there. `--seeded` measures what it is asked for on the data that is there.
Each measure runs on a system of its own (its data under --home, its ports from --port), started through the supervisor
and stopped afterwards. `--quick` is for a look, `--full` adds ten million pending reminders and a snapshot held for ten
minutes, `--report` measures everything that fits into a quarter of an hour and writes docs/reference/performance.md.
`--processes 2` runs two web and two worker processes. `--show` prints what was found before.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.lab.bench import burst, intake, kill, looking, memory, report, results, scan, steady, story
from deploy.lab.bench.peers import programs
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System, started
from deploy.local.home import REPOSITORY

MEASURES: Final[dict[str, Callable[[System, Options, Results], None]]] = {
    "memory": memory.measure,
    "intake": intake.measure,
    "burst": burst.measure,
    "callbacks": burst.measure_with_callbacks,
    "steady": steady.measure,
    "kill": kill.measure,
    "scan": scan.measure,
    "looking": looking.measure,
    "story": story.measure,
    "seed": scan.seed,
}
_ONLY_BY_NAME: Final = (story.NAME, scan.SEED)
_PLACE: Final = REPOSITORY / ".ringback" / "bench"


def main(arguments: Sequence[str]) -> int:
    """Measure and say what was found."""
    words = _parser().parse_args(arguments)
    found = results.read(_PLACE / "results.json")
    if words.show:
        print(report.tables(found) + report.looking_tables(found))
        return 0
    began = time.monotonic()
    for processes in _processes(words):
        names = _measures(words, processes)
        if names:
            _measure(names, words, processes, found)
        if words.report:
            report.write(found)
    print(report.tables(found) + report.looking_tables(found))
    say(f"measured in {time.monotonic() - began:.0f} s")
    return 0


def _measure(names: Sequence[str], words: argparse.Namespace, processes: int, found: Results) -> None:
    options = _options(words, processes)
    if "intake" in names:
        programs.install()
    if not words.seeded:
        shutil.rmtree(options.scratch, ignore_errors=True)
    counts = {"web": processes, "worker": processes}
    with started(home=options.scratch, port=words.port, counts=counts) as system:
        programs.prepare(system)
        for name in names:
            MEASURES[name](system, options, found)
    if not (words.keep or words.seeded or scan.SEED in names):
        shutil.rmtree(options.scratch, ignore_errors=True)


def _processes(words: argparse.Namespace) -> tuple[int, ...]:
    return (1, 2) if words.report else (words.processes,)


def _measures(words: argparse.Namespace, processes: int) -> list[str]:
    asked = words.measure or [name for name in MEASURES if name not in _ONLY_BY_NAME]
    return [name for name in asked if processes == 1 or not words.report or name in ("intake", "burst")]


def _options(words: argparse.Namespace, processes: int) -> Options:
    quick, full, second = words.quick, words.full, words.report and processes == 2
    return Options(
        rounds=words.rounds or (2 if quick or second else 5),
        seconds=1.5 if quick else 2.5,
        burst=4_000 if quick else 20_000,
        burst_talking=500 if quick else (20_000 if full else 3_000),
        steady_seconds=5 if quick else 30,
        pending=(100_000,) if quick else ((1_000_000, 10_000_000) if full else (1_000_000,)),
        held_seconds=(5,) if quick else ((20, 600) if full else (20,)),
        kill=1_000 if quick else 4_000,
        processes=processes,
        scratch=Path(words.home),
        seeded=words.seeded,
    )


def _known(name: str) -> str:
    # Not `choices`: with them argparse refuses an empty list.
    if name not in MEASURES:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(MEASURES)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy.lab.bench", description=__doc__)
    parser.add_argument("measure", nargs="*", type=_known, help="which; without a name all but story")
    parser.add_argument("--quick", action="store_true", help="small and short: a look, not a figure")
    parser.add_argument("--full", action="store_true", help="ten million pending, a snapshot held for ten minutes")
    parser.add_argument("--report", action="store_true", help="measure, and write docs/reference/performance.md")
    parser.add_argument("--show", action="store_true", help="print what was found before")
    parser.add_argument("--rounds", type=int, default=0, help="interleaved rounds (5)")
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2), help="web and worker processes (1)")
    parser.add_argument("--port", type=int, default=18900, help="the web's port; the others follow (18900)")
    parser.add_argument("--home", default=str(_PLACE / "home"), help="where the measured system keeps its data")
    parser.add_argument("--keep", action="store_true", help="leave that data there")
    parser.add_argument("--seeded", action="store_true", help="measure the data that is there, and leave it there")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
