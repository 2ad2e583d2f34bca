"""What repeats: every other tuesday, weekdays, daily, until, five times, except weekends."""

from __future__ import annotations

from typing import Final

from reminders.schedule.clock import clock, repeats_later
from reminders.schedule.dates import edge, nth, repeated, time_of_part
from reminders.schedule.numbers import number
from reminders.schedule.phrase import INNERS_MAX, Phrase
from reminders.schedule.ranges import range_end
from reminders.schedule.resolve import in_half, moment

FREQUENCIES: Final = {
    "second": ("SECONDLY", 1),
    "minute": ("MINUTELY", 1),
    "hour": ("HOURLY", 1),
    "day": ("DAILY", 1),
    "week": ("WEEKLY", 1),
    "fortnight": ("WEEKLY", 2),
    "month": ("MONTHLY", 1),
    "quarter": ("MONTHLY", 3),
    "year": ("YEARLY", 1),
    "decade": ("YEARLY", 10),
}
HOURS_OF_A_DAY: Final = 23
# What repeats as time passes, whatever the clock shows.
ELAPSING: Final = ("HOURLY", "MINUTELY", "SECONDLY")
# The note of a rule whose last day is past.
OVER: Final = "over"
# "shukravar 3 Dec 2027 6:20 PM baje tak"
BEHIND_WORDS_MAX: Final = 8
SETS: Final = {"weekday": [0, 1, 2, 3, 4], "weekend": [5, 6]}


def every(p: Phrase, i: int) -> int:
    """ "every", and what comes after it."""
    if p.freq == "WEEKLY" and p.interval == 1 and p.lexicon.unit.get(p.word(i + 1)) == "week":
        return i + 2  # "tue and thu at 6pm every week"
    if p.freq == "MONTHLY" and p.days and p.lexicon.unit.get(p.word(i + 1)) == "month":
        return i + 2  # "every 10th of each month"
    if p.freq and p.words[i - 1] in p.lexicon.both and (j := _and_every(p, i)):
        return j
    if p.freq or p.inner or (p.span_seconds and not p.anchored and p.into < 0):
        return 0  # "ice it for 15 min every 4 hours" is how long, and how often
    lexicon, words = p.lexicon, p.words
    j = i + 1 + (p.word(i + 1) in lexicon.the)
    word = p.word(j)
    if word in lexicon.other and _can_repeat(p, j + 1) and not (word in lexicon.ordinal and _of_month(p, j + 2)):
        return _each(p, j + 1, 2)
    ordinal, k = _ordinal(p, j)
    if k:
        return _every_nth(p, ordinal, k)
    value, k = number(lexicon, words, j)
    if k and p.word(k) in lexicon.both:  # "one and a half hours"
        more, m = number(lexicon, words, k + 1)
        value, k = (value + more, m) if 0 < more < 1 else (value, k)
    if k and word not in lexicon.a and _can_repeat(p, k):
        return _fractional(p, value, k) if value != int(value) else _each(p, k, int(value))
    return _each(p, j, 1)


def _and_every(p: Phrase, i: int) -> int:
    """ "every morning at 8 and every evening at 9", "every monday and every thursday": the same rule goes on."""
    after = p.word(i + 1)
    if p.freq == "DAILY" and after in p.lexicon.part and p.hour >= 0:
        return time_of_part(p, i + 1)
    return -(i + 1) if p.freq == "WEEKLY" and after in p.lexicon.weekday and p.hour < 0 else 0


def _of_month(p: Phrase, j: int) -> bool:
    """Whether "of the month" comes next: "every second thursday of the month" is no other thursday."""
    j += p.word(j) in p.lexicon.joint
    j += p.word(j) in p.lexicon.the or p.word(j) in p.lexicon.a or p.word(j) in p.lexicon.every
    return p.lexicon.unit.get(p.word(j)) == "month" and p.word(j) not in p.lexicon.weekday


