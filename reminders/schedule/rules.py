"""When a rule (RFC 5545's RRULE, as `read` writes it) happens, on the wall clock of a zone. Pure.

A wall time that the clocks skip happens as much later as they skip; of a time that they repeat, the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reminders.schedule import days
from reminders.schedule.phrase import Phrase
from reminders.schedule.repeating import NAMES
from reminders.schedule.resolve import moment

# How many days, weeks, months or years without an occurrence are looked at before a rule is held to be over.
STEPS_MAX: Final = 60
ELAPSING: Final = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600}


def following(*, rule: str, start: datetime, after: datetime, tz: str, made: int = 0) -> datetime | None:
    """The rule's first occurrence after `after`, counted from `start` (its first); None where it is over.

    `made`: how many occurrences there were, `start` among them, for a rule with a COUNT.
    """
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    if "COUNT" in parts and made >= int(parts["COUNT"]):
        return None
    zone = ZoneInfo(tz)
    found = _after(parts, start.astimezone(zone), after.astimezone(zone))
    until = parts.get("UNTIL")
    if found is None or (until and found > datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)):
        return None
    return found


def first_of(p: Phrase, rule: str) -> datetime | None:
    """The first occurrence of a rule that a phrase said: after now, and not before the day that it starts."""
    begin = p.now
    if p.start is not None:
        begin = max(moment(p.start) or p.now, p.now)
        if p.start.hour < 0:
            begin = max(begin.replace(hour=0, minute=0, second=0, microsecond=0), p.now)
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    if "BYHOUR" not in parts and parts["FREQ"] not in ELAPSING:
        rule += f";BYHOUR={p.convention.default_hour};BYMINUTE=0"
    named = "BYDAY" in parts or "BYMONTHDAY" in parts or (parts["FREQ"] == "DAILY" and "BYHOUR" in parts)
    if "INTERVAL" in parts and named:
        # "every other friday" begins with the friday to come: the first one is what the others are counted from.
        rule = rule.replace(f"INTERVAL={parts['INTERVAL']};", "")
    just_before = begin - timedelta(seconds=1) if p.start is not None else begin
    return following(rule=rule, start=begin, after=just_before, tz=str(p.now.tzinfo))


def _after(parts: dict[str, str], start: datetime, after: datetime) -> datetime | None:
    freq, interval = parts["FREQ"], int(parts.get("INTERVAL", 1))
    if freq in ELAPSING:
        return _elapsing(ELAPSING[freq] * interval, start, after)
    clock = _clock(parts, start)
    steps = 0
    for day in _days(parts, freq, interval, start, after):
        steps += 1
        if steps > STEPS_MAX or day is None:
            if steps > STEPS_MAX:
                return None
            continue
        for at in clock:
            found = _wall(date.fromordinal(day), at, start)
            if found > after and found >= start.replace(microsecond=0):
                return found
    return None


def _elapsing(seconds: int, start: datetime, after: datetime) -> datetime:
    """Hours and minutes pass: the clocks' changes do not matter."""
    begin = start.astimezone(UTC)
    gone = (after.astimezone(UTC) - begin).total_seconds()
    count = max(int(gone // seconds) + 1, 0)
    return (begin + timedelta(seconds=count * seconds)).astimezone(start.tzinfo)


def _clock(parts: dict[str, str], start: datetime) -> list[time]:
    hours = [int(hour) for hour in parts["BYHOUR"].split(",")] if "BYHOUR" in parts else [start.hour]
    minutes = [int(minute) for minute in parts["BYMINUTE"].split(",")] if "BYMINUTE" in parts else [start.minute]
    return sorted(time(hour, minute) for hour in hours for minute in minutes)


def _wall(day: date, at: time, like: datetime) -> datetime:
    found = datetime.combine(day, at, like.tzinfo)
    before, later = found.utcoffset(), found.replace(fold=1).utcoffset()
    if before is not None and later is not None and before < later:
        return found.astimezone(UTC).astimezone(like.tzinfo)
    return found


def _days(parts: dict[str, str], freq: str, interval: int, start: datetime, after: datetime) -> Iterator[int | None]:
    """The days of the rule from about `after` on, in order; None for a step without one."""
    at = max(start, after).toordinal()
    weekdays = [NAMES.index(day[-2:]) for day in parts.get("BYDAY", "").split(",") if day]
    if freq == "DAILY":
        begin = start.toordinal()
        day = begin + (at - begin) // interval * interval
        while True:
            yield day if not weekdays or (day - 1) % 7 in weekdays else None
            day += interval
    if freq == "WEEKLY":
        monday = start.toordinal() - (start.toordinal() - 1) % 7
        week = monday + (at - monday) // (7 * interval) * 7 * interval
        while True:
            for weekday in sorted(weekdays or [(start.toordinal() - 1) % 7]):
                yield week + weekday
            week += 7 * interval
    yield from _months(parts, freq, interval, start, date.fromordinal(at))


def _months(parts: dict[str, str], freq: str, interval: int, start: datetime, at: date) -> Iterator[int | None]:
    months = sorted(int(month) for month in parts["BYMONTH"].split(",")) if "BYMONTH" in parts else []
    size = interval * (12 if freq == "YEARLY" else 1)
    if freq == "YEARLY":
        months = months or [start.month]
    steps = (
        (at.year * 12 + at.month) - (start.year * 12 + start.month)
        if freq == "MONTHLY"
        else (at.year - start.year) * 12
    )
    year, month = days.plus_months(start.year, start.month if freq == "MONTHLY" else 1, max(steps // size, 0) * size)
    while year < 9990:
        if freq == "YEARLY":
            for named in months:
                yield from _of_month(parts, year, named, start)
        elif not months or month in months:
            yield from _of_month(parts, year, month, start)
        else:
            yield None
        year, month = days.plus_months(year, month, size)


def _of_month(parts: dict[str, str], year: int, month: int, start: datetime) -> Iterator[int | None]:
    found: list[int | None] = []
    length = days.month_length(year, month)
    weekday_parts = [day for day in parts.get("BYDAY", "").split(",") if day]
    for day in weekday_parts:
        nth = day[:-2]
        weekday = NAMES.index(day[-2:])
        wanted = [int(nth)] if nth else list(range(1, 6))
        found += [days.nth_weekday(year, month, n, weekday) for n in wanted]
    if "BYMONTHDAY" in parts or not weekday_parts:
        month_days = [int(day) for day in parts["BYMONTHDAY"].split(",")] if "BYMONTHDAY" in parts else [start.day]
        of_month = [days.ordinal(year, month, day if day > 0 else length + 1 + day) for day in month_days]
        found = [day for day in found if day in of_month] if weekday_parts else [*of_month]
    there = sorted(day for day in found if day is not None)
    yield from there or (None,)
