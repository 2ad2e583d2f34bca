"""Kill: kill -9 of each process in the middle of a burst; what was lost, who was called twice, how soon it went on.

Alone: `make bench ARGS="kill"`. 4,000 are due at one instant; the process dies when a third of them have been posted,
and the supervisor starts it again. Lost and second calls are counted in the carrier's own record. What was not intended
yet comes again within the lease and ten seconds. What was intended with an unknown outcome is looked up at the carrier
within the look-up horizon, and dialled again only where the carrier says that there was no call.

The web is in the way of a burst only where calls come back to it: for it a quarter as many calls are answered and
talk, and settled means that every one of them is known to have been answered, also where the callbacks were lost.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

from deploy.lab.bench import seeding
from deploy.lab.bench.burst import SILENT, TALKING
from deploy.lab.bench.figures import repeated
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System

NAME: Final = "kill"
VICTIMS: Final = ("worker-1", "dispatch-1", "web-1", "redis", "postgres-1", "carrier")
_SHARE: Final = 1 / 3
_BURST_SECONDS_MAX: Final = 30.0
# Lease 15 s + look-up horizon 20 s + one retry of a call that was not placed, with room.
_RECOVERED_SECONDS_MAX: Final = 150.0
LEASE_SECONDS: Final = 15.0
HORIZON_SECONDS: Final = 20.0
# Each occurrence of the burst: when it was first intended, and whether its call is known. Two ways of knowing.
_KNOWN: Final = """
SELECT extract(epoch FROM min(a.intended_at))::float8, bool_or({known}), s.number
  FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id
 WHERE a.intended_at >= to_timestamp(%s) GROUP BY a.occurrence_id, s.number"""
_PLACED: Final = _KNOWN.format(known="a.carrier_sid IS NOT NULL")
_ANSWERED: Final = _KNOWN.format(known="a.state = 'ended' AND a.outcome = 'answered'")


def measure(system: System, options: Options, results: Results) -> None:
    """One burst for each victim; each with its own persons, so that no two bursts meet."""
    count = options.kill
    with system.connect("owner") as owner:
        seeding.people(owner, count=count)
    for victim in VICTIMS:
        load = load_average()
        found = _one(system, victim, count // 4 if victim == "web-1" else count)
        say(f"kill {victim}: {found}")
        results.add(f"{NAME}-{victim}", processes=options.processes, victim=victim, **found, load=load)


def _one(system: System, victim: str, count: int) -> dict[str, Any]:
    behaviour, settled = (TALKING, _ANSWERED) if victim == "web-1" else (SILENT, _PLACED)
    system.fresh_carrier(**behaviour)
    with system.connect("owner") as owner:
        seeding.clear_timers(owner)
        due = seeding.reminders(owner, persons=count, due_in_seconds=3.0, apart_seconds=0.0)
    posted = _await_share(system, count, due)
    pid = system.pid(victim)
    killed_at = time.time()
    os.kill(pid, signal.SIGKILL)
    system.await_alive([victim])
    found = _await_settled(system, count, due, settled, killed_at)
    calls = [(call["to"], datetime.fromisoformat(call["created_at"]).timestamp()) for call in system.calls()]
    first: dict[str, float] = {}
    for to, at in calls:
        first.setdefault(to, at)
    late = [first[to] - killed_at for to in found.later if to in first]
    return {
        "n": count,
        "posted_before": posted,
        "lost": count - len(first),
        "twice": repeated([to for to, _ in calls]),
        "not_intended": len(late),
        "resumed_seconds": max(late, default=None),
        "open_intents": found.open_intents,
        "resolved_seconds": found.resolved_seconds,
        "settled_seconds": found.settled_seconds,
        "unsettled": count - found.settled,
    }


@dataclass(kw_only=True)
class _Settled:
    """What became of a burst. `later`: numbers first intended after the kill. Seconds count from the kill."""

    settled: int = 0
    later: list[str] = field(default_factory=list)
    open_intents: int = 0
    resolved_seconds: float | None = None
    settled_seconds: float | None = None


def _await_share(system: System, count: int, due: float) -> int:
    time.sleep(max(0.0, due - time.time()))
    until = time.monotonic() + _BURST_SECONDS_MAX
    while time.monotonic() < until:
        posted = len(system.calls())
        if posted >= count * _SHARE:
            return posted
        time.sleep(0.02)
    raise TimeoutError("the burst did not begin")


def _await_settled(system: System, count: int, due: float, settled: str, killed_at: float) -> _Settled:
    """Until the call of each occurrence is known; the intents that the kill left open are followed for themselves."""
    until = time.monotonic() + _RECOVERED_SECONDS_MAX
    found = _Settled()
    while time.monotonic() < until:
        rows: list[tuple[float, bool, str]] = []
        # The database is one of the victims.
        with contextlib.suppress(psycopg.OperationalError), system.connect("owner") as owner:
            rows = owner.execute(settled, (due,)).fetchall()
        found.settled = sum(known for _, known, _ in rows)
        open_ = sum(at <= killed_at and not known for at, known, _ in rows)
        found.open_intents = max(found.open_intents, open_)
        if rows and not open_ and found.open_intents and found.resolved_seconds is None:
            found.resolved_seconds = time.time() - killed_at
        if found.settled >= count:
            found.settled_seconds = time.time() - killed_at
            found.later = [to for at, _, to in rows if at > killed_at]
            break
        time.sleep(0.25)
    return found