def alternate(p: Phrase, i: int) -> int:
    """ "alternate fridays": every other one."""
    if p.freq or p.inner or not _can_repeat(p, i + 1):
        return 0
    return _each(p, i + 1, 2)


def by_turns(p: Phrase, i: int) -> int:
    """ "un viernes sí y otro no": every other one."""
    if p.freq or p.inner or p.weekday < 0:
        return 0
    p.freq, p.interval, p.firm = "WEEKLY", 2, True
    _take_weekday(p)
    return i + 1


def often(p: Phrase, i: int) -> int:
    """ "daily", "weekly"."""
    if p.freq or p.inner or (p.has_day() and _names_something(p, i + 1)):
        return 0
    p.freq, p.interval, *at = p.lexicon.often[p.words[i]]
    p.part = at[0] if at and not p.part else p.part
    p.firm = True
    _take_weekday(p)
    return i + 1


def _names_something(p: Phrase, j: int) -> bool:
    """Whether a thing comes next: "jan 15 quarterly taxes" are due once."""
    word, lexicon = p.word(j), p.lexicon
    known = word in p.readers or word < ":" or word in lexicon.joint or word in lexicon.to or word in lexicon.noise
    return not known and word not in lexicon.verbs


def once(p: Phrase, i: int) -> int:
    """ "once a week"."""
    if p.freq and p.interval == 1:
        return i + 1  # "weekly once"
    j = i + 1 + (p.word(i + 1) in p.lexicon.a or p.word(i + 1) in p.lexicon.every)
    if p.word(j) in p.lexicon.unit and not p.freq:
        return _each(p, j, 1)
    if p.word(i + 1) in p.lexicon.often:
        return -(i + 1)  # "once daily"
    said = " " in p.words[i] or p.word(i + 1) in p.lexicon.every or number(p.lexicon, p.words, j)[1]
    return every(p, j - 1) if said else 0  # "once every 3 days"


def sets(p: Phrase, i: int) -> int:
    """ "weekdays", "weekends"."""
    p.weekday_last = p.hour >= 0 and (p.freq == "DAILY" or p.weekdays is not None)  # "weekdays at 7 and weekends at 9"
    p.freq = "WEEKLY" if p.freq == "DAILY" and p.interval == 1 else p.freq or "WEEKLY"
    p.weekdays = [*(p.weekdays or []), *p.lexicon.sets[p.words[i]]]
    p.part = p.part or p.lexicon.part.get(p.words[i], "")  # "weeknights"
    p.firm = True
    return i + 1


def plural(p: Phrase, i: int) -> int:
    """ "tuesdays": every one of them."""
    value = p.lexicon.plural[p.words[i]]
    if not p.freq:
        p.freq = "WEEKLY"
        _take_weekday(p)
    return repeated(p, value, i) if p.run else _another(p, value, i)


def through(p: Phrase, i: int) -> int:
    """ "monday to friday", "mon-fri": the days between belong to it; otherwise a dash only links."""
    lexicon = p.lexicon
    after = p.word(i + 1)
    if p.words[i] == "-" and p.hour >= 0 and (k := number(lexicon, p.words, i + 1)[1]) and p.word(k) in lexicon.unit:
        return 0  # "9pm - 2 hours": how long it takes is not when
    dated = p.words[i] in lexicon.until and p.word(i + 2).isdecimal() and p.word(i + 3) in lexicon.month
    if p.words[i] in lexicon.through and not dated and (after in lexicon.weekday or after in lexicon.plural):
        if p.weekday >= 0 and not p.freq:
            p.freq, p.weekdays, p.weekday = "WEEKLY", [p.weekday], -1
        if p.weekdays:
            p.run = True
            return -(i + 1)
    if p.freq and (p.words[i] in lexicon.until or (p.start is not None and p.words[i] != "-")):
        return until(p, i)
    if p.freq not in ELAPSING and (j := range_end(p, i)):
        return j
    return -(i + 1) if p.words[i] == "-" or p.words[i] in lexicon.joint else 0


