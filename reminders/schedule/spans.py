"""Lengths of time: in 20 minutes, an hour and a half, 1h30, 3 days from tomorrow, two weeks before Christmas."""

from __future__ import annotations

from typing import Final

from reminders.schedule.clock import NO_TIME, after_hour, repeats_later
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase
from reminders.schedule.ranges import range_end

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
DAYS: Final = {"day": 1, "week": 7, "fortnight": 14}
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
# A length of time beyond this is nothing that anyone means, and no calendar holds it.
COUNT_MAX: Final = 100_000
SECONDS_MAX: Final = 10_000_000
# "1h30" alone is a length of time, "13h30" a time of the day.
HOURS_SPOKEN_MAX: Final = 6
HOURS_OF_A_DAY: Final = 24


def span(p: Phrase, value: float, j: int) -> int:
    """A number was said and words[j] is a unit: the index after the length of time, or 0."""
    lexicon, words = p.lexicon, p.words
    unit = lexicon.unit[words[j]]
    if words[j] in lexicon.hour_mark and _is_clock(p, value, j):
        return after_hour(p, value, j, exact=False)
    if p.hour >= 0 and p.into < 0 and not p.span and not p.freq and p.has_day() and not p.anchored:
        after = p.word(j + 1)
        if after and not (after in lexicon.hence or after in lexicon.of_from or after in lexicon.before):
            return 0  # "tomorrow at 9am: 60 minutes show"
    if value > HOURS_OF_A_DAY and words[j] in lexicon.oclock and p.into < 0 and p.has_day():
        p.problem = p.problem or NO_TIME  # "tomorrow 25h"
    k = j + 1
    if k >= len(words):
        p.firm = p.firm or p.into >= 0
        return k if _add(p, value, unit) else 0
    if words[k] in lexicon.both:
        more, m = number(lexicon, words, k + 1)
        if m and more < 1 and p.word(m) not in lexicon.unit:
            value, k = value + more, m
        elif m and unit == "hour" and p.into >= 0 and 1 <= more < 60 and (m == len(words) or words[m] in lexicon.to):
            value, k = value + more / 60, m  # "in an hr and 15"
    brief = words[j] in lexicon.hour_mark or (p.into >= 0 and k + 1 == len(words))  # "1h10"; "in 1 hour 10"
    if unit == "hour" and brief and k < len(words) and _two_figures(words[k]):
        value, k = value + int(words[k]) / 60, k + 1 + (lexicon.unit.get(p.word(k + 1)) == "minute")
    if k < len(words) and words[k] in lexicon.either:  # "an hour or two": the sooner
        more, m = number(lexicon, words, k + 1)
        k = m if more > value and p.word(m) not in lexicon.unit else k
    if not _add(p, value, unit):
        return 0
    p.firm = p.firm or p.into >= 0
    return _anchor(p, k) if k < len(words) else k


def _two_figures(word: str) -> bool:
    return len(word) == 2 and word.isdecimal()


def plus(p: Phrase, i: int) -> int:
    """ "+15 minutes", "4pm + 3 days"."""
    value, j = number(p.lexicon, p.words, i + 1)
    if p.weekday >= 0 and p.word(i + 1) in p.lexicon.weekday:
        return -(i + 1)  # "tue + thu"
    if not j or p.word(j) not in p.lexicon.unit:
        return 0
    p.anchored = True
    p.firm = True
    return span(p, value, j)


def both(p: Phrase, i: int) -> int:
    """ "and" goes on with a length of time, or with another day or time of what repeats."""
    if p.between and (j := range_end(p, i)):
        return j
    if p.hour >= 0 and not p.freq and not p.inner and repeats_later(p, i + 1):
        p.listing = True
        return -(i + 1)  # "8am and 8pm daily"
    if not p.span or p.freq:
        listed = p.weekday >= 0 and p.word(i + 1) in p.lexicon.weekday
        return -(i + 1) if p.freq or p.nths or p.days or listed else 0
    value, j = number(p.lexicon, p.words, i + 1)
    return span(p, value, j) if j and p.word(j) in p.lexicon.unit else 0


def _is_clock(p: Phrase, value: float, j: int) -> bool:
    after = p.word(j + 1)
    if p.into >= 0 or value != int(value) or value > 24:
        return False
    if p.at >= 0 or p.has_day():
        return True
    alone = after == "" and len(p.words[j]) == 1  # "17h", but not "7 hr"
    if p.word(j + 2) in p.lexicon.unit:
        return False  # "9h5m"
    return value > HOURS_SPOKEN_MAX and (after.isdecimal() or alone or after in p.lexicon.through)


def _add(p: Phrase, value: float, unit: str) -> bool:
    if value > (SECONDS_MAX if unit == "second" else COUNT_MAX):
        p.problem = p.problem or "too_far"
        return True
    if unit in SECONDS:
        seconds = value * SECONDS[unit]
        p.span_seconds += seconds
        if unit == "second" or seconds % 60 != 0:
            p.in_seconds = True
    elif unit in DAYS:
        days = value * DAYS[unit]
        whole = int(days)
        p.span_days += whole
        if whole != days:
            p.span_seconds += (days - whole) * 86_400
    elif unit in MONTHS:
        months = value * MONTHS[unit]
        p.span_months += int(months)
        p.span_days += int((months - int(months)) * 30)
    elif unit == "weekday":
        p.working += int(value)
    else:
        return False
    p.span = True
    return True


def _anchor(p: Phrase, k: int) -> int:
    """What the length of time is counted from: now, or what is said next."""
    if k >= len(p.words):
        return k
    word, lexicon = p.words[k], p.lexicon
    if word in lexicon.hence:
        p.firm = True
        return k + 1
    if word in lexicon.ago:
        p.sign, p.firm = -1, True
        return k + 1
    if word in lexicon.of_from and k + 1 == len(p.words) and word in lexicon.into:
        p.firm = True
        return k + 1  # "2 weeks after"
    if p.freq or (word not in lexicon.of_from and word not in lexicon.before):
        return k  # "every day for 3 weeks from monday": the day is the rule's first
    after = p.word(k + 1)
    if not after or not (after in p.readers or "0" <= after[0] <= "9"):
        return k
    if word in lexicon.before:
        p.sign = -1
    p.anchored = p.firm = True
    p.at = -1
    return k + 1
