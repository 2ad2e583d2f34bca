"""Rows of history that no month holds: which they are, and how they come into their month.

They lie in the default partition of their table: a clock was far ahead or behind, or months were not made in time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from billing.database import Statements
from reminders import limits

statements: Final = Statements("reminders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unplaced:
    """What of one month lies outside of it. `month` is its first instant, UTC."""

    month: datetime
    messages: int
    attempts: int
    events: int
    replies: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.messages + self.attempts + self.events + self.replies


def waiting() -> list[Unplaced]:
    """Every month with such rows, oldest first; of limits.UNPLACED_COUNTED_MAX rows at most."""
    rows = statements.run("unplaced", {"rows_max": limits.UNPLACED_COUNTED_MAX}).fetchall()
    return [
        Unplaced(month=month, messages=messages, attempts=attempts, events=events, replies=replies)
        for month, messages, attempts, events, replies in rows
    ]


def place(*, month: datetime, rows_max: int) -> int:
    """Move one month's rows into it, all or none; how many. Until it is done nobody reads or writes the history of no
    month, and what reads everything waits.

    Raises the database's errors: a lock that it did not get within 2 s, more than `rows_max` rows.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {limits.PLACE_ROWS_SECONDS * 1000}")
        row = statements.run("place_rows", {"month": month, "rows_max": rows_max}).fetchone()
    return int(row[0]) if row else 0
