"""What may have been meant by what cannot be."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from reminders.schedule import days
from reminders.schedule.phrase import Phrase
from reminders.schedule.resolve import ORDINAL_MAX, PAST, clock_of, day_of, elapsed, moment, plus_span


def suggestion(p: Phrase) -> tuple[datetime | None, datetime | None]:
    """What may have been meant by what cannot be, and the moment that was said where there is such a one."""
    problem, p.problem = p.problem, ""
    if p.month > 12 or p.freq:
        p.problem = problem
        return None, None
    said: datetime | None = None
    if problem == PAST:
        said = _said(p)
        meant = None if said is None else _next_like(p, said)
    else:
        if p.hour > 24 or p.minute > 59:
            minutes = min(p.hour, 99) * 60 + min(p.minute, 99)
            p.hour, p.minute, p.exact = minutes // 60 % 24, minutes % 60, True
        p.second = min(p.second, 59)
        if p.offset is not None:
            p.weekday, p.days, p.month = -1, None, 0  # "tomorrow dec 25"
        if p.fixed is not None and p.weekday >= 0:
            p.weekday = -1
        if p.days and p.month and 1 <= p.month <= 12:
            year = p.year or p.now.year + ((p.month, p.days[0]) < (p.now.month, p.now.day))
            p.days = [min(p.days[0], days.month_length(year, p.month))]
            p.weekday = -1
        meant = moment(p) if p.fixed or p.days or p.hour >= 0 or p.offset is not None else None
    p.problem = problem
    return meant, said


def _said(p: Phrase) -> datetime | None:
    """The past moment that a phrase names."""
    spot = clock_of(p) if p.hour >= 0 or p.part else (p.convention.default_hour, 0, 0, 0)
    day = day_of(p, spot)
    base = p.now.toordinal() if day is None else day
    end = plus_span(p, base)
    if p.problem or not 1 <= end <= ORDINAL_MAX:
        return None
    at = time(spot[0] % 24, spot[1], spot[2])
    found = datetime.combine(
        date.fromordinal(end), at if day is not None or p.hour >= 0 else p.now.time(), p.now.tzinfo
    )
    return elapsed(found, p.sign * p.span_seconds) if p.span_seconds else found


def _next_like(p: Phrase, said: datetime) -> datetime | None:
    """The same time tomorrow, or the same day of the coming year."""
    today = p.now.date()
    if said.date() >= today - timedelta(days=1):
        ahead = datetime.combine(today, said.time(), said.tzinfo)
        return ahead if ahead > p.now else ahead + timedelta(days=1)
    for year in (today.year, today.year + 1):
        found = days.ordinal(year, said.month, said.day)
        if found is not None and found > today.toordinal():
            return datetime.combine(date.fromordinal(found), said.time(), said.tzinfo)
    return None
