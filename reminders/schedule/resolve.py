"""What a phrase that was read means: the day or the moment. What repeats is in `repeating`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from reminders.schedule import days
from reminders.schedule.clock import NO_TIME
from reminders.schedule.phrase import Phrase

NO_DATE: Final = "no_such_date"
UNSAID: Final = "no_date"  # how often was said, or in which month, and not when
SEVERAL: Final = "several"  # more times than one rule can say
PAST: Final = "past"
SOON_SECONDS: Final = 3600  # a part of this day whose own hour is over is so far away
TOO_FAR: Final = "too_far"
MISMATCH: Final = "other_weekday"
YEARS_SEARCHED: Final = 9
# A date so near that is another weekday than was said is a slip.
NEAR_DAYS: Final = 32
SEVENTEEN_DAYS: Final = timedelta(days=17)
NOON: Final = time(12)
# Once looked up, for what is asked of every phrase.
day_at: Final = date.fromordinal
combined: Final = datetime.combine
length: Final = lru_cache(maxsize=1024)(timedelta)
STEADY_MAX: Final = 4_096
STEADY: Final[dict[tuple[tzinfo | None, int], bool]] = {}
ORDINAL_MAX: Final = date.max.toordinal() - 366


def point(p: Phrase) -> datetime | date | None:
    """The moment or the day, never one that is past."""
    if p.problem != "":
        return None
    if p.hour < 0 and not p.part:
        day = day_of(p, None)
        return None if p.problem != "" else untimed(p, day)
    spot = clock_of(p)
    day = day_of(p, spot)
    if p.problem != "":
        return None
    if day is None:
        day = p.now.toordinal() if p.span_days or p.span_months else _next(p, spot)
    return _moment(p, day, spot)


def moment(p: Phrase, *, last_second: bool = False) -> datetime | None:
    """As `point`, but a day alone is its default hour, or its last second."""
    found = point(p)
    if found is None or isinstance(found, datetime):
        return found
    at = time(23, 59, 59) if last_second else time(p.convention.default_hour)
    return datetime.combine(found, at, p.now.tzinfo)


def elapsed_from(p: Phrase, start: datetime) -> datetime:
    """A length of time from another moment than now: days on the calendar, hours as they pass."""
    day = plus_span(p, start.toordinal())
    found = aware(p, datetime.combine(date.fromordinal(day), start.time(), start.tzinfo))
    return elapsed(found, p.sign * p.span_seconds) if p.span_seconds else found


def in_half(p: Phrase, hour: int, half: str) -> int:
    """The hour of 24 that am, pm or the part of the day make of it."""
    if half:
        if hour > 12:
            return hour
        return hour % 12 + (12 if half == "pm" else 0)
    return in_part(hour, p.part)


def in_part(hour: int, part: str) -> int:
    """The hour of 24 that a part of the day makes of one on the clock's face."""
    if part in ("", "morning") or hour > 12:
        return hour
    if part == "night":
        return 24 if hour == 12 else hour + 12 if hour >= 5 else hour
    return hour if hour == 12 else hour + 12


def clock_of(p: Phrase) -> tuple[int, int, int, int]:
    """Hour, minute, second, and 1 where the hour may as well be twelve later."""
    if p.hour < 0:
        return p.convention.parts[p.part], 0, 0, 0
    half, hour = p.half, p.hour
    if half != "" and hour <= 12:
        if hour == 0 and half == "pm":
            p.problem = NO_TIME
        return hour % 12 + (12 if half == "pm" else 0), p.minute, p.second, 0
    if p.part != "":
        hour = in_half(p, hour, half)
    if half != "" or p.part != "" or p.exact or hour > 12 or hour == 0:
        return hour, p.minute, p.second, 0
    dated = p.freq or p.has_day() or p.span_days or p.span_months
    if dated:
        named = hour + p.counted_back
        return hour + (12 if named <= p.convention.afternoon_until else 0), p.minute, p.second, 0
    return hour, p.minute, p.second, 1


def _next(p: Phrase, spot: tuple[int, int, int, int]) -> int:
    """The day of the next time that a clock shows `spot`."""
    today = p.now.toordinal()
    hour, minute, second, either = spot
    ahead = (hour, minute, second) > (p.now.hour, p.now.minute, p.now.second)
    if not either:
        return today if ahead or hour == 24 else today + 1
    return today


