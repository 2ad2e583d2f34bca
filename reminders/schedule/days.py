"""The calendar: lengths of months, nth weekdays, Easter and the days that move with it."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date

LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def month_length(year: int, month: int) -> int:
    return 29 if month == 2 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) else LENGTHS[month]


def plus_months(year: int, month: int, months: int) -> tuple[int, int]:
    """The year and month so many months on."""
    total = year * 12 + month - 1 + months
    return total // 12, total % 12 + 1


def ordinal(year: int, month: int, day: int) -> int | None:
    """The day's proleptic ordinal, or None where there is no such day."""
    try:
        return date(year, month, day).toordinal()
    except (ValueError, OverflowError):
        return None


def clamped(year: int, month: int, day: int) -> int:
    """As `ordinal`, with the month's last day for one that it does not have (a month after 31 January)."""
    return date(year, month, min(day, month_length(year, month))).toordinal()


def nth_weekday(year: int, month: int, nth: int, weekday: int) -> int | None:
    """The nth (from the end where negative) Monday (0) to Sunday (6) of a month; None where it has no fifth."""
    if not MINYEAR <= year <= MAXYEAR:
        return None
    length = month_length(year, month)
    first = date(year, month, 1).toordinal()
    if nth > 0:
        day = (weekday - (first - 1)) % 7 + 1 + (nth - 1) * 7
    else:
        last = (first + length - 2) % 7
        day = length - (last - weekday) % 7 + (nth + 1) * 7
    return first + day - 1 if 1 <= day <= length else None


def easter(year: int) -> int:
    """Western Easter Sunday (the anonymous Gregorian computus)."""
    century, golden = year // 100, year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - epact - year % 4) % 7
    leap = (golden + 11 * epact + 22 * week) // 451
    month, day = divmod(epact + week - 7 * leap + 114, 31)
    return date(year, month, day + 1).toordinal()


def holiday(rule: str, year: int) -> int | None:
    """The day of a rule of conventions.toml ("12-25", "easter-2", "11:4 3+1") in a year."""
    if not MINYEAR <= year <= MAXYEAR:
        return None
    if rule.startswith("easter"):
        return easter(year) + int(rule[6:])
    if ":" in rule:
        month, rest = rule.split(":")
        nth, rest = rest.split(" ")
        weekday, days = rest.split("+")
        found = nth_weekday(year, int(month), int(nth), int(weekday))
        return None if found is None else found + int(days)
    month, day = rule.split("-")
    return ordinal(year, int(month), int(day))