def until(p: Phrase, i: int) -> int:
    """The last day of what repeats."""
    if not p.freq or p.inner or p.inners >= INNERS_MAX:
        return 0
    last, j = p.within(i + 1)
    return _ends_on(p, last, j) if j > i + 1 else 0


def until_behind(p: Phrase, i: int) -> int:
    """ "3 December tak": the last day, where "until" stands behind it; 0 where none does."""
    lexicon, k, dated = p.lexicon, i, False
    while k < i + BEHIND_WORDS_MAX and p.word(k) not in lexicon.until:
        word = p.word(k)
        named = word in lexicon.weekday or word in lexicon.month or word in lexicon.day or word in lexicon.suffix
        dated = dated or named
        timed = dated and (":" in word or word in lexicon.half_day or word in lexicon.oclock)
        if not (named or timed or word.isdecimal()):
            return 0
        k += 1
    if not dated or p.word(k) not in lexicon.behind or p.words[i - 1] in lexicon.through or p.inner:
        return 0  # "somvar se shukravar tak"
    last, j = p.within(i)
    return _ends_on(p, last, k + 1) if j == k else 0


def _ends_on(p: Phrase, last: Phrase, j: int) -> int:
    """That day is the last one of what repeats; `j` is after it."""
    if last.freq:
        return 0
    p.until = moment(last, last_second=True)
    if p.hour < 0 <= last.hour and last.has_day() and p.freq not in ELAPSING:
        p.hour, p.minute, p.half, p.exact = last.hour, last.minute, last.half, last.exact  # "until june 3 at 6pm"
    if last.problem == "past":
        p.note = OVER  # a rule that never happens, which is for whoever asks when it does
        return j
    return j if p.until is not None else 0


def lasts(p: Phrase, i: int) -> bool:
    """Whether a length of time is how long each takes: "every day at 6 for 10 minutes"."""
    k = number(p.lexicon, p.words, i)[1] if p.freq and p.freq not in ELAPSING else 0
    return k > 0 and p.lexicon.unit.get(p.word(k)) in ("second", "minute", "hour")


def starting(p: Phrase, i: int) -> int:
    """The first day of what repeats."""
    if p.words[i] in p.lexicon.edge and (not p.freq or i + 1 == len(p.words)):
        return edge(p, i)  # "each month at the beginning", "the beginning of june"
    if p.freq == "HOURLY" and (k := hours_between(p, i)):
        return k
    first, j = p.within(i + 1) if p.freq or repeats_later(p, i + 1) else (p, i + 1)
    begun = first.has_day() or first.span or (first.hour >= 0 and p.freq in ELAPSING)
    if j == i + 1 or first.freq or not begun:
        return -(i + 1)
    p.start = first
    p.problem = p.problem or first.problem
    if p.hour < 0 <= first.hour and p.freq not in ELAPSING:
        p.hour, p.minute, p.half, p.exact = first.hour, first.minute, first.half, first.exact
    return j


def hours_between(p: Phrase, i: int) -> int:
    """ "every hour between 9 and 5"."""
    first, j = _hour(p, i + 1)
    return _hours_to(p, first, j) if j else 0


def _hour(p: Phrase, i: int) -> tuple[Phrase, int]:
    """The time alone that starts there, and the index after it (0 for none): "9" of "9 to 5" is no range."""
    k = i + 1 + (p.word(i + 1) in p.lexicon.half_day)
    bare = p.word(k) in p.lexicon.through or p.word(k) in p.lexicon.both or p.word(k) in p.lexicon.until
    alone = Phrase(p.words[:k] if bare else p.words, p.lexicon, p.readers, p.now, p.convention)
    alone.inner, alone.at = True, i
    return alone, clock(alone, i)


