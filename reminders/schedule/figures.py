"""What a figure means where it stands: "5", "5th", "5 pm", "5 minutes", "5 may", "12/25", "5:30"."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from reminders.schedule import clock as clocks
from reminders.schedule import dates, ranges, repeat, spans, written
from reminders.schedule.days import ordinal, plus_months
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase
from reminders.schedule.words import lexicon

YEAR_MIN, YEAR_MAX = 1900, 2199
DAY_IN_FIGURES = 2400
NOON = 12
# Minutes to an hour are said in fives: "ten to six".
MINUTES_SPOKEN = 5
# After "in", these count a length of time and nothing else.
IN_A_WHILE = ("minute", "hour", "day", "week", "month", "year")

# Reads a number by what follows it: where it starts, its value, and the index after it.
Counted = Callable[[Phrase, int, float, int], int]


def digits(p: Phrase, i: int) -> int:
    word = p.words[i]
    if not word.isdecimal():
        return compound(p, i, word)
    if len(word) > 4:
        return written.compact(p, word, i + 1) if len(word) == 8 else spanned(p, i, word)
    j = i + 1
    reader = p.lexicon.roles.get(p.words[j], bare) if j < len(p.words) else bare
    return (dates.listed(p, i) if p.freq else 0) or reader(p, i, int(word), j)


def spanned(p: Phrase, i: int, word: str) -> int:
    if len(word) > 8 or p.word(i + 1) not in p.lexicon.unit:
        return 0
    return spans.span(p, int(word), i + 1)


def worded(p: Phrase, i: int) -> int:
    """A number in words."""
    lexicon, words = p.lexicon, p.words
    value, j = number(lexicon, words, i)
    if not j:
        return 0
    after = p.words[j] if j < len(p.words) else ""
    if words[i] in lexicon.a and j == i + 1 and after in lexicon.weekday and dates.is_single(p, i, j):
        return -j
    if value >= 20 and after == "-" and p.word(j + 1) in lexicon.ordinal:
        j += 1
        after = p.words[j]
    if value >= 20 and value % 10 == 0 and after in lexicon.ordinal and p.into < 0:
        return dates.nth(p, int(value) + lexicon.ordinal[after], j + 1)
    if after in lexicon.unit and lexicon.unit[after] != "minute":
        return spans.span(p, value, j)
    if value != int(value) or words[i] in lexicon.a:
        if k := clocks.fraction(p, i):
            p.firm = True
            return k
        return spans.span(p, value, j) if after in lexicon.unit else 0
    if value >= YEAR_MIN:
        return written.year(p, int(value), j)
    if value * 100 == p.convention.century and p.month and p.days and p.at != i and (k := written.year_in_two(p, j)):
        return k
    return numeric(p, i, value, j)


def numeric(p: Phrase, i: int, value: float, j: int) -> int:
    """A whole number: what follows it says what it counts."""
    reader = p.lexicon.roles.get(p.words[j], bare) if j < len(p.words) else bare
    return reader(p, i, value, j)


def before_unit(p: Phrase, i: int, value: float, j: int) -> int:
    if p.into == i and p.lexicon.unit[p.words[j]] in IN_A_WHILE:
        return spans.span(p, value, j)  # "in 20 minutes"
    if p.words[j] in p.lexicon.weekday and len(p.words[j]) > 2:
        return before_weekday(p, i, value, j)  # "room 210 mon"
    if (
        value >= 100
        and p.into < 0
        and p.words[j] in p.lexicon.oclock
        and len(p.words[i]) == 4
        and value % 100 < 60
        and value < DAY_IN_FIGURES
    ):
        return clocks.clock(p, i)  # "1700 hours"
    if value >= DAY_IN_FIGURES and p.into < 0 and p.words[j] in p.lexicon.oclock and len(p.words[i]) == 4:
        p.problem = p.problem or clocks.NO_TIME  # "2500 hours"
    lexicon, unit = p.lexicon, p.lexicon.unit[p.words[j]]
    after = p.words[j + 1] if j + 1 < len(p.words) else ""
    if p.words[j] == "'" and p.month and after.isdecimal() and len(after) == 2:
        p.days, p.year, p.firm = [int(value)], p.convention.century + int(after), True
        return j + 2  # "aug 10, '27"
    if unit == "weekend" and after in lexicon.hence and p.weekday < 0:
        p.weekday, p.more_weeks, p.firm = 5, int(value) - 1, True
        return j + 2  # "2 weekends from now"
    if unit == "quarter" and after in lexicon.joint and lexicon.unit.get(p.word(j + 3)) == "hour":
        return spans.span(p, value / 4, j + 3)  # "3 quarters of an hour"
    return (unit == "minute" and clocks.minutes(p, value, j)) or spans.span(p, value, j)


def before_clock(p: Phrase, i: int, value: float, j: int) -> int:
    if p.word(j + 1) in p.lexicon.month and p.words[j] in p.lexicon.joint:
        return before_joint(p, i, value, j)
    if p.words[j] in p.lexicon.half_day:
        p.firm = True
        k = clocks.figures(p, i, p.words[i]) if p.words[i] < ":" else clocks.clock(p, i)
        return k or bare(p, i, value, j)
    if p.words[j] in p.lexicon.to and (k := _range_start(p, i, int(value), j)):
        return k  # "july 13 to 15", "12 to 16 september", "from 3 to 4pm"
    ranges_on = p.words[j] in p.lexicon.through or p.words[j] in p.lexicon.until
    if ranges_on and (k := sooner(p, i, value, j) or _nine_to_five(p, value, j)):
        return k
    between = p.words[j] in p.lexicon.to or p.words[j] in p.lexicon.past
    if value % MINUTES_SPOKEN and p.words[i].isdecimal() and _links(p, p.words[j]):
        return bare(p, i, value, j)  # "assignment 3 before 5pm", "8 after 6pm", "2 of 3 tomorrow"
    if between and p.at != i and not (number(p.lexicon, p.words, j + 1)[1] or p.word(j + 1) in p.lexicon.clock):
        return bare(p, i, value, j)  # "march 5 to call the vet"
    if p.words[j] in p.lexicon.clock and value != 12:
        return bare(p, i, value, j)  # "december 6 noon"
    k = clocks.clock(p, i)
    if k <= j:
        return k if k and p.at == i else bare(p, i, value, j)
    p.firm = p.firm or p.words[j] in p.lexicon.half_day or p.words[j] in p.lexicon.oclock
    return k


def _links(p: Phrase, word: str) -> bool:
    """Whether a word that counts minutes to or past an hour is oftener another link: "before", "after", "of"."""
    lexicon = p.lexicon
    return word in lexicon.before or (word in lexicon.of_from and word in lexicon.into) or word in lexicon.joint


def _range_start(p: Phrase, i: int, value: int, j: int) -> int:
    """Where "13 to 15" are days, or hours, rather than minutes to an hour: the first is read."""
    lexicon, last = p.lexicon, p.word(j + 1)
    if not (last.isdecimal() and len(last) <= 2) or p.words[j] not in lexicon.through:
        return 0
    after = p.word(j + 2 + (p.word(j + 2) in lexicon.joint))
    if 1 <= value <= 31 and not p.days and (p.month > 0 or after in lexicon.month):
        p.days, p.firm = [value], True
        return j
    return clocks.set_time(p, value, 0, 0, False, j) if i and p.words[i - 1] in lexicon.of_from else 0


def _nine_to_five(p: Phrase, value: float, j: int) -> int:
    """ "9 to 5", "6 to 8 tonight": from one hour to the other. "10 to 8" is ten minutes before it."""
    last, k = number(p.lexicon, p.words, j + 1)
    hours = k > 0 and 1 <= value <= 12 and value % MINUTES_SPOKEN != 0 and 1 <= last <= 12 and last == int(last)
    if not hours or p.hour >= 0 or p.words[j] not in p.lexicon.to or p.word(j + 1) in p.lexicon.a:
        return 0
    return clocks.set_time(p, int(value), 0, 0, False, j)


def before_or(p: Phrase, i: int, value: float, j: int) -> int:
    return sooner(p, i, value, j) or _one_of_hours(p, i, value, j) or bare(p, i, value, j)


def _one_of_hours(p: Phrase, i: int, value: float, j: int) -> int:
    """ "friday 5 or 6pm": the first of two hours, of which the second has what says that they are."""
    later, k = number(p.lexicon, p.words, j + 1)
    after = p.word(k) if k else ""
    timed = after in p.lexicon.half_day or (after in p.lexicon.oclock and after not in p.lexicon.unit)
    if not (k and timed and value == int(value) and 1 <= value <= NOON >= later):
        return 0
    return clocks.set_time(p, int(value), 0, 0, False, j)


def sooner(p: Phrase, i: int, value: float, j: int) -> int:
    """ "two or three days", "5 to 10 minutes": the sooner, so that nobody is late."""
    later, k = number(p.lexicon, p.words, j + 1)
    word = p.word(k) if k else ""
    if later <= value or word not in p.lexicon.unit or word in p.lexicon.weekday:
        return 0
    if word in p.lexicon.oclock and p.into != i:
        return 0  # "10 to 12 hours" is 11:50
    return spans.span(p, value, k)


def before_month(p: Phrase, i: int, value: float, j: int) -> int:
    if value > dates.DAYS_MAX and not YEAR_MIN <= value <= YEAR_MAX:
        p.days, p.problem = [int(value)], p.problem or dates.NO_DATE
        return j  # "32 march"
    if value > dates.DAYS_MAX:
        p.year = int(value)
        return j
    if p.month and p.days and not p.freq:
        return 0  # "exp 03/27 on 4 jan"
    if p.offset is not None and dates.is_another(p, 0, str(int(value))):
        return 0
    p.days = [*(p.days or []), int(value)]
    p.firm = True
    return j


def before_suffix(p: Phrase, i: int, value: float, j: int) -> int:
    return dates.nth(p, int(value), j + 1)


def before_filler(p: Phrase, i: int, value: float, j: int) -> int:
    """ "2 more minutes"."""
    return spans.span(p, value, j + 1) if p.word(j + 1) in p.lexicon.unit else bare(p, i, value, j)


def before_part(p: Phrase, i: int, value: float, j: int) -> int:
    """ "5 mornings hence"; "for 2 nights" is how long."""
    if p.word(j + 1) not in p.lexicon.hence or value != int(value) or value > 366:
        counted = p.word(j) in p.lexicon.unit
        return bare(p, i, value, j) if not counted else spans.span(p, value, j) if p.into == i else 0
    p.offset, p.part, p.firm = int(value), p.lexicon.part[p.words[j]], True
    return j + 2


def before_times(p: Phrase, i: int, value: float, j: int) -> int:
    if not p.freq and p.word(j + 1) in p.lexicon.every and number(p.lexicon, p.words, j + 2)[1]:
        k = repeat.every(p, j + 1)
        p.count = int(value) if k else 0  # "5 times every 10 minutes"
        return k
    if not p.freq:
        return (repeat.so_often(p, int(value), j + 1) if value < clocks.TIMES_MAX else 0) or bare(p, i, value, j)
    p.count = int(value)
    p.problem = p.problem or ("" if p.count else clocks.NO_TIME)
    return j + 1


def before_weekday(p: Phrase, i: int, value: float, j: int) -> int:
    """ "4 tuesdays from now"."""
    lexicon, word = p.lexicon, p.words[j]
    if p.into == i and word in lexicon.unit:
        return spans.span(p, value, j)  # "in 1 mon"
    if p.word(j + 1) not in lexicon.hence or p.weekday >= 0:
        return bare(p, i, value, j)
    p.weekday = lexicon.weekday[word] if word in lexicon.weekday else lexicon.plural[word]
    p.more_weeks = int(value) - 1
    p.firm = True
    return j + 2


def before_more(p: Phrase, i: int, value: float, j: int) -> int:
    """ "2 and a half hours"."""
    k = j + (p.words[j] in p.lexicon.both)
    more, m = number(p.lexicon, p.words, k)
    if m and more < 1 and p.word(m) in p.lexicon.unit:
        return spans.span(p, value + more, m)
    return bare(p, i, value, j)


def before_joint(p: Phrase, i: int, value: float, j: int) -> int:
    """ "4 of july"."""
    if p.words[j] == "-" and p.words[i] in p.lexicon.number and clocks.two_figures(p, j)[1]:
        return clocks.clock(p, i)  # "nine-thirty"
    if p.words[j] == "-" and ":" in p.word(j + 1) and 0 < value <= NOON and p.hour < 0 and not p.month:
        return clocks.set_time(p, int(value), 0, 0, False, j)  # "2-3:30pm"
    k = j + 1 + (p.word(j + 1) in p.lexicon.the)
    if p.word(k) in p.lexicon.month and (value <= 31 or value >= YEAR_MIN) and p.words[j] not in p.lexicon.into:
        return before_month(p, i, value, j)
    return bare(p, i, value, j)


def bare(p: Phrase, i: int, value: float, j: int) -> int:
    """A number that nothing right after it explains."""
    whole, lexicon = int(value), p.lexicon
    after = p.words[j] if j < len(p.words) else ""
    if "/" in after and p.word(j + 1) in lexicon.unit:
        more, k = number(p.lexicon, p.words, j)
        return spans.span(p, value + more, k) if k and more < 1 else 0  # "2 1/2 hours"
    if p.at == i:
        return clocks.clock(p, i)
    if i + 2 < len(p.words) and lexicon.code == "en" and (k := written.spaced(p, i)):
        return k
    if p.into == i and 1 <= whole <= 60 and _closes_a_while(p, j):
        p.span, p.span_seconds = True, p.span_seconds + 60 * whole  # "in 5" is in minutes
        p.firm = True
        return j
    if not i and whole <= 24 and after in lexicon.on and _names_a_day(p, j + 1):
        return clocks.set_time(p, whole, 0, 0, False, j)  # "5 on may 28"
    if i and not p.days and not p.month and _is_day_number(p, i, whole, j):
        p.days, p.firm = [whole], True
        return j  # "on 15", "8pm on the 15"
    open_day = p.month > 0 and (not p.days or p.days == [-1])  # "the last day, aug 31"
    if open_day and whole <= dates.DAYS_MAX and (len(p.words[i]) <= 2 or p.words[i].isalpha()):
        if whole == 0:
            return 0
        p.days = [whole]
        p.firm = True
        return j
    if p.days and p.months and p.words[i - 1] in lexicon.month and 1 <= whole <= 31:
        p.days, p.paired = [*p.days, whole], True
        return j  # "january 1 and july 1"
    if YEAR_MIN <= whole <= YEAR_MAX and (k := written.year(p, whole, j)):
        return k
    listed = p.freq != "" or (after in lexicon.joint and p.word(j + 1) in lexicon.every)
    if listed and p.words[i - 1] in lexicon.both and p.days and whole <= 31 and (p.hour < 0 or not p.freq):
        p.days.append(whole)
        return j
    return _hour(p, i, whole, j)


def _closes_a_while(p: Phrase, j: int) -> bool:
    """Whether "in 5" is over: at the end, or before what is to be done."""
    word = p.word(j)
    links = word in p.lexicon.to or word.isdecimal()  # "in 15 2 take the pizza out"
    return (
        not word or word in p.lexicon.about or word in p.lexicon.verbs or (links and p.word(j + 1) in p.lexicon.verbs)
    )


def _is_day_number(p: Phrase, i: int, whole: int, j: int) -> bool:
    """Whether a figure after "on" is a day of the month, where none was said and no month."""
    if not 1 <= whole <= 31 or not (_ends(p, j) or p.words[j][0].isdecimal()):
        return False
    last, lexicon = p.words[i - 1], p.lexicon
    if last in lexicon.day_word and i > 1 and p.words[i - 2] in lexicon.the:
        return not p.has_day() or p.freq == "MONTHLY"  # "el dia 5"
    if last in lexicon.the and last not in lexicon.on and i > 1:
        last = p.words[i - 2]
    return last in lexicon.on and not p.has_day()


def _names_a_day(p: Phrase, j: int) -> bool:
    word = p.word(j + (p.word(j) in p.lexicon.the))
    return word in p.lexicon.month or word in p.lexicon.weekday or p.word(j + 1) in p.lexicon.suffix


def _hour(p: Phrase, i: int, whole: int, j: int) -> int:
    if p.freq and p.hour >= 0 and whole <= 24:
        return clocks.clock(p, i)
    if p.weekday >= 0 and not p.days and p.hour < 0 and p.word(j) not in p.lexicon.part and _soon_on(p, whole):
        p.days, p.firm = [whole], True
        return j  # "thu 23"
    if _short_year(p, whole, j):
        return j
    _, k = clocks.two_figures(p, j)
    timed = p.word(k) in p.lexicon.half_day or (p.has_day() and not p.month and p.hour < 0 and k == len(p.words))
    if k and whole <= 24 and (not p.words[i].isdecimal() or timed):
        return clocks.clock(p, i)
    dated = p.has_day() or p.part != ""  # "by evening 6"
    if p.hour >= 0 or not _part_follows(p, j) and not (dated and (_ends(p, j) or _to_do(p, whole, j))):
        whole_text = len(p.words[i]) == 4 and i == 0 and j == len(p.words) and p.hour < 0
        return clocks.clock(p, i) if whole_text and not YEAR_MIN <= whole <= YEAR_MAX else 0
    return clocks.clock(p, i)


def _soon_on(p: Phrase, day: int) -> bool:
    """Whether the weekday falls on that day of this month, from today on, or of the next."""
    if not NOON < day <= dates.DAYS_MAX:
        return False
    year, month = plus_months(p.now.year, p.now.month, 1)
    found = (ordinal(p.now.year, p.now.month, day), ordinal(year, month, day))
    return any(one is not None and one >= p.now.toordinal() and (one - 1) % 7 == p.weekday for one in found)


def _to_do(p: Phrase, whole: int, j: int) -> bool:
    """Whether what is to be done comes next: "fri 6 pick up the keys", but not "fri 2 call mum", which is "to"."""
    hour = 2 < whole <= 12 or (100 <= whole < DAY_IN_FIGURES and whole % 100 < 60)
    return p.words[j] in p.lexicon.verbs and hour and p.words[j - 1].isdecimal()


def _short_year(p: Phrase, whole: int, j: int) -> bool:
    """ "3 jan 27"."""
    year = p.convention.century + whole
    years = 10 if whole <= 24 else 50
    if not (p.month and p.days and p.days[0] > 0 and not p.year and p.hour < 0 and 0 <= year - p.now.year <= years):
        return False
    p.year = year
    return True


def _part_follows(p: Phrase, j: int) -> bool:
    lexicon = p.lexicon
    for k in range(j, j + 3):
        word = p.word(k)
        if word in lexicon.part or word in lexicon.day or (word in lexicon.half_day and k > j):
            return True
        if not (
            word in lexicon.into
            or word in lexicon.the
            or word in lexicon.at
            or word in lexicon.this
            or word in lexicon.joint
        ):
            return False
    return False


def _ends(p: Phrase, j: int) -> bool:
    return j >= len(p.words) or p.words[j] in p.readers


def compound(p: Phrase, i: int, word: str) -> int:
    """ "5:30", "12/25", "1.5", "20-25", "0,5", "7p"."""
    j = i + 1
    after = p.words[j] if j < len(p.words) else ""
    if word[-1] > "9":
        p.firm = True
        return clocks.figures(p, i, word)
    if ":" in word:
        if p.into == i and p.lexicon.unit.get(after) == "hour" and word.count(":") == 1:
            hours, minutes = word.split(":")
            return spans.span(p, int(hours) + int(minutes) / 60, j) if hours and minutes else 0  # "in 1:30 hours"
        p.firm = True
        return clocks.figures(p, i, word) or written.both_in_one(p, word, j)
    if after in p.lexicon.hour_mark and len(after) == 1 and _is_time(p, i, word):
        return clocks.figures(p, i, word) and i + 2  # "monday 14.30h"
    if after in p.lexicon.unit:
        value, k = number(p.lexicon, p.words, i)
        return spans.span(p, value, k) if k and not (after in p.lexicon.hour_mark and p.at == i) else 0
    if "," in word:
        if "/" in word:
            return written.figure_date(p, word.replace(",", "/"), j)  # "11/12,2026"
        return _with_comma(p, word, j, after)
    if "/" in word and after in p.lexicon.joint and p.word(j + 1) in p.lexicon.a and p.word(j + 2) in p.lexicon.unit:
        value, k = number(p.lexicon, p.words, i)
        return spans.span(p, value, j + 2) if k and value < 1 else 0  # "3/4 of an hour"
    if "-" in word and (k := ranges.joined(p, word, j)):
        return k
    if "." in word and word.count(".") == 1:
        return _with_stop(p, i, word, j, after)
    if "-" in word and after in p.lexicon.half_day:
        first, last = (part.strip() for part in word.split("-", 1))
        minute = int(last) if last.isdecimal() and 12 < int(last) < 60 else 0  # "10-30 am", but "5-7 pm"
        p.half = p.lexicon.half_day[after]
        return j + 1 if clocks.set_time(p, int(first), minute, 0, False, j) else 0
    return written.figure_date(p, word, j)


def _is_time(p: Phrase, i: int, word: str) -> bool:
    """Whether "14.30" before "h" is a time, and not so many hours."""
    hour, _, minute = word.partition(".")
    if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2) or p.into >= 0:
        return False
    return p.at == i or p.has_day() or int(hour) > spans.HOURS_SPOKEN_MAX


def _with_comma(p: Phrase, word: str, j: int, after: str) -> int:
    """ "Jan 1,2010"; "7,30 pm"."""
    first, _, second = word.partition(",")
    if not (first.isdecimal() and second.isdecimal() and len(first) <= 2):
        return 0
    if after in p.lexicon.half_day and len(second) == 2:
        return clocks.figures(p, j - 1, f"{first}:{second}")
    if p.month and not p.days and len(second) == 4:
        p.days, p.year, p.firm = [int(first)], int(second), True
        return j
    return 0


def _with_stop(p: Phrase, i: int, word: str, j: int, after: str) -> int:
    """ "5.30" is a time, "11.9" a date where days come first; "10.10" is a date only there."""
    first, second = word.split(".")
    if not (first.isdecimal() and second.isdecimal()) or len(first) > 2 or len(second) > 2:
        return 0
    is_date = p.dayfirst and int(second) <= 12 and int(first) <= 31 and p.at != i
    if i and p.words[i - 1] in p.lexicon.on and p.hour < 0 and _lacks_date(p) and 0 < int(first) <= 31:
        return written.figure_date(p, word, j)  # "on 4.22"
    if is_date and after not in p.lexicon.half_day and _lacks_date(p):
        return written.figure_date(p, word, j)
    return clocks.figures(p, i, word)


def _lacks_date(p: Phrase) -> bool:
    return p.days is None and p.fixed is None and not p.month and p.offset is None and p.weeks is None


@lru_cache(maxsize=32)
def roles(code: str) -> dict[str, Counted]:
    """What a word says about a number right before it."""
    words = lexicon(code)
    found: dict[str, Counted] = {}
    for table, role in (
        (words.joint, before_joint),
        (("-", "/"), before_joint),
        (words.either, before_or),
        (words.both, before_more),
        (words.fraction, before_more),
        (words.weekday, before_weekday),
        (words.plural, before_weekday),
        (words.times, before_times),
        (words.oclock, before_clock),
        (words.past, before_clock),
        (words.to, before_clock),
        (words.hour_plus, before_clock),
        (words.hour_minus, before_clock),
        (words.unit, before_unit),
        (words.half_day, before_clock),
        (words.pm_short, before_clock),
        (words.clock, before_clock),
        (words.suffix, before_suffix),
        (words.month, before_month),
        (words.filler, before_filler),
        (words.part_every, before_part),
    ):
        found.update(dict.fromkeys(table, role))
    words.roles = found
    return found