def _moment(p: Phrase, day: int, spot: tuple[int, int, int, int]) -> datetime | None:
    hour, minute, second, either = spot
    if either:
        day, hour = _either(p, day, hour, minute)
    elif p.part == "night" and p.hour >= 0 and hour < 6 and p.has_day():
        day += 1  # "tonight at 1" is after midnight
    elif p.part == "morning" and hour < 6 and day == p.now.toordinal() and hour < p.now.hour:
        day += 1  # "this morning at 3", said after 3, is the coming one
    if hour == 24:
        day, hour = day + 1, 0
    if p.span:
        day = plus_span(p, day)
    if day > ORDINAL_MAX or day < 1:
        p.problem = TOO_FAR
        return None
    zone = p.now.tzinfo
    found = combined(day_at(day), time(hour, minute, second), zone)
    if not (STEADY.get((zone, day >> 4)) or is_steady(zone, day)):
        found = aware(p, found)
    if p.span_seconds:
        found = elapsed(found, p.sign * p.span_seconds)
    if found >= p.now:
        return found
    if p.offset == 0 and 0 < p.hour <= 12 and not (p.half or p.part or p.exact or p.by_name or p.span or p.second):
        later = combined(day_at(day), time(hour % 12 + 12, minute), zone)
        if later >= p.now and p.hour < 12:
            return later  # "today at 9", said after 9 in the morning
    if p.hour < 0 and p.offset == 0 and not p.span and p.now.hour < p.convention.part_ends.get(p.part, 0):
        return elapsed(p.now, SOON_SECONDS)  # "tonight", said at nine
    p.problem = PAST
    return None


def _either(p: Phrase, day: int, hour: int, minute: int) -> tuple[int, int]:
    """An hour without am or pm, without a day: the next one on a clock face that is not in the night."""
    now = (p.now.hour, p.now.minute)
    for later in (0, 1):
        for h in (hour % 12, hour % 12 + 12):
            if later or (h, minute) > now:
                if h >= p.convention.wake_hour:
                    return day + later, h
                p.other_hours = -12
    return day + 1, hour


def is_steady(zone: tzinfo | None, day: int) -> bool:
    """Whether the clocks do not change in the sixteen days that a day is in, which no zone changes twice in."""
    known = STEADY.get((zone, day >> 4))
    if known is None:
        if len(STEADY) > STEADY_MAX:
            STEADY.clear()
        start = datetime.combine(date.fromordinal(max((day >> 4 << 4) - 1, 1)), NOON, zone)
        known = start.utcoffset() == (start + SEVENTEEN_DAYS).utcoffset()
        STEADY[zone, day >> 4] = known
    return known


def aware(p: Phrase, found: datetime) -> datetime:
    """The moment of a wall time: a gap is skipped forward, of two the first is taken; `p.note` says so."""
    before, after = found.utcoffset(), found.replace(fold=1).utcoffset()
    if before == after or before is None or after is None:
        return found
    if before < after:
        p.note = "gap"
        return found.astimezone(UTC).astimezone(found.tzinfo)
    p.note = "fold"
    return found


def _ahead(p: Phrase, found: datetime) -> datetime | None:
    if found < p.now:
        p.problem = PAST
        return None
    return found


def elapsed(start: datetime, seconds: float) -> datetime:
    """Seconds that pass, whatever the wall clock does meanwhile."""
    found = start + length(0, seconds)
    day = found.toordinal()
    if day >> 4 == start.toordinal() >> 4 and is_steady(found.tzinfo, day):
        return found
    offset = found.utcoffset()
    if offset == start.utcoffset() and offset == found.replace(fold=1).utcoffset():
        return found
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(start.tzinfo)


def plus_span(p: Phrase, day: int) -> int:
    if p.span_months:
        found = date.fromordinal(day)
        year, month = days.plus_months(found.year, found.month, p.sign * p.span_months)
        if not 1 <= year <= 9998:
            return 0
        day = days.clamped(year, month, found.day)
    if p.beside >= 0:
        day += p.sign * ((p.sign * (p.beside - day + 1)) % 7 or 7)
    return day + p.sign * p.span_days


