"""Steady: 200 reminders due each second for 30 s; lateness = POST received by the carrier − due.

Alone: `make bench ARGS="steady"`. Both clocks are this machine's. Nothing may be early.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from deploy.lab.bench import seeding
from deploy.lab.bench.burst import SILENT
from deploy.lab.bench.figures import latency, repeated
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System
from deploy.lab.bench.texts import number

NAME: Final = "steady"
PER_SECOND: Final = 200
_LEAD_SECONDS: Final = 6.0
_SEEDED_PER_SECOND: Final = 2_500  # reminders, also on a busy machine: the first may not be due before all are there
_SETTLE_SECONDS: Final = 20.0


def measure(system: System, options: Options, results: Results) -> None:
    """One run; the sample is the thousands of calls in it."""
    count = PER_SECOND * options.steady_seconds
    with system.connect("owner") as owner:
        seeding.people(owner, count=count)
    system.fresh_carrier(**SILENT)
    load = load_average()
    before = system.usage()
    found = run(system, count=count)
    after = system.usage()
    say(f"steady {PER_SECOND}/s: {found}")
    results.add(
        NAME,
        processes=options.processes,
        **found,
        cpu_us={
            name: round((after[name].cpu_seconds - before[name].cpu_seconds) / count * 1e6)
            for name in after
            if name in before and name not in ("carrier", "supervisor")
        },
        load=load,
    )


def run(system: System, *, count: int, first: int = 0) -> dict[str, Any]:
    """Let `count` reminders fall due at PER_SECOND; how late each call reached the carrier."""
    with system.connect("owner") as owner:
        seeding.clear_timers(owner)
        start = seeding.reminders(
            owner,
            persons=count,
            due_in_seconds=_LEAD_SECONDS + count / _SEEDED_PER_SECOND,
            apart_seconds=1 / PER_SECOND,
            first=first,
        )
        assert start > time.time(), "seeding took too long: the first was due before all were there"
        dues = {number(first + position): start + position / PER_SECOND for position in range(count)}
        time.sleep(max(0.0, start + count / PER_SECOND - time.time()))
        calls = _await_calls(system, dues)
        seeding.clear_timers(owner)
    return judged(dues, calls)


def judged(dues: Mapping[str, float], calls: list[tuple[str, float]]) -> dict[str, Any]:
    """Lateness of the first call to each number; calls are (number, Unix time). `early` counts those before due."""
    first: dict[str, float] = {}
    for to, at in calls:
        if to in dues:
            first.setdefault(to, at)
    late = [at - dues[to] for to, at in first.items()]
    found = latency(late)
    return {
        "n": len(dues),
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "max_ms": found.max_ms,
        # The carrier's times have milliseconds: half of one is rounding.
        "early": sum(one < -0.001 for one in late),
        "lost": len(dues) - len(first),
        "twice": repeated([to for to, _ in calls if to in dues]),
    }


def dialled(system: System) -> list[tuple[str, float]]:
    """The carrier's own record: number and Unix time of each call."""
    return [(call["to"], datetime.fromisoformat(call["created_at"]).timestamp()) for call in system.calls()]


def _await_calls(system: System, dues: Mapping[str, float]) -> list[tuple[str, float]]:
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        calls = dialled(system)
        if len({to for to, _ in calls if to in dues}) >= len(dues) or time.monotonic() > until:
            return calls
        time.sleep(0.5)
