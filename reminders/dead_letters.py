"""Dead letters: reminders that we could not ring, kept until somebody replays them by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.database import Statements
from reminders import limits

statements: Final = Statements("reminders")


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


def replay(*, reminder_id: UUID, by: str, at: datetime) -> bool:
    """Let a dead letter ring again at once, its attempts counted anew; False where it is not dead (any more)."""
    params = {"reminder_id": reminder_id, "by": by, "at": at}
    return statements.run("replay_dead_letter", params).fetchone() is not None
