"""Another time for a reminder that has one: "to 6pm" keeps its day, "to friday" its time, "by an hour" both."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from reminders.schedule.reader import phrase_of
from reminders.schedule.resolve import aware, clock_of, elapsed_from, point

NOON_HOUR: Final = 12


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
    if p.hour >= 0 and not p.has_day() and not p.span and (near := _nearest(clock_of(p), before, now)) is not None:
        return aware(p, near)
    if timed and not p.has_day() and not p.span and before.date() > now.date():
        p.fixed = before.date().toordinal()
    found = point(p)
    if isinstance(found, date) and not isinstance(found, datetime):
        return datetime.combine(found, before.time(), zone)
    return found


def _nearest(spot: tuple[int, int, int, int], before: datetime, now: datetime) -> datetime | None:
    """Of "make it 6", said of what was due after noon, the 6 o'clock of that day that is nearer to the old time."""
    hour, minute, second, either = spot
    if not either or before.hour < NOON_HOUR:
        return None  # from a morning, 6 is as likely in the evening
    faces = (time(hour % 12 + half, minute, second) for half in (0, 12))
    ahead = [at for face in faces if (at := datetime.combine(before.date(), face, before.tzinfo)) > now]
    return min(ahead, key=lambda at: abs(at - before), default=None)
