"""When a message's reminder is due, or why it cannot be."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from reminders.grammar.request import Request
from reminders.schedule.phrase import Phrase
from reminders.schedule.repeat import OVER
from reminders.schedule.repeating import rule
from reminders.schedule.resolve import SEVERAL, UNSAID, point
from reminders.schedule.rules import first_of
from reminders.schedule.suggestions import suggestion

YEARS_AHEAD_MAX: Final = 10
# The note of a "tomorrow" that was said after midnight.
NIGHT: Final = "night"


def due(p: Phrase, subject: str, code: str) -> Request:
    """The reminder, or why it cannot be."""
    here = p.now.tzinfo
    if p.freq == "" and (p.days or p.nths) and _lists_days(p):
        if p.year or p.month_shift is not None:
            return _refusal(p, SEVERAL, subject, code)
        p.freq, p.count = "MONTHLY", len(p.days or p.nths or ())  # "on the 1st and the 15th": a rule that ends
    if p.freq:
        repeats = None if p.problem else rule(p)
        when = None if repeats is None else first_of(p, repeats)
        problem = p.problem or ("past" if when is None or p.note == OVER else "")
        if repeats is None or when is None or problem:
            return _refusal(p, problem or "no_such_date", subject, code)
        return Request(
            kind="remind", when=when, rrule=repeats, subject=subject, language=code, zone=p.zone or None,
            note=p.note or None,
        )  # fmt: skip
    found = point(p)
    if found is None:
        return _refusal(p, p.problem, subject, code)
    when = found if isinstance(found, datetime) else _default_time(p, found)
    if when.year > p.now.year + YEARS_AHEAD_MAX:
        return Request(kind="too_far", when=when, subject=subject, problem="too_far", language=code)
    return Request(
        kind="remind",
        when=when.astimezone(here),
        subject=subject,
        choices=_choices(p, when),
        language=code,
        seconds=p.in_seconds,
        zone=p.zone or None,
        note=p.note or (NIGHT if p.offset and _may_be_a_day_sooner(p, when) else None),
    )


def _lists_days(p: Phrase) -> bool:
    return len(set(p.days or ())) + len(set(p.nths or ())) > 1 and not (p.span or p.problem)


def _may_be_a_day_sooner(p: Phrase, when: datetime) -> bool:
    """Whether "tomorrow" was said so late at night that the day which has begun may be meant, with its time to come."""
    now, until = p.here or p.now, p.convention.night_until
    named = p.weekday >= 0 or p.days or p.month or p.span or p.more_weeks
    sooner = when - timedelta(days=1)
    return p.offset == 1 and not named and now.hour < until <= sooner.hour and sooner > p.now


def _refusal(p: Phrase, problem: str, subject: str, code: str) -> Request:
    if problem in (UNSAID, SEVERAL):
        return Request(kind="unclear", problem=problem, subject=subject, language=code)
    kind = problem if problem in ("past", "too_far") else "impossible"
    meant, said = suggestion(p)
    choices = (meant,) if meant is not None else ()
    return Request(kind=kind, when=said, subject=subject, choices=choices, problem=problem or "no_date", language=code)


def _default_time(p: Phrase, day: date) -> datetime:
    """A day without a time: the default hour; today, once that is over, in an hour."""
    when = datetime.combine(day, time(p.convention.default_hour), p.now.tzinfo)
    return when if when > p.now else p.now + timedelta(hours=1)


def _choices(p: Phrase, when: datetime) -> tuple[datetime, ...]:
    """Both readings where two stay likely, soonest first."""
    if p.other is not None:
        found = point(p.other)
        if found is None:
            return ()
        other = found if isinstance(found, datetime) else _default_time(p.other, found)
        if other == when:
            return ()
    elif not p.other_days and not p.other_hours:
        return ()
    else:
        other = when + timedelta(days=p.other_days, hours=p.other_hours)
    return (when, other) if when < other else (other, when)
