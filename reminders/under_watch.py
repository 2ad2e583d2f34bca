"""People under watch: every trace of theirs is kept, until an end. Known to telemetry by a keyed hash alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.database import Statements
from reminders import limits

statements: Final = Statements("reminders")


class TooMany(Exception):
    """limits.WATCHED_MAX people are watched already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnderWatch:
    """Somebody whose traces are kept, whatever the share: from when, and until when."""

    number: str
    name: str  # in telemetry
    since: datetime
    until: datetime


def begin(*, name: str, subscriber_id: UUID, now: datetime, until: datetime) -> None:
    """Watch a person; one who is watched already is watched until the new end. What has ended is forgotten.

    Raises TooMany.
    """
    watched = listed(now=now)
    if len(watched) >= limits.WATCHED_MAX and name not in {one.name for one in watched}:
        raise TooMany
    statements.run("watch_begin", {"name": name, "subscriber_id": subscriber_id, "now": now, "until": until})


def end(*, subscriber_id: UUID, now: datetime) -> bool:
    """Watch a person no more; False where nobody did."""
    return statements.run("watch_end", {"subscriber_id": subscriber_id, "now": now}).fetchone() is not None


def listed(*, now: datetime) -> list[UnderWatch]:
    """Everybody under watch, whose watch ends first first."""
    rows = statements.run("watched", {"now": now}).fetchall()
    return [UnderWatch(number=number, name=name, since=since, until=until) for name, number, since, until in rows]


def names(*, now: datetime) -> frozenset[str]:
    """What telemetry calls everybody under watch."""
    return frozenset(one.name for one in listed(now=now))