def _hours_to(p: Phrase, first: Phrase, j: int) -> int:
    """ "every hour from 9 to 5": the index after the last hour, or 0."""
    word, lexicon = p.word(j), p.lexicon
    if word not in lexicon.through and word not in lexicon.until and word not in lexicon.both:
        return 0
    last, k = _hour(p, j + 1 + (p.word(j + 1) in lexicon.at))
    if not k or last.minute != first.minute:
        return 0
    begin, end = in_half(p, first.hour, first.half), in_half(p, last.hour, last.half)
    end += 12 * (end <= begin and not last.half)
    if not begin < end <= HOURS_OF_A_DAY:
        return 0
    p.freq, p.hours, p.minute = "DAILY", list(range(begin, end + 1, p.interval)), first.minute
    p.interval, p.firm = 1, True
    return k


def excepting(p: Phrase, i: int) -> int:
    """ "except weekends", "but not on friday"."""
    lexicon, j, but = p.lexicon, i + 1, list(p.but or [])
    while j < len(p.words):
        word = p.words[j]
        if word in lexicon.weekday:
            but.append(lexicon.weekday[word])
        elif word in lexicon.plural:
            but.append(lexicon.plural[word])
        elif word in lexicon.sets:
            but.extend(lexicon.sets[word])
        elif lexicon.unit.get(word) in SETS:
            but.extend(SETS[lexicon.unit[word]])
        elif not (word in lexicon.both or word in lexicon.on or word in lexicon.the or word in lexicon.at):
            break
        j += 1
    if not but and p.weekday >= 0 and _is_behind(p, i):
        p.but, p.weekday = [p.weekday], -1
        return i + 1  # "itvar ko chhodkar roz"
    p.but = but
    return j if but and p.freq else 0


def _is_behind(p: Phrase, i: int) -> bool:
    """Whether "except" stands behind what it takes out, before what repeats."""
    after = p.word(i + 1)
    return p.words[i - 1] in p.lexicon.behind and (after in p.lexicon.often or after in p.lexicon.every)


def twice(p: Phrase, i: int) -> int:
    return so_often(p, 3 if p.words[i] in p.lexicon.thrice else 2, i + 1)


def times(p: Phrase, i: int) -> int:
    """ "every friday x5"."""
    value, j = number(p.lexicon, p.words, i + 1) if p.freq and len(p.words[i]) == 1 else (0.0, 0)
    if not j or value != int(value) or p.word(j) in p.lexicon.unit:
        return 0
    p.count = int(value)
    p.problem = p.problem or ("" if p.count else "no_such_time")
    return j


def so_often(p: Phrase, count: int, j: int) -> int:
    """ "twice a day", "3 times a week": as many times or days have to be named; after what repeats, its end."""
    if p.freq:
        p.count = count
        return j
    lexicon = p.lexicon
    k = j + (p.word(j) in lexicon.a or p.word(j) in lexicon.every)
    if p.inner or not (p.word(k) in lexicon.often or lexicon.unit.get(p.word(k)) in FREQUENCIES):
        return 0
    p.per = count
    return often(p, k) if p.word(k) in lexicon.often else _each_unit(p, k, 1)


def _can_repeat(p: Phrase, j: int) -> bool:
    word, lexicon = p.word(j), p.lexicon
    return word in lexicon.unit or word in lexicon.weekday or word in lexicon.plural


