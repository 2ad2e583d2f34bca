"""Another time for a reminder that has one: "to 6pm" keeps its day, "to friday" its time, "by an hour" both."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from reminders.schedule.reader import phrase_of
from reminders.schedule.resolve import elapsed_from, point


def moved(
    *, phrase: str, due: datetime, reference: datetime, tz: str, dayfirst: bool, language: str | None = None
) -> datetime | None:
    """When a reminder that is due at `due` shall be due after "move it to `phrase`"; None where that is unclear."""
    zone = ZoneInfo(tz)
    now, before = reference.astimezone(zone), due.astimezone(zone)
    p = phrase_of(phrase, now, tz, dayfirst, language)
    if p is None:  # "to 5", "to half six" is a time
        p = phrase_of(f"@ {phrase}", now, tz, dayfirst, language)
    if p is None or p.freq:
        return None
    if p.span and not p.has_day() and p.hour < 0:
        # From now where it was said so ("in an hour"), else from the old time ("an hour later").
        return elapsed_from(p, now if p.into >= 0 else before)
    timed = p.hour >= 0 or p.part != ""
    if timed and not p.has_day() and not p.span and before.date() > now.date():
        p.fixed = before.date().toordinal()
    found = point(p)
    if isinstance(found, date) and not isinstance(found, datetime):
        return datetime.combine(found, before.time(), zone)
    return found
