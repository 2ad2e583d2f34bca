"""The rule (RFC 5545's RRULE) of what a phrase says repeats."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from reminders.schedule import days
from reminders.schedule.clock import EXACT, HOURS_MAX, MINUTES_MAX, NO_TIME
from reminders.schedule.phrase import Phrase
from reminders.schedule.resolve import NO_DATE, SEVERAL, UNSAID, clock_of, in_half, point, untimed

INTERVAL_MAX: Final = 1_000
NAMES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def resolve(p: Phrase) -> datetime | date | str | None:
    """The rule of what repeats, else the aware moment, else the day; None where it cannot be (`p.problem` says)."""
    if p.freq:
        return None if p.problem else rule(p)
    return point(p)


def rule(p: Phrase) -> str | None:
    """The RRULE (RFC 5545) of what repeats."""
    freq, parts = p.freq, []
    spot = clock_of(p) if p.hour >= 0 or p.part else None
    weekdays = [d for d in dict.fromkeys(p.weekdays) if not p.but or d not in p.but] if p.weekdays else []
    if p.of_working:
        p.problem = NO_TIME  # the last working day of each month: not what a rule here can say
        return None
    if p.but and not p.weekdays and freq == "DAILY":
        freq, weekdays = "WEEKLY", [d for d in range(7) if d not in p.but]
    clocks = [(p.hour, p.minute), *((hour, minute) for hour, minute, _ in p.more_times or ())]
    if not 1 <= p.interval <= INTERVAL_MAX or any(hour > HOURS_MAX or minute > MINUTES_MAX for hour, minute in clocks):
        p.problem = NO_TIME  # "every monday until june8865"
    if p.problem or (p.but and not weekdays):
        return None
    month_days = list(dict.fromkeys(p.days)) if p.days else []
    if p.edge and p.edge not in month_days:
        month_days.append(p.edge)
    if p.holiday and not _holiday_rule(p, month_days):
        return None
    months = list(dict.fromkeys(p.months)) if p.months else [p.month] if p.month else []
    if p.edge and freq == "YEARLY" and not months:
        months = [1 if p.edge > 0 else 12]
    if months and freq in ("MONTHLY", "DAILY", "WEEKLY") and (month_days or p.nths):
        freq = "YEARLY"
    added = month_days and (freq == "DAILY" or weekdays) and _is_added(p)
    if added or (p.paired and len(month_days) > 1):
        p.problem = SEVERAL  # "every monday and on the 1st", "every 14 jan and 15 jun": more than one rule
        return None
    if (p.nths is not None or month_days) and freq == "WEEKLY":
        freq = "MONTHLY"
    if spot is not None and freq in ("HOURLY", "MINUTELY", "SECONDLY"):
        p.problem = NO_TIME  # "every hour from 9 to 5": not what a rule here can say
        return None
    if month_days and any(not _exists(day, months) for day in month_days):
        p.problem = NO_DATE
        return None
    parts.append(f"FREQ={freq}")
    if p.interval != 1:
        parts.append(f"INTERVAL={p.interval}")
    if months:
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if month_days:
        parts.append("BYMONTHDAY=" + ",".join(map(str, month_days)))
    if p.nths is not None and p.nth_weekday >= 0:
        parts.append("BYDAY=" + ",".join(f"{n}{NAMES[p.nth_weekday]}" for n in dict.fromkeys(p.nths)))
    elif weekdays:
        parts.append("BYDAY=" + ",".join([NAMES[d] for d in weekdays]))
    if p.hours:
        parts += ["BYHOUR=" + ",".join(map(str, p.hours)), f"BYMINUTE={p.minute}"]
    elif spot is not None:
        times = _times(p, spot)
        if not times:
            p.problem = SEVERAL  # "at 8:15 and 9:45", "monday at 9 and thursday at 5": more than one rule
            return None
        parts += times
    if p.per and p.per != _named(p, weekdays, month_days):
        p.problem = UNSAID  # "twice a day": when?
        return None
    return ";".join([*parts, *_bounds(p)])


def _is_added(p: Phrase) -> bool:
    """Whether a day of the month stands behind an "and"."""
    lexicon, words = p.lexicon, p.words
    for i in range(1, p.end - 1):
        if words[i] in lexicon.both:
            j = i + 1 + (words[i + 1] in lexicon.on)
            j += p.word(j) in lexicon.the
            if p.word(j)[:1].isdecimal() or p.word(j) in lexicon.ordinal:
                return True
    return False


def _named(p: Phrase, weekdays: list[int], month_days: list[int]) -> int:
    """How many times are named in the period that "twice a day" is of."""
    apart = len(weekdays) if p.freq == "WEEKLY" else len(month_days) + len(p.nths or ())
    times = len(p.more_times or ()) + (p.hour >= 0)
    return times if p.freq == "DAILY" else apart * max(times, 1)


def _exists(day: int, months: list[int]) -> bool:
    """Whether one of the months (any, where none is named) ever has the day."""
    return 0 < abs(day) <= max((days.month_length(2024, m) for m in months if 1 <= m <= 12), default=31)


def _times(p: Phrase, spot: tuple[int, int, int, int]) -> list[str]:
    """The times of the day; none where a rule would ring at more than those that were named."""
    at = [(spot[0] % 24, spot[1])]
    for hour, minute, named in p.more_times or ():
        again = p.per and (hour, minute, named) == (p.hour, p.minute, p.half)  # "twice a day at 9 and 9"
        said = named if not again else "am" if p.half == "pm" else "pm"
        half = said or ("" if hour > 12 else p.half)
        bare = not half and not p.part and not p.exact and 0 < hour <= p.convention.afternoon_until
        at.append(((hour + 12 if bare else hour if half == EXACT else in_half(p, hour, half)) % 24, minute))
    hours, minutes = dict.fromkeys(hour for hour, _ in at), sorted({minute for _, minute in at})
    if len(hours) * len(minutes) != len(set(at)) or (p.timed_apart and len(set(at)) > 1):
        return []
    return ["BYHOUR=" + ",".join(map(str, hours)), "BYMINUTE=" + ",".join(map(str, minutes))]


def _bounds(p: Phrase) -> list[str]:
    if p.count:
        return [f"COUNT={p.count}"]
    if p.span and p.until is None:
        found = untimed(p, None)
        p.until = found if isinstance(found, datetime) else None
    return [f"UNTIL={p.until.astimezone(UTC):%Y%m%dT%H%M%SZ}"] if p.until else []


def _holiday_rule(p: Phrase, month_days: list[int]) -> bool:
    found = p.convention.holidays.get(p.holiday, "")
    if ":" in found:
        month, rest = found.split(":")
        nth, rest = rest.split(" ")
        weekday, plus = rest.split("+")
        p.month, p.nths, p.nth_weekday = int(month), [int(nth)], int(weekday)
        return plus == "0"
    if "-" not in found or found.startswith("easter"):
        return False
    p.month = int(found.split("-")[0])
    month_days.append(int(found.split("-")[1]))
    return True
