"""What a date phrase means, for a person in a zone at a moment. Pure: no Django, no clock, no settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

__all__ = ["read"]

Meaning = datetime | date | str | None


def _loaded(text: str, reference: datetime, tz: str, dayfirst: bool) -> Meaning:
    """The tables load with the first phrase, so that importing costs nothing."""
    global _reader  # noqa: PLW0603
    from reminders.schedule.reader import read as reader

    _reader = reader
    return reader(text, reference, tz, dayfirst)


_reader: Callable[[str, datetime, str, bool], Meaning] = _loaded


def read(text: str, reference: datetime, tz: str, dayfirst: bool = False) -> Meaning:
    """The aware moment, the day, the RRULE, or None where the phrase is not understood or cannot be.

    `reference` is aware: the moment at which it was said; `tz` is the person's zone (IANA); `dayfirst`: 5/6 is 5 June.
    """
    return _reader(text, reference, tz, dayfirst)
