"""Dates in figures: 12/25, 25.12.2026, 2026-12-25, 20261225; and years."""

from __future__ import annotations

from typing import Final

from reminders.schedule.clock import clock, figures
from reminders.schedule.dates import NO_DATE
from reminders.schedule.days import ordinal
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase

YEARS_SPOKEN_MAX: Final = 10


def figure_date(p: Phrase, word: str, j: int) -> int:
    """ "12/25", "25.12.2026", "2026-12-25": a date in figures, in the order of the person's country."""
    mark = "/" if "/" in word else "-" if "-" in word else "."
    parts = word.replace(" ", "").split(mark)
    if not 2 <= len(parts) <= 3 or not "".join(parts).isdecimal() or "" in parts or len(max(parts, key=len)) > 4:
        return 0
    if p.month and p.days is None and len(parts) == 2 and mark == "/" and len(parts[1]) == 4:
        p.days, p.year, p.firm = [int(parts[0])], int(parts[1]), True
        return j  # "feb/9/2026"
    if p.days is not None or p.fixed is not None or p.month or p.offset is not None:
        return 0
    if len(parts[0]) == 4:
        return _full(p, *parts, j=j) if len(parts) == 3 else 0
    first, second = int(parts[0]), int(parts[1])
    if len(parts[0]) > 2 or len(parts[1]) > 2:
        return 0
    month, day = _by_country(p, first, second)
    p.firm = p.firm or len(parts) == 3 or mark == "/"
    if len(parts) == 3:
        year = int(parts[2]) + (p.convention.century if len(parts[2]) <= 2 else 0)
        return _full(p, str(year), str(month), str(day), j=j)
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        if mark == "-" and p.into < 0:
            return 0  # "pages 30-45"
        p.problem = p.problem or NO_DATE
    p.month, p.days = month, [day]
    return j


def spaced(p: Phrase, i: int) -> int:
    """ "10 31 2026", "2026 10 31"."""
    words = p.words
    if len(words[i]) == 4 and i + 2 < len(words) and words[i].isdecimal() and not p.has_day():
        dated = all(word.isdecimal() and len(word) == 2 for word in words[i + 1 : i + 3])
        return figure_date(p, "-".join(words[i : i + 3]), i + 3) if dated and "1900" <= words[i] <= "2199" else 0
    three = i + 2 < len(words) and len(words[i + 2]) == 4 and words[i + 2].isdecimal() and not p.has_day()
    if not three or not (words[i].isdecimal() and words[i + 1].isdecimal() and 1900 <= int(words[i + 2]) <= 2199):
        return 0
    return figure_date(p, "/".join(words[i : i + 3]), i + 3)


def year(p: Phrase, value: int, j: int) -> int:
    """A year, where the phrase still lacks one."""
    if p.year or p.fixed is not None or not (p.month or p.holiday or p.nths or p.days or p.edge):
        return 0
    p.year = value
    return j


def year_in_two(p: Phrase, j: int) -> int:
    """The rest of "twenty twenty seven", after a day."""
    value, k = number(p.lexicon, p.words, j)
    if not k or p.words[j].isdecimal() or not 0 <= p.convention.century + value - p.now.year <= YEARS_SPOKEN_MAX:
        return 0
    return year(p, p.convention.century + int(value), k)


def compact(p: Phrase, word: str, j: int) -> int:
    """ "20261225"."""
    if p.has_day() or not "1900" <= word[:4] <= "2199":
        return 0
    p.compact = True
    return _full(p, word[:4], word[4:6], word[6:], j=j)


def both_in_one(p: Phrase, word: str, j: int) -> int:
    """ "05/31/2024.14:15": a date and a time that lost the space between them."""
    head, _, tail = word.replace(" ", "").replace(".", " ").partition(" ")
    if ":" in head or ":" not in tail or not figure_date(p, head, j):
        return 0
    return figures(p, j - 1, tail.replace(" ", ":"))


def _full(p: Phrase, year: str, month: str, day: str, *, j: int) -> int:
    p.fixed = ordinal(int(year), int(month), int(day))
    p.firm = True
    if p.fixed is None:
        p.problem = p.problem or NO_DATE
        p.year, p.month, p.days = int(year), int(month), [int(day)]
    # 2026-12-25T10:00
    if p.word(j) == "t" and (":" in p.word(j + 1) or len(p.word(j + 1)) in (4, 6)):
        word = p.words[j + 1]
        spread = word[:2] + ":" + word[2:4] + (":" + word[4:] if word[4:] else "")
        return (clock(p, j + 1) if ":" in word or not word.isdecimal() else figures(p, j + 1, spread)) or j
    return j


def _by_country(p: Phrase, first: int, second: int) -> tuple[int, int]:
    """(month, day); the other way round where only that can be."""
    month, day = (second, first) if p.dayfirst else (first, second)
    return (day, month) if month > 12 >= day else (month, day)
