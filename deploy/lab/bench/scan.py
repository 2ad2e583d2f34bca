"""Scan: what looking for due timers costs with a million (ten, with --full) reminders pending.

Alone: `make bench ARGS="scan"`; ten million: `ARGS="scan --full"` (20 GB of disk, half an hour).

The dispatcher's own statements are timed through its own `Claimer`, in one process, while the real dispatcher is
stopped (SIGSTOP): 20 claims of 500, each committed, and the idle scan (what may ring, when is the next due). Then 200
fall due each second while a snapshot is held open, so that every dead row stays; lateness is measured as in `steady`,
the scan by a second `Claimer` beside the real one, and the claims again at the end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from deploy.lab.bench import seeding, steady
from deploy.lab.bench.burst import SILENT
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System
from deploy.local.home import REPOSITORY

NAME: Final = "scan"
_CLAIM: Final = 500
_CLAIMS: Final = 20
_PERSONS: Final = 10_000
_RESIDENT: Final = ("dispatch-1", "worker-1", "web-1")


def measure(system: System, options: Options, results: Results) -> None:
    """For each number of pending reminders, the least first: rows are added, never taken away."""
    there = 0
    with system.connect("owner") as owner:
        seeding.people(owner, count=max(_PERSONS, steady.PER_SECOND * options.held_seconds))
        idle = _memory(system)
        for count in options.pending:
            say(f"scan: making {count - there:,} pending reminders …")
            seeding.pending(owner, count=count - there, persons=_PERSONS)
            there = count
            found = _one(system, options)
            found["memory_kib"] = {name: [idle[name], _memory(system)[name]] for name in _RESIDENT}
            say(f"scan {count:,}: {found}")
            results.add(f"{NAME}-{count}", processes=options.processes, pending=count, load=load_average(), **found)


def _one(system: System, options: Options) -> dict[str, Any]:
    quiet = _probe(system, claim=True, seconds=4)
    system.fresh_carrier(**SILENT)
    beside: dict[str, Any] = {}
    with system.connect() as holder:
        # As a person's forgotten psql would: nothing that is dead from now on can be cleaned.
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM reminders_pace")
        watching = threading.Thread(
            target=lambda: beside.update(_probe(system, claim=False, seconds=options.held_seconds))
        )
        watching.start()
        late = steady.run(system, count=steady.PER_SECOND * options.held_seconds)
        watching.join()
        held = _probe(system, claim=True, seconds=4)
        holder.execute("ROLLBACK")
    return {"quiet": quiet, "held_seconds": options.held_seconds, "beside": beside, "held": held, "late": late}


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
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True, timeout=seconds + 60
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    finally:
        if claim:
            with system.connect("owner") as owner:
                seeding.clear_timers(owner)
            os.kill(dispatcher, signal.SIGCONT)


def _memory(system: System) -> dict[str, int]:
    return {name: usage.own_kib for name, usage in system.usage().items()}
