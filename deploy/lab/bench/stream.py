"""A stream: reminders that fall due each second for minutes, whose calls end, made shortly before they are due.

Each number is called once and is busy a second later; the carrier says so by two callbacks, so that every attempt ends
as one that was not answered does, and its next is hours away. (An answered call took about three times
the processor when both were tried: 200 a second would be all of two processors.)
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg

from deploy.lab.bench import seeding, steady
from deploy.lab.bench.results import say
from deploy.lab.bench.system import System
from deploy.lab.bench.texts import number

BUSY: Final[Mapping[str, object]] = {
    "calls_per_second": 1_000_000,
    "callbacks": 1.0,
    "busy": 1.0,
    "ring_after_seconds": 1.0,
}
PER_SECOND: Final = steady.PER_SECOND
LEAD_SECONDS: Final = 8.0
_CHUNK_SECONDS: Final = 5
_LEAD_SECONDS_MIN: Final = 3.0  # a machine that is too busy makes the stream thinner, and not its rows too late
_TOLD_SECONDS: Final = 30.0
_SETTLE_SECONDS: Final = 60.0


def run(system: System, *, seconds: int) -> dict[str, Any]:
    """Let PER_SECOND fall due for so long; how late each call reached the carrier, and what was left open."""
    system.fresh_carrier(**BUSY)
    with system.connect("owner") as owner:
        began = time.time()
        dues = _made(owner, seconds)
        lasted = time.time() - began - LEAD_SECONDS
        left = _settled(owner, began)
        calls = steady.dialled(system)
    return {
        **steady.judged(dues, calls),
        "per_second": len(dues) / lasted,
        "ended": left["ended"],
        "open": left["open"],
    }


def _made(owner: "psycopg.Connection[Any]", seconds: int) -> dict[str, float]:
    """Make the rows a few seconds ahead, until the last is due; when each number is."""
    count = PER_SECOND * _CHUNK_SECONDS
    dues: dict[str, float] = {}
    began = time.time()
    next_due, told_at = began + LEAD_SECONDS, began
    for chunk in range(-(-seconds // _CHUNK_SECONDS)):
        time.sleep(max(0.0, next_due - LEAD_SECONDS - time.time()))
        first = seeding.reminders(
            owner,
            persons=count,
            due_in_seconds=max(_LEAD_SECONDS_MIN, next_due - time.time()),
            apart_seconds=1 / PER_SECOND,
            first=chunk * count,
        )
        dues |= {number(chunk * count + at): first + at / PER_SECOND for at in range(count)}
        next_due = max(next_due, first) + _CHUNK_SECONDS
        if time.time() - told_at >= _TOLD_SECONDS:
            told_at = time.time()
            _tell(owner, began, len(dues), (chunk + 1) * _CHUNK_SECONDS, seconds)
    time.sleep(max(0.0, next_due - time.time()))
    return dues


def _tell(owner: "psycopg.Connection[Any]", began: float, made: int, done: int, seconds: int) -> None:
    found = _attempts(owner, began)
    left = (seconds - done) * (time.time() - began) / done
    say(
        f"  {done} of {seconds} s: {made:,} made, {found['begun']:,} called, {found['ended']:,} ended,"
        f" {found['open']:,} open; {left / 60:.1f} min left"
    )


def _settled(owner: "psycopg.Connection[Any]", began: float) -> dict[str, int]:
    """What is there once nothing waits to ring and no call is open, or a bounded time has passed."""
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        found = _attempts(owner, began)
        (waits,) = owner.execute(
            "SELECT EXISTS (SELECT FROM reminders_timer WHERE kind = 'ring' AND wake_at <= now())"
        ).fetchone() or (False,)
        if (not waits and not found["open"]) or time.monotonic() > until:
            return found
        time.sleep(1.0)


def _attempts(owner: "psycopg.Connection[Any]", began: float) -> dict[str, int]:
    row = owner.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'ended'), (SELECT count(*) FROM reminders_opencall)"
        "  FROM reminders_attempt WHERE intended_at >= to_timestamp(%s)",
        (began,),
    ).fetchone()
    assert row is not None
    return {"begun": row[0], "ended": row[1], "open": row[2]}
