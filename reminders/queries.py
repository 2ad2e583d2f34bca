"""Reads only, for people and pages. Nothing about money or delivery is decided from here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.database import Statements
from billing.queries import HoldLine, hold
from reminders import limits
from reminders.models import Subscriber
from reminders.replies import Entry

statements: Final = Statements("reminders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """What a person missed, newest first, and how to say it to them."""

    entries: tuple[Entry, ...]
    zone: str
    language: str


def missed_lately(*, number: str | None, since: datetime) -> Missed:
    """What this number missed since then, of what repeats too; nothing for a number that never texted.

    At most limits.MISSED_SAID_MAX.
    """
    person = Subscriber.objects.filter(number=number).first() if number else None
    if person is None:
        return Missed(entries=(), zone="UTC", language="en")
    params = {
        "subscriber_id": person.id,
        "since": since,
        "latest_max": limits.MISSED_LOOKED_AT_MAX,
        "rows_max": limits.MISSED_SAID_MAX,
    }
    rows = statements.run("missed_lately", params).fetchall()
    return Missed(
        entries=tuple(Entry(number=number, subject=subject, when=due_at) for number, subject, due_at in rows),
        zone=person.zone or "UTC",
        language=person.language,
    )


def hold_of_call(*, carrier: str, carrier_sid: str) -> HoldLine | None:
    """What a call of the carrier's may cost or did, or None for a call that is not ours."""
    row = statements.run("call_attempt", {"carrier": carrier, "carrier_sid": carrier_sid}).fetchone()
    return hold(attempt_id=row[0]) if row else None
