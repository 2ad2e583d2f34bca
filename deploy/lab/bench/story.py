"""Story: how long `trace` takes for one person's seven days among a million reminders that were answered.

Alone: `make bench ARGS="story"`; the seeding (twenty million rows, 6 GB) takes most of its time. Persons are
chosen by chance, so that the first time nothing of theirs is in the server's memory. Timed are the queries of
`trace` alone (`python -m deploy.lab.bench.telling`, one snapshot each, on a new connection, then for the first and the
second time), and the whole command, of which most is Python's start.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import fmean
from typing import Any, Final

from deploy.lab.bench import seeding
from deploy.lab.bench.figures import latency
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System, plain
from deploy.lab.bench.texts import number
from deploy.local.home import REPOSITORY

NAME: Final = "story"
TARGET_MS: Final = 300
_EACH: Final = 50  # reminders of one person in seven days
_ASKED: Final = 48
_EACH_PROCESS: Final = 6  # of those the first is asked for on a new connection
_COMMANDS: Final = 10


def measure(system: System, options: Options, results: Results) -> None:
    """One seeding; then everybody who was chosen is asked for twice."""
    count = options.pending[0]
    persons = count // _EACH
    with system.connect("owner") as owner:
        seeding.people(owner, count=persons)
        say(f"story: making {count:,} reminders of {persons:,} persons …")
        seeding.lived(owner, count=count, persons=persons)
    chosen = [number(position) for position in random.SystemRandom().sample(range(persons), _ASKED)]
    found = _asked(system, chosen)
    found["command_s"] = [round(_command(system, one), 2) for one in chosen[:_COMMANDS]]
    say(f"story of {_EACH} reminders among {count:,}: {found}")
    results.add(NAME, processes=options.processes, reminders=count, each=_EACH, load=load_average(), **found)


def _asked(system: System, numbers: list[str]) -> dict[str, Any]:
    told = [
        json.loads(_run(system, [sys.executable, "-m", "deploy.lab.bench.telling", *several]))
        for several in _batched(numbers, _EACH_PROCESS)
    ]
    times = {name: latency([took for one in told for took in one[name]]) for name in ("new", "first", "again")}
    cpu_ms = {name: round(fmean(one["cpu_ms"][name] for one in told), 1) for name in ("server", "command")}
    return {**times, "events": min(one["events"] for one in told), "cpu_ms": cpu_ms}


def _batched(numbers: list[str], size: int) -> Iterator[list[str]]:
    """In lists of that size, in their order; the last may be shorter."""
    for at in range(0, len(numbers), size):
        yield numbers[at : at + size]


def _command(system: System, told: str) -> float:
    began = time.perf_counter()
    _run(system, [sys.executable, "manage.py", "trace", told, "--json"])
    return time.perf_counter() - began


def _run(system: System, command: list[str]) -> str:
    environment = {**plain(), "RINGBACK_HOME": str(system.home)}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout
