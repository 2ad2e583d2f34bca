"""Which reader reads which word."""

from __future__ import annotations

from functools import lru_cache

from reminders.schedule import clock as clocks
from reminders.schedule import dates, repeat, spans, zones
from reminders.schedule.figures import digits, roles, worded
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase, Reader, Readers
from reminders.schedule.words import lexicon


@lru_cache(maxsize=32)
def readers(code: str) -> Readers:
    """The reader of each word of a language. Where a word has several, the later wins."""
    words, found = lexicon(code), Readers({"0": digits})
    for table, reader in (
        (words.oclock, oclock),
        (words.and_short, link),
        (words.by_turns, repeat.by_turns),
        (words.joint, link),
        (words.the, link),
        (words.on, link),
        (words.noise, link),
        (words.of_from, link),
        (words.limit, limit),
        (words.through, repeat.through),
        (words.into, into),
        (words.before, unlinked),
        (words.about, roughly),
        (words.between, between),
        (words.a, worded),
        (words.past, link),
        (words.number, worded),
        (words.adder, worded),
        (words.fraction, worded),
        (words.unit, lone_unit),
        (words.fraction, worded),
        (words.half, worded),
        (words.half_day, halved),
        (words.alternate, repeat.alternate),
        (words.now, now),
        (words.same_time, same_time),
        (words.quarter, worded),
        (words.ordinal, dates.ordinals),
        (words.edge, dates.edge),
        (words.both, spans.both),
        (words.plus, spans.plus),
        (words.clock, named),
        (words.part, dates.part),
        (words.at, at),
        (words.month, dates.month),
        (words.weekday, dates.weekday),
        (words.plural, repeat.plural),
        (words.day, dates.day),
        (words.holiday, dates.holiday),
        (words.month_end, dates.month_end),
        (words.next, dates.following),
        (words.this, dates.this),
        (words.every, repeat.every),
        (words.often, repeat.often),
        (words.sets, repeat.sets),
        (words.once, repeat.once),
        (words.times - words.time_word, repeat.times),
        (words.twice, repeat.twice),
        (words.thrice, repeat.twice),
        (words.until, until),
        (words.starting, starting),
        (words.but, repeat.excepting),
    ):
        found.update(dict.fromkeys(table, reader))
    roles(code)
    found.update((word, zones.abbreviated) for word in zones.abbreviations() if word not in found)
    found["-"], found["/"] = repeat.through, link
    found.figure, found.other = digits, zones.unknown
    if not words.until.isdisjoint(words.behind):
        dated = {word: found[word] for table in (words.weekday, words.month, words.day) for word in table}
        found.update((word, _before_until(reader)) for word, reader in dated.items())
        found.figure = _before_until(digits)
    return found


def _before_until(reader: Reader) -> Reader:
    """The reader of a word that may begin the last day of what repeats: "har din 3 December tak"."""

    def read(p: Phrase, i: int) -> int:
        return (repeat.until_behind(p, i) if p.freq and i else 0) or reader(p, i)

    return read


def link(p: Phrase, i: int) -> int:
    if p.at == i:
        p.at = i + 1  # "at about 5"
    if (p.holiday != "" or p.month or p.days) and p.words[i] in p.lexicon.on and _is_apart(p, i + 1):
        return 0
    return -(i + 1)


def _is_apart(p: Phrase, j: int) -> bool:
    """Whether "on" begins another date: "bonfire night on 5 november", "Dr May on the 8th", "the 30th, on the 29th"."""
    if p.days and p.freq == "":
        j += p.word(j) in p.lexicon.the
        return p.word(j) in p.lexicon.ordinal or (p.word(j).isdecimal() and p.word(j + 1) in p.lexicon.suffix)
    return p.freq == "" and (p.holiday != "" or (p.days is None and p.nths is None and not p.edge and p.into < 0))


def unlinked(p: Phrase, i: int) -> int:
    """ "before" links after a length of time, where it has been read already; "tomorrow before 4pm" is at 4."""
    if p.hour >= 0 or p.span:
        return 0
    if not p.has_day() and (p.word(i + 1) in p.lexicon.weekday or dates.names_day(p, i + 1)):
        return -(i + 1)  # "before friday" is by then
    dated, j = p.has_day(), clocks.clock(p, i + 1 + (p.word(i + 1) in p.lexicon.at))
    more = p.word(j) in p.lexicon.part or _begins_day(p, j)
    if j and (dated or p.half or p.by_name or more or j == len(p.words)):
        p.firm = True
        return j
    p.hour = -1
    return 0


def _begins_day(p: Phrase, j: int) -> bool:
    """Whether a day comes, so that the figure before it was an hour: "before 5 on friday"."""
    linked = p.word(j) in p.lexicon.on
    j += linked
    word, lexicon = p.word(j), p.lexicon
    if word in lexicon.sets or word in lexicon.plural:
        return True
    return word in lexicon.day or word in lexicon.weekday or (linked and dates.names_day(p, j))


def roughly(p: Phrase, i: int) -> int:
    """ "around 1030"."""
    if p.words[i] in p.lexicon.topic and p.has_day() and not _is_time(p, i + 1):
        return 0  # "friday about the 5th grade play"
    p.at = i + 1
    return -(i + 1)


def _is_time(p: Phrase, i: int) -> bool:
    """Whether a time comes after "friday about", and not so many things."""
    word, lexicon = p.word(i), p.lexicon
    if p.hour >= 0 or not word or "/" in word or "-" in word or word in lexicon.month or word in lexicon.the:
        return False
    counts = word.isdecimal() or (word in lexicon.number and word not in lexicon.a)
    after = p.word(i + 1)
    if word in lexicon.holiday or word in lexicon.weekday or word in lexicon.day:
        return False  # "on 2/10 about Gandhi Jayanti"
    if not counts or not after or after in lexicon.topic:
        return True
    timed = after in lexicon.half_day or after in lexicon.oclock or after in lexicon.part or after in lexicon.to
    timed = timed or after in lexicon.past or after in lexicon.verbs or after in lexicon.at or after in lexicon.on
    return timed or after in lexicon.into or after in lexicon.day or after in lexicon.pm_short


def between(p: Phrase, i: int) -> int:
    if p.freq == "HOURLY" and (j := repeat.hours_between(p, i)):
        return j
    p.between = True
    p.at = i + 1
    return -(i + 1)


def halved(p: Phrase, i: int) -> int:
    """ "3 in the am": am or pm apart from its hour."""
    if p.hour < 0 or p.half or p.exact:
        return 0
    p.half, p.firm = p.lexicon.half_day[p.words[i]], True
    return i + 1


def oclock(p: Phrase, i: int) -> int:
    """ "9:00 AM baje": said once more after am or pm, as our own echo has it."""
    return i + 1 if p.half and p.words[i - 1] in p.lexicon.half_day else 0


def now(p: Phrase, i: int) -> int:
    """ "now", "now + 40 minutes", "15 minutes after now"."""
    if p.has_day() or p.hour >= 0 or p.part or (p.span and not p.anchored):
        return 0
    p.span = True
    return i + 1


def at(p: Phrase, i: int) -> int:
    """A time comes, unless a day does."""
    p.at = i + 1
    j = clocks.clock(p, i + 1)
    if j:
        p.firm = True
        return j
    return -(i + 1)


def same_time(p: Phrase, i: int) -> int:
    """ "this time tomorrow"."""
    return clocks.set_time(p, p.now.hour, p.now.minute, 0, True, i + 1)


def into(p: Phrase, i: int) -> int:
    p.into = i + 1
    return -(i + 1)


def named(p: Phrase, i: int) -> int:
    p.firm = True
    return clocks.named(p, i)


def until(p: Phrase, i: int) -> int:
    if p.freq and p.words[i] in p.lexicon.behind and i > 1 and p.words[i - 2] in p.lexicon.through:
        return i + 1  # "somvar se shukravar tak 9 baje"
    return repeat.through(p, i) or repeat.until(p, i) or (limit(p, i) if p.words[i] in p.lexicon.limit else 0)


def limit(p: Phrase, i: int) -> int:
    """ "for": so many times, so long; but not how long each takes."""
    return 0 if repeat.lasts(p, i + 1) else link(p, i)


def starting(p: Phrase, i: int) -> int:
    return repeat.starting(p, i)


def lone_unit(p: Phrase, i: int) -> int:
    """A unit without a number: "the day", "of the month"; "monday of next week" has been read already."""
    unit = p.lexicon.unit[p.words[i]]
    if p.word(i + 1) in p.lexicon.coming:
        return dates.next_unit(p, i, i + 2)
    after = p.word(i + 1)
    if unit == "day" and p.freq in ("MONTHLY", "YEARLY") and not p.days and after.isdecimal() and len(after) <= 2:
        p.days, p.firm = [int(after)], True
        return i + 2  # "every month on day 5", as we echo it
    if after in p.lexicon.both and 0 < number(p.lexicon, p.words, i + 2)[0] < 1:
        return spans.span(p, 1, i)  # "hour and a half"
    if after in p.lexicon.hence and after not in p.lexicon.into and not p.has_day():
        return spans.span(p, 1, i)  # "hour from now"
    within = p.into == i or (p.into == i - 1 and p.words[i - 1] in p.lexicon.the and unit == "hour")
    if within or (after in p.lexicon.before or after in p.lexicon.of_from) and not p.freq and not p.has_day():
        return spans.span(p, 1, i)  # "in the week", "the day before christmas"
    if p.freq and unit in repeat.SETS:
        p.weekdays = [*(p.weekdays or []), *repeat.SETS[unit]]
        return i + 1
    if p.word(i + 1) in p.lexicon.after_next and unit in ("week", "month"):
        return dates.after_next_unit(p, unit, i + 2)
    often = p.lexicon.part if unit == "weekday" else p.lexicon.part_every
    if unit in repeat.SETS and after in often and not p.has_day():
        p.freq, p.weekdays, p.firm = "WEEKLY", list(repeat.SETS[unit]), True
        return i + 1  # "weekend mornings"
    if unit == "weekend" and p.weekday < 0 and not p.holiday:
        p.more_weeks = 2 * (after in p.lexicon.after_next)
        p.name_weekend()
        return i + 1 + (p.more_weeks > 0)
    if unit == "month" and (p.days is not None or p.nths is not None):
        p.of_month = True
        return i + 1  # "the last day of the month"
    if unit == "year" and not p.freq and dates.of_year(p):
        return i + 1
    if unit in ("week", "fortnight") and not p.has_day() and (after in p.lexicon.on or after in p.lexicon.day):
        return spans.span(p, 1, i)  # "week on friday", "fortnight tomorrow"
    if unit in ("month", "year", "week") and p.edge and not p.freq and not p.month:
        return _edge_of(p, unit, i)
    return i + 1 if p.freq and p.lexicon.unit[p.words[i]] in ("month", "day", "year") else -(i + 1)


def _edge_of(p: Phrase, unit: str, i: int) -> int:
    """ "the beginning of the month"."""
    if unit == "week":
        p.weeks = 0 if p.edge < 0 else 1
    elif unit == "month":
        p.month_shift = 0
    else:
        p.year = p.now.year + (p.edge > 0)
    p.firm = True
    return i + 1