def _each(p: Phrase, j: int, interval: int) -> int:
    """Every so many of what stands at `j`."""
    lexicon, word = p.lexicon, p.word(j)
    p.interval = interval
    if word in lexicon.part:
        p.freq, p.part = "DAILY", lexicon.part[word]
    elif word in lexicon.unit and word in lexicon.weekday and _numbered(p, j + 1):
        return _each_unit(p, j, interval)  # "every mo on the 5th"
    elif word in lexicon.weekday or word in lexicon.plural:
        p.freq = "WEEKLY"
        p.weekdays = [lexicon.weekday[word] if word in lexicon.weekday else lexicon.plural[word]]
    elif word in lexicon.unit:
        return _each_unit(p, j, interval)
    elif word in lexicon.sets:
        p.freq, p.weekdays = "WEEKLY", list(lexicon.sets[word])
    elif word in lexicon.month:
        p.freq = "YEARLY"
        p.firm = True
        return -j
    elif word in lexicon.holiday:
        p.freq, p.holiday = "YEARLY", lexicon.holiday[word]
    elif word in lexicon.month_end:
        p.freq, p.days = "MONTHLY", [-1]
    elif word in lexicon.clock or ":" in word or (word.isdecimal() and p.word(j + 1) in lexicon.half_day):
        p.freq, p.firm = "DAILY", True  # "every 5pm"
        return -j
    elif "/" in word or ("." in word and p.dayfirst):
        p.freq = "YEARLY"
        p.firm = True
        return -j
    elif word.isdecimal() and (p.word(j + 1) in lexicon.month or p.word(j + 2) in lexicon.month):
        p.freq = "YEARLY"
        return -j
    else:
        return 0
    p.firm = True
    return j + 1


def _numbered(p: Phrase, j: int) -> bool:
    """Whether a day of the month comes next: "on the 5th"."""
    j += p.word(j) in p.lexicon.on
    j += p.word(j) in p.lexicon.the
    return p.word(j) in p.lexicon.ordinal or p.word(j + 1) in p.lexicon.suffix


def _each_unit(p: Phrase, j: int, interval: int) -> int:
    unit = p.lexicon.unit[p.words[j]]
    p.firm = True
    if unit in SETS:
        p.freq, p.weekdays, p.interval = "WEEKLY", list(SETS[unit]), interval
        return j + 1
    p.freq, times = FREQUENCIES[unit]
    p.interval = interval * times
    if unit == "hour" and p.word(j + 1) in p.lexicon.both:
        more, k = number(p.lexicon, p.words, j + 2)
        if k and more < 1:
            p.freq, p.interval = "MINUTELY", round((interval + more) * 60)
            return k
    _take_weekday(p)
    return j + 1 + (p.word(j + 1) in p.lexicon.hence and p.word(j + 1) not in p.lexicon.into)  # "every 30 days later"


def _fractional(p: Phrase, value: float, k: int) -> int:
    """ "every half hour", "every 1.5 hours"."""
    if p.lexicon.unit.get(p.word(k)) != "hour":
        return 0
    p.freq, p.interval, p.firm = "MINUTELY", round(value * 60), True
    return k + 1


def _every_nth(p: Phrase, value: int, k: int) -> int:
    lexicon, word = p.lexicon, p.word(k)
    unit = lexicon.unit.get(word)
    if value > 0 and (unit in FREQUENCIES or unit == "weekend"):
        return _each(p, k, value)
    p.freq = "MONTHLY"
    return nth(p, value, k)


def _ordinal(p: Phrase, j: int) -> tuple[int, int]:
    word = p.word(j)
    if word in p.lexicon.ordinal:
        return p.lexicon.ordinal[word], j + 1
    if word.isdecimal() and len(word) <= 2 and p.word(j + 1) in p.lexicon.suffix:
        return int(word), j + 2
    value, k = number(p.lexicon, p.words, j) if word in p.lexicon.number else (0.0, 0)
    if k and value >= 20 and p.word(k) in p.lexicon.ordinal:
        return int(value) + p.lexicon.ordinal[p.word(k)], k + 1
    return 0, 0


def _take_weekday(p: Phrase) -> None:
    """A weekday that was said before the "every" belongs to it: "monday, every week"."""
    if p.weekday >= 0:
        p.weekdays, p.weekday = [p.weekday], -1


def _another(p: Phrase, value: int, i: int) -> int:
    p.weekday_last = True
    if value not in (p.weekdays or ()):
        p.weekdays = [*(p.weekdays or []), value]
    if p.freq == "DAILY" and p.interval == 1:
        p.freq = "WEEKLY"
    p.firm = True
    return i + 1
