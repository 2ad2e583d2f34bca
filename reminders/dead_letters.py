"""Dead letters: reminders that we could not ring, kept until somebody replays them by hand."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from billing.database import Statements
from reminders import limits
from reminders.quiet import Misfire

statements: Final = Statements("reminders")


class Fate(StrEnum):
    """What comes of a dead letter that is replayed: in words that go on from its name."""

    RINGS = "rings again now"
    WAITS = "rings again when its person's quiet hours are over"
    TOLD = "is too late to ring: its person is told by SMS that it was missed"
    STOPPED = "rings no more: its person said STOP, and it is cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A reminder that is dead, whose it is, and why."""

    id: UUID
    number: int
    subject: str
    due_at: datetime
    zone: str
    died_at: datetime
    phone: str
    cause: str


def waiting() -> list[DeadLetter]:
    """Every dead letter, oldest first, to limits.DEAD_LETTERS_LISTED_MAX."""
    rows = statements.run("dead_letters", {"rows_max": limits.DEAD_LETTERS_LISTED_MAX}).fetchall()
    return [
        DeadLetter(
            id=id_,
            number=number,
            subject=subject,
            due_at=due_at,
            zone=zone,
            died_at=died_at,
            phone=phone,
            cause=cause,
        )
        for id_, number, subject, due_at, zone, died_at, phone, cause in rows
    ]


def replay(*, reminder_id: UUID, by: str, misfire: Misfire | None, at: datetime) -> Fate | None:
    """Let a dead letter be due again at once, its attempts counted anew, and say what comes of that.

    None where it is not dead (any more).
    """
    moved = statements.run("replay_dead_letter", {"reminder_id": reminder_id, "by": by, "at": at}).fetchone()
    if moved is None:
        return None
    due_at, zone, stopped = moved
    if stopped:
        return Fate.STOPPED
    if misfire is None or not misfire.is_late(due_at=due_at, now=at):
        return Fate.RINGS
    if misfire.is_missed(due_at=due_at, now=at):
        return Fate.TOLD
    return Fate.RINGS if misfire.wait_until(due_at=due_at, zone=zone, now=at) is None else Fate.WAITS