def untimed(p: Phrase, day: int | None) -> datetime | date | None:
    """A day without a time, or a length of time from now or from a day."""
    today = p.now.toordinal()
    if not p.span and p.working == 0:
        if day is not None and today <= day <= ORDINAL_MAX:
            return day_at(day)
        p.problem = "" if day is None else PAST if day < today else TOO_FAR
        return None
    base = today if day is None else day
    if p.working:
        base = _working(base, p.working)
    end = plus_span(p, base)
    if not 1 <= end <= ORDINAL_MAX:
        p.problem = TOO_FAR
        return None
    if end == today and p.span_seconds:
        return _ahead(p, elapsed(p.now, p.sign * p.span_seconds))
    if day is None and not p.working:
        found = combined(day_at(end), p.now.time(), p.now.tzinfo)
        if not is_steady(p.now.tzinfo, end):
            found = aware(p, found)
        if p.span_seconds:
            found = elapsed(found, p.sign * p.span_seconds)
        return _ahead(p, found)
    if p.span_seconds:
        at = time(p.convention.default_hour)
        found = datetime.combine(date.fromordinal(end), at, p.now.tzinfo)
        return _ahead(p, elapsed(found, p.sign * p.span_seconds))
    if end < today:
        p.problem = PAST
        return None
    return day_at(end)


def _working(day: int, count: int) -> int:
    """So many working days on."""
    day -= max((day - 1) % 7 - 4, 0)  # from a weekend: as from the friday before
    weeks, count = divmod(count, 5)
    day += 7 * weeks
    while count > 0:
        day += 1
        count -= (day - 1) % 7 < 5
    return day


def day_of(p: Phrase, spot: tuple[int, int, int, int] | None) -> int | None:
    """The day that was named, as an ordinal; None where none was."""
    if p.fixed is not None:
        if p.weekday >= 0 and (p.fixed - 1) % 7 != p.weekday:
            p.problem = MISMATCH
        return p.fixed
    if p.offset is not None:
        found = (p.here or p.now).toordinal() + p.offset + 7 * p.more_weeks
        if p.weekday >= 0 or p.days or p.month:
            _agree(p, found)
        return found
    if p.nths is not None:
        return _nth(p)
    if p.edge:
        return _edge(p)
    if p.days is not None:
        return _month_day(p, spot)
    if p.weekday >= 0:
        return _weekday(p, spot)
    if p.holiday:
        return _holiday(p)
    if p.weeks is not None:
        return p.now.toordinal() + 7 * p.weeks
    if p.month or p.month_shift is not None:
        return _month(p)
    return None


def _agree(p: Phrase, found: int) -> None:
    """ "tomorrow dec 25": two days that are not the same are none."""
    day = date.fromordinal(found) if 1 <= found <= ORDINAL_MAX else date.max
    another = bool(p.days) and (p.days or [0])[0] not in (-1, day.day)
    if another or (p.weekday >= 0 and (found - 1) % 7 != p.weekday) or p.month not in (0, day.month):
        p.problem = MISMATCH


def _weekday(p: Phrase, spot: tuple[int, int, int, int] | None) -> int:
    today = (p.here or p.now).toordinal()
    at = (today - 1) % 7
    if p.weeks is not None:
        return today - at + 7 * p.weeks + p.weekday
    ahead = (p.weekday - at) % 7
    if ahead == 0 and spot is not None and not p.week_mod and spot[:2] > (p.now.hour, p.now.minute):
        p.other_days = 7
    if ahead == 0 and (spot is None or p.week_mod == "next" or p.more_weeks or spot[:2] <= (p.now.hour, p.now.minute)):
        ahead = 7
    elif p.week_mod == "next" and p.convention.next_weekday == "following" and p.weekday > at:
        p.other_days = -7
        ahead += 7
    return today + ahead + 7 * p.more_weeks


