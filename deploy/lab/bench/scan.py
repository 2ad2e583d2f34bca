"""Scan: what looking for due timers costs with a million (and ten, with --full) reminders pending.

Alone: `make bench ARGS="scan"`. Ten million, a snapshot held for ten minutes: `ARGS="scan --full"` (20 GB of disk, 20
minutes on a quiet machine). To make the rows before, and to measure again and again: `ARGS="seed --full --home PLACE"`,
then `ARGS="scan --full --seeded --home PLACE"`; the data stays there.

The dispatcher's own statements are timed through its own `Claimer`, in one process, while the real dispatcher is
stopped (SIGSTOP): 20 claims of 500, each committed, and the idle scan (what may ring, when is the next due). Then 200
fall due each second (`stream.py`) while a snapshot is held open, so that every dead row stays; lateness is measured as
in `steady`, the scan by a second `Claimer` beside the real one, and the claims again before the snapshot ends.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.lab.bench import seeding, stream
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System
from deploy.local.home import REPOSITORY

NAME: Final = "scan"
SEED: Final = "seed"
_CLAIM: Final = 500
_CLAIMS: Final = 20
_PERSONS: Final = 10_000
_RESIDENT: Final = ("dispatch-1", "worker-1", "web-1")
_PROBE_SECONDS: Final = 4
_PROBE_MORE_SECONDS: Final = 300  # its start, and its claims, on a busy machine
_TOLD: Final = 500_000  # rows between two lines of progress


def measure(system: System, options: Options, results: Results) -> None:
    """For each number of pending rows, the least first (rows are added, never taken away), or for what is there."""
    stages = list(zip(options.pending, options.held_seconds, strict=True))
    if options.seeded:
        with system.connect("owner") as owner:
            stages = [(seeding.pending_now(owner), options.held_seconds[-1])]
    for count, held_seconds in stages:
        empty = _fill(system, options, count, held_seconds)
        with system.connect("owner") as owner:
            seeding.clear_timers(owner)
        full = _memory(system)
        found = _one(system, held_seconds)
        after = _memory(system)
        found["memory"] = {name: [empty[name], full[name], after[name]] for name in _RESIDENT}
        say(f"scan {count:,}: {found}")
        results.add(f"{NAME}-{count}", processes=options.processes, pending=count, load=load_average(), **found)


def seed(system: System, options: Options, _: Results) -> None:
    """Make all the rows that `scan` needs, and measure nothing."""
    _fill(system, options, options.pending[-1], max(options.held_seconds))


def _fill(system: System, options: Options, count: int, held_seconds: int) -> dict[str, list[int]]:
    """Make what is missing of `count` pending reminders; the memory of each process without any."""
    empty = options.scratch / "memory_of_none.json"
    if not empty.exists():
        empty.write_text(json.dumps(_memory(system)))
    with system.connect("owner") as owner:
        seeding.people(owner, count=max(_PERSONS, stream.PER_SECOND * (held_seconds + 5)))
        missing = count - seeding.pending_now(owner)
    if missing > _PERSONS:
        say(f"scan: making {missing:,} pending reminders …")
        began = time.monotonic()
        seeding.pending(system.connect, count=missing, persons=_PERSONS, made=_progress(missing))
        say(f"scan: {missing:,} made in {time.monotonic() - began:.0f} s")
    found: dict[str, list[int]] = json.loads(empty.read_text())
    return found


def _progress(missing: int) -> Callable[[int], None]:
    """Tells how many are made, and how long the rest takes, now and then."""
    began, made, told = time.monotonic(), [0], [0]

    def add(count: int) -> None:
        made[0] += count
        if made[0] - told[0] >= _TOLD:
            told[0] = made[0]
            left = (missing - made[0]) * (time.monotonic() - began) / made[0]
            say(f"  {made[0]:,} of {missing:,}; {left / 60:.1f} min left")

    return add


def _one(system: System, held_seconds: int) -> dict[str, Any]:
    quiet = _probe(system, claim=True, seconds=_PROBE_SECONDS)
    say(f"scan: quiet {quiet}; now a snapshot is held for {held_seconds} s")
    beside: dict[str, Any] = {}
    with system.connect() as holder:
        # As a person's forgotten psql would: nothing that is dead from now on can be cleaned.
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM reminders_pace")
        began = time.monotonic()
        watching = threading.Thread(target=lambda: beside.update(_probe(system, claim=False, seconds=held_seconds)))
        watching.start()
        late = stream.run(system, seconds=held_seconds)
        watching.join()
        held = _probe(system, claim=True, seconds=_PROBE_SECONDS)
        held_for = round(time.monotonic() - began)
        holder.execute("ROLLBACK")
    return {"quiet": quiet, "held_seconds": held_for, "beside": beside, "held": held, "late": late}


def _probe(system: System, *, claim: bool, seconds: int) -> dict[str, Any]:
    """Time the dispatcher's statements in another process; with `claim` the real dispatcher is stopped meanwhile."""
    dispatcher = system.pid("dispatch-1")
    if claim:
        os.kill(dispatcher, signal.SIGSTOP)
        with system.connect("owner") as owner:
            seeding.reminders(owner, persons=_CLAIM * _CLAIMS, due_in_seconds=0.0, apart_seconds=0.0)
    try:
        command = [sys.executable, "-m", "deploy.lab.bench.claiming", str(_CLAIMS if claim else 0), str(seconds)]
        environment: Mapping[str, str] = {**os.environ, "RINGBACK_HOME": str(system.home)}
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + _PROBE_MORE_SECONDS,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    finally:
        if claim:
            with system.connect("owner") as owner:
                seeding.clear_timers(owner)
            os.kill(dispatcher, signal.SIGCONT)


def _memory(system: System) -> dict[str, list[int]]:
    """Of each process, in KiB: what is resident, and of that its own."""
    return {name: [usage.resident_kib, usage.own_kib] for name, usage in system.usage().items()}
