"""Ranges: "3-5pm", "from 9:30 to 11:00", "july 13 - 15". A reminder is for the start; the end is read over."""

from __future__ import annotations

from reminders.schedule import clock as clocks
from reminders.schedule.phrase import INNERS_MAX, Phrase

# "0930-1045" is two times, "650-6500" is none.
FIGURES_OF_A_TIME = 4


def range_end(p: Phrase, i: int) -> int:
    """Read over the end of a range whose start has been read; `i` is at "to" or the dash. 0 where it is none."""
    if p.inner or p.span or i + 1 >= len(p.words) or not (p.hour >= 0 or (p.has_day() and not p.freq)):
        return 0
    if p.hour >= 0 and p.month and not p.days:
        return 0  # "5pm jul-0"
    if p.days and p.hour < 0 and (j := _day_after(p, i + 1)):
        return j
    if p.inners >= INNERS_MAX:
        return 0
    last, j = p.within(i + 1, at=i + 1 if p.hour >= 0 else -1)
    if j == i + 1 or last.freq or last.span or last.problem or (p.freq and (p.more_times or last.has_day())):
        return 0
    if last.hour >= 0 and p.hour < 0:
        return _time_after_all(p, last, i, j)
    if last.hour < 0 and not last.has_day():
        return 0
    if last.month and not (last.days or last.nths or p.month or p.freq):
        return 0  # "at 8 to march down there"
    if p.hour >= 0 > last.hour and last.days and not (last.month or p.has_day()):
        return 0  # "at 5 to second the motion"
    if p.hour >= 0 and last.hour >= 0:
        borrow_half(p, last)
    if not p.freq:
        _borrow_day(p, last)
    p.firm = True
    return j


def joined(p: Phrase, word: str, j: int) -> int:
    """ "13-15" after a month, "1-8" before one, "0930-1045": a range in one token, or 0."""
    first, _, second = word.partition("-")
    first, second = first.strip(), second.strip()
    if not (first.isdecimal() and second.isdecimal()):
        return 0
    small = len(first) <= 2 and len(second) <= 2 and 1 <= int(first) < int(second) <= 31
    if small and not p.days and (p.month or p.word(j) in p.lexicon.month) and not p.freq:
        p.days, p.firm = [int(first)], True
        return j
    if small_hours(p, first, second, j):
        return clocks.set_time(p, int(first), 0, 0, False, j)  # "tonight 8-10", "8-10 tomorrow"
    if p.between and len(first) <= 2 and len(second) <= 2 and p.hour < 0:
        return clocks.set_time(p, int(first), 0, 0, False, j)  # "between 9-6"
    if len(first) == len(second) == FIGURES_OF_A_TIME and p.hour < 0:
        if int(first[:2]) > 23 or int(first[2:]) > 59 or int(second[:2]) > 24 or int(second[2:]) > 59:
            return _day_and_year(p, int(first), int(second), j)
        if not (p.has_day() or p.at == j - 1):
            return 0
        return clocks.set_time(p, int(first[:2]), int(first[2:]), 0, True, j)
    if len(second) == FIGURES_OF_A_TIME and len(first) <= 2:
        return _day_and_year(p, int(first), int(second), j)
    return 0


def small_hours(p: Phrase, first: str, second: str, j: int) -> bool:
    """Whether "8-10" are hours: beside a day that is none in figures."""
    if not (len(first) <= 2 and len(second) <= 2 and 1 <= int(first) <= 24 and 1 <= int(second) <= 24) or p.hour >= 0:
        return False
    if p.month or p.days or p.fixed is not None or p.freq:
        return False
    lexicon, word = p.lexicon, p.word(j)
    named = p.offset is not None or p.part != "" or p.weekday >= 0 or p.weeks is not None
    return named or word in lexicon.part or word in lexicon.day or word in lexicon.weekday


def _day_and_year(p: Phrase, day: int, year: int, j: int) -> int:
    """ "aug-20-2026"."""
    if not (p.month and not p.days and not p.year and 1 <= day <= 31 and 1900 <= year <= 2199):
        return 0
    p.days, p.year, p.firm = [day], year, True
    return j


def _day_after(p: Phrase, k: int) -> int:
    """ "july 13 to 15", "13th to 15th july": the last day of a range that shares its month."""
    lexicon = p.lexicon
    k += p.word(k) in lexicon.the
    word = p.word(k)
    if word.isdecimal() and len(word) <= 2:
        day, j = int(word), k + 1
        j += p.word(j) in lexicon.suffix
    elif word in lexicon.ordinal:
        day, j = lexicon.ordinal[word], k + 1
    else:
        return 0
    first = (p.days or [0])[0]
    after = p.word(j)
    if not 1 <= day <= 31 or after in lexicon.half_day or after in lexicon.oclock or after in lexicon.pm_short:
        return 0
    if after in lexicon.month and not p.month:
        return j  # "12 to 16 september": the month is read next
    j_of = j + (after in lexicon.joint)
    if p.word(j_of) in lexicon.month and not p.month:
        return j
    if p.word(j_of) in lexicon.month:
        return j_of + 1  # "10 august - 12 september"
    return j if day > first and (p.month or p.word(k + 1) in lexicon.suffix or word in lexicon.ordinal) else 0


def _time_after_all(p: Phrase, last: Phrase, i: int, j: int) -> int:
    """ "6 jan 2027 - 6:37am": a day, a dash, and its time."""
    if p.words[i] != "-" or last.has_day():
        return 0
    p.hour, p.minute, p.second, p.half, p.exact = last.hour, last.minute, last.second, last.half, last.exact
    p.firm = True
    return j


def borrow_half(p: Phrase, last: Phrase) -> None:
    """ "3 to 5pm" is from 3pm; "11 to 1pm" from 11am."""
    if last.part and not (p.half or p.part or last.half):
        p.part = last.part  # "7 to 9 tonight"
    if p.half or p.part or p.hour > 12 or not last.half:
        return
    later = last.hour % 12 >= p.hour % 12
    p.half = last.half if later else ("am" if last.half == "pm" else "pm")


def _borrow_day(p: Phrase, last: Phrase) -> None:
    """What only the end names: "9 to 11 on thursday" has been read by then; "5 - 16.8.2026" gives month and year."""
    if p.days and not p.month and last.month:
        p.month, p.year = last.month, last.year or p.year
    elif p.days and p.month and last.year and not p.year:
        p.year = last.year - (last.month < p.month)
    elif p.hour >= 0 and not p.has_day() and last.has_day():
        borrow(p, last, DAY_OF)


def borrow(p: Phrase, other: Phrase, names: tuple[str, ...]) -> None:
    """Say of `p` what `other` says; a time that cannot be is none there either."""
    for name in names:
        setattr(p, name, getattr(other, name))
    if names is TIME_OF and other.problem == clocks.NO_TIME:
        p.problem = p.problem or clocks.NO_TIME


TIME_OF = ("hour", "minute", "second", "half", "exact", "part")
DAY_OF = ("offset", "fixed", "weekday", "week_mod", "weeks", "more_weeks", "days", "month", "year", "holiday")
