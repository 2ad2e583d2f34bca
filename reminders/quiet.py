"""Quiet hours, and what becomes of a ring that comes late. Pure.

The misfire policy is "ring late, in waking hours, for a day": a ring that comes after its time rings and says so;
where that would be in the person's quiet hours and not near the time that they named, it waits for their end; after
`misfire_seconds` it is told by SMS instead. A time that the person named is never moved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

CAUSE = "quiet_hours"
WRITTEN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """From `start` until just before `end` on the person's wall clock; equal ends mean never."""

    start: time
    end: time

    def until(self, *, at: datetime, zone: str) -> datetime | None:
        """When the quiet hours in which `at` lies are over; None where it lies in none."""
        local = at.astimezone(ZoneInfo(zone))
        now = local.time()
        over_midnight = self.start > self.end
        within = now >= self.start or now < self.end if over_midnight else self.start <= now < self.end
        if not within:
            return None
        later = over_midnight and now >= self.start
        day = local.date() + timedelta(days=int(later))
        return datetime.combine(day, self.end, local.tzinfo)


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfire:
    """The policy. `grace_seconds`: how long after its named time a ring still belongs to that time."""

    quiet: Quiet
    grace_seconds: float
    misfire_seconds: float

    def is_late(self, *, due_at: datetime, now: datetime) -> bool:
        """Whether anything is to be decided at all."""
        return (now - due_at).total_seconds() > self.grace_seconds

    def is_missed(self, *, due_at: datetime, now: datetime) -> bool:
        """Whether it is too late to ring: the person is told by SMS."""
        return (now - due_at).total_seconds() > self.misfire_seconds

    def wait_until(self, *, due_at: datetime, zone: str, now: datetime) -> datetime | None:
        """Until when a late ring waits for the quiet hours' end; None where it rings now."""
        return self.quiet.until(at=now, zone=zone) if self.is_late(due_at=due_at, now=now) else None


def parse(text: str) -> Quiet:
    """`21:00-08:00`; empty for never. Raises ValueError."""
    if not text.strip():
        return Quiet(start=time(0), end=time(0))
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError("quiet hours are written as 21:00-08:00")
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    return Quiet(start=time(start_hour, start_minute), end=time(end_hour, end_minute))
