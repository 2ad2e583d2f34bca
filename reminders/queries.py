"""Reads only, for people and pages. Nothing about money or delivery is decided from here."""

from dataclasses import dataclass
from datetime import datetime

from billing.database import Statements
from billing.queries import HoldLine, hold
from reminders.models import Reminder, Subscriber
from reminders.replies import Entry
from reminders.states import ReminderState

MISSED_SAID_MAX = 5

statements = Statements("reminders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """What a person missed, newest first, and how to say it to them."""

    entries: tuple[Entry, ...]
    zone: str
    language: str


def missed_lately(*, number: str | None, since: datetime) -> Missed:
    """The reminders that this number missed since then; nothing for a number that never texted."""
    person = Subscriber.objects.filter(number=number).first() if number else None
    if person is None:
        return Missed(entries=(), zone="UTC", language="en")
    rows = Reminder.objects.filter(subscriber=person, state=ReminderState.MISSED, ended_at__gte=since).order_by(
        "-ended_at"
    )[:MISSED_SAID_MAX]
    return Missed(
        entries=tuple(Entry(number=row.number, subject=row.subject, when=row.due_at) for row in rows),
        zone=person.zone or "UTC",
        language=person.language,
    )


def hold_of_call(*, carrier: str, carrier_sid: str) -> HoldLine | None:
    """What a call of the carrier's may cost or did, or None for a call that is not ours."""
    row = statements.run("call_attempt", {"carrier": carrier, "carrier_sid": carrier_sid}).fetchone()
    return hold(attempt_id=row[0]) if row else None