def _month_day(p: Phrase, spot: tuple[int, int, int, int] | None) -> int | None:
    """The 5th; 25 dec; tuesday the 8th: the next that fits."""
    day = p.days[0] if p.days else 0
    now, today = p.now, p.now.toordinal()
    if p.of_working:
        return _working_day(p, day)
    if day > 31 or day == 0:
        p.problem = NO_DATE
        return None
    if p.year:
        found = _of_month(p.year, p.month or now.month, day)
        if found is None:
            p.problem = NO_DATE
        elif p.weekday >= 0 and (found - 1) % 7 != p.weekday:
            p.problem = MISMATCH
        return found
    if p.month_shift is not None:
        year, month = days.plus_months(now.year, now.month, p.month_shift)
        return _of_month(year, month, day)
    year, month, step = (now.year, p.month, 12) if p.month else (now.year, now.month, 1)
    if day > 0 and p.weekday < 0 and (soon := days.ordinal(year, month, day)) is not None and soon != today:
        if soon > today:
            return soon
        year, month = days.plus_months(year, month, step)
    for _ in range(YEARS_SEARCHED * 12 // step):
        found = _of_month(year, month, day)
        if p.weekday >= 0 and p.month and found and 0 < found - today < NEAR_DAYS and (found - 1) % 7 != p.weekday:
            p.problem = MISMATCH  # "tuesday march 6", a few weeks before a monday: a slip, and no day of next year
            return found
        if found is not None and _fits(p, found, today, spot):
            if p.weekday >= 0 and p.month and year > now.year + 1:
                break  # "tuesday may 13" that is none this year nor the next: a slip
            return found
        year, month = days.plus_months(year, month, step)
    p.problem = NO_DATE
    return None


def _working_day(p: Phrase, nth: int) -> int | None:
    """The first or the last working day of a month, of the next month that still has it."""
    year, month = p.year or p.now.year, p.month or p.now.month
    if p.month_shift is not None:
        year, month = days.plus_months(p.now.year, p.now.month, p.month_shift)
    for _ in range(13):
        length = days.month_length(year, month)
        first = days.ordinal(year, month, 1) or 0
        working = [day for day in range(first, first + length) if (day - 1) % 7 < 5]
        if abs(nth) <= len(working) and nth and working[nth - (nth > 0)] >= p.now.toordinal():
            return working[nth - (nth > 0)]
        year, month = days.plus_months(year, month, 1)
    p.problem = NO_DATE
    return None


def _fits(p: Phrase, found: int, today: int, spot: tuple[int, int, int, int] | None) -> bool:
    if found < today or (p.weekday >= 0 and (found - 1) % 7 != p.weekday):
        return False
    if found > today or p.month:
        return True
    return spot is not None and spot[:2] > (p.now.hour, p.now.minute)


def _of_month(year: int, month: int, day: int) -> int | None:
    return days.ordinal(year, month, day if day > 0 else days.month_length(year, month) + 1 + day)


def _nth(p: Phrase) -> int | None:
    """The third thursday of september."""
    (nth,) = (p.nths or [1])[:1]
    today, now = p.now.toordinal(), p.now
    if nth == -1 and not (p.of_month or p.month or p.year or p.month_shift is not None):
        p.problem = PAST  # "last monday"
        return None
    if p.year or p.month_shift is not None:
        year, month = p.year or now.year, p.month or (1 if nth > 0 else 12)
        if p.month_shift is not None:
            year, month = days.plus_months(now.year, now.month, p.month_shift)
        found = days.nth_weekday(year, month, nth, p.nth_weekday)
        if found is None:
            p.problem = NO_DATE
        return found
    year, month = now.year, p.month or now.month
    for _ in range(YEARS_SEARCHED * 12):
        found = days.nth_weekday(year, month, nth, p.nth_weekday)
        if found is not None and found >= today:
            return found
        year, month = days.plus_months(year, month, 12 if p.month else 1)
    p.problem = NO_DATE
    return None


def _edge(p: Phrase) -> int | None:
    """The start or the end of a month, or of the week."""
    now = p.now
    if p.weeks is not None:
        monday = now.toordinal() - (now.toordinal() - 1) % 7 + 7 * p.weeks
        if p.edge < 0 == p.weeks and monday + 4 < now.toordinal():
            monday += 7  # on a weekend the end of the week is the coming friday
        return monday if p.edge > 0 else monday + 4
    year, month = now.year, p.month or now.month
    if p.month_shift is not None:
        year, month = days.plus_months(now.year, now.month, p.month_shift)
        if p.month_shift == 0 and p.edge == 1 and now.day > 1:
            year, month = days.plus_months(year, month, 1)  # "the start of the month" is the coming one
    elif p.year:
        year, month = p.year, p.month or (1 if p.edge > 0 else 12)
    elif not p.month:
        p.problem = NO_DATE
        return None
    elif p.month < now.month or (p.month == now.month and 0 < p.edge < now.day):
        year += 1
    return _of_month(year, month, p.edge)


def _month(p: Phrase) -> int | None:
    now = p.now
    if p.month_shift == 0 and now.day > 1:
        p.problem = UNSAID  # "this month": when?
        return None
    if p.month_shift is not None:
        year, month = days.plus_months(now.year, now.month, p.month_shift)
    else:
        year, month = p.year or now.year + (p.month <= now.month), p.month
    return days.ordinal(year, month, 1)


def _holiday(p: Phrase) -> int | None:
    rule_of = p.convention.holidays[p.holiday]
    today = p.now.toordinal()
    for year in (p.year,) if p.year else range(p.now.year, p.now.year + YEARS_SEARCHED):
        found = days.holiday(rule_of, year)
        if found is not None and (found >= today or p.year):
            return found + 7 * p.more_weeks
    p.problem = NO_DATE
    return None
