"""Where the truth is: the rows, asked once a look within a bounded time; and the counts of the objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from billing.database import Statements, first, named
from reminders import limits

statements: Final = Statements("config.observing")

STATEMENT_MS_MAX: Final = 2_000
RECOUNTED_MINUTES: Final = 15  # a callback that comes later than this does not correct its minute any more
KEPT_DAYS: Final = 90
SETTLED_SECONDS: Final = 3600  # by then an occurrence has ended, or waits for its next attempt


@dataclass(frozen=True, kw_only=True)
class Count:
    """What one minute of one objective counted."""

    slo: str
    minute: datetime
    good: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Window:
    """What one objective counted over a stretch of time that ends now."""

    slo: str
    seconds: int
    good: int
    total: int


def figures(*, lease_seconds: float, unknown_seconds: float, call_seconds: float) -> dict[str, Any]:
    """What the rows say now. Raises the database's errors."""
    with transaction.atomic():
        _be_brief()
        bounds = {
            "rings_ahead_seconds": max(lease_seconds, limits.FAILED_SECONDS_MAX),
            "others_ahead_seconds": max(lease_seconds, limits.TIMER_FAILED_SECONDS_MAX),
            "unknown_seconds": unknown_seconds,
            "call_seconds": call_seconds,
        }
        row = first(statements.run("truth", bounds))
    assert row is not None
    return row


def server() -> dict[str, Any]:
    """What the server says of itself, without a table of ours. Raises the database's errors."""
    with transaction.atomic():
        _be_brief()
        row = first(statements.run("server", {}))
    assert row is not None
    return row


def count(*, now: datetime, fresh_seconds: float) -> list[Count]:
    """The minutes of the last quarter of an hour that are over, of the objectives that the rows know."""
    until = now.replace(second=0, microsecond=0)
    window = {
        "since": until - timedelta(minutes=RECOUNTED_MINUTES),
        "until": until,
        "fresh_ms": round(fresh_seconds * 1000),
        "settled_seconds": SETTLED_SECONDS,
    }
    with transaction.atomic():
        _be_brief()
        return [Count(**row) for row in named(statements.run("slis", window))]


def keep(*, counts: Sequence[Count], adds: Sequence[Count]) -> None:
    """Store `counts` as their minutes' whole counts, and add `adds` to theirs, in one transaction."""
    with transaction.atomic():
        for name, several in (("rollup", counts), ("rollup_add", adds)):
            if several:
                statements.run(name, _columns(several))


def cut(*, now: datetime) -> None:
    """Take a bounded piece of what is older than KEPT_DAYS together; what was counted in all stays."""
    statements.run("rollup_cut", {"before": now - timedelta(days=KEPT_DAYS)})


def windows(*, at: datetime, seconds: Sequence[int]) -> list[Window]:
    """Each objective over several stretches of time that end at `at`."""
    return [Window(**row) for row in named(statements.run("windows", {"at": at, "seconds": list(seconds)}))]


def series(*, since: datetime, until: datetime, step_seconds: int) -> Sequence[Mapping[str, Any]]:
    """Each objective's counts by steps of time, oldest first: slo, at, good, total."""
    return named(
        statements.run("series", {"since": since, "until": until, "step_seconds": step_seconds}),
    )


def lateness(*, since: datetime, bounds_ms: Sequence[int]) -> list[int]:
    """How many first rings since then fell below each bound and above the one before; the last beyond them all."""
    found = [0] * (len(bounds_ms) + 1)
    for place, rings in statements.run("lateness", {"since": since, "bounds": list(bounds_ms)}).fetchall():
        found[place] = rings
    return found


def mark(*, at: datetime, kind: str, says: str) -> None:
    """Note a moment (kind: deploy, fault, failover, alert) for the timeline; the same one only once."""
    statements.run("mark", {"at": at, "kind": kind, "says": says})


def last_mark(*, kind: str) -> str | None:
    """What the newest mark of a kind says; None where there is none."""
    row = statements.run("last_mark", {"kind": kind}).fetchone()
    return str(row[0]) if row else None


def marks(*, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
    """The moments of a stretch of time, newest first: at, kind, says."""
    return named(statements.run("marks", {"since": since, "until": until}))


def _be_brief() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS_MAX}")


def _columns(counts: Sequence[Count]) -> dict[str, list[Any]]:
    return {
        "slos": [one.slo for one in counts],
        "minutes": [one.minute for one in counts],
        "goods": [one.good for one in counts],
        "totals": [one.total for one in counts],
    }
