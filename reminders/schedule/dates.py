"""Days as people name them: tomorrow, next friday, the 5th, 25 dec, 12/25, the first monday of june, easter."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from reminders.schedule.clock import EXACT, clock, set_time
from reminders.schedule.days import ordinal
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase
from reminders.schedule.resolve import in_part
from reminders.schedule.spans import span

NO_DATE: Final = "no_such_date"
# "the 1st, the 5th and the 10th": nobody lists more.
LISTED_MAX: Final = 8
DAYS_MAX: Final = 31
# An ordinal suffix that is said of nothing but a day of the month: "15 tarikh".
SURE: Final = 2
DAY_END_HOUR: Final = 17


def day(p: Phrase, i: int) -> int:
    """Today, tomorrow."""
    if p.offset is not None or p.days is not None or p.fixed is not None or p.month or p.weekday >= 0:
        return _again(p, i)
    if p.holiday:
        return 0  # "christmas shopping" without its noun: "christmas tomorrow"
    lexicon, word, j = p.lexicon, p.words[i], i + 1
    if word in lexicon.day_past:
        if lexicon.day.get(p.word(j)) == 1:
            p.offset, p.firm = 2, True
            return _weeks_on(p, j + 1)  # "day after" and a tomorrow that is spelt anyhow
        if names_day(p, j):
            p.anchored = p.firm = p.span = True
            p.span_days += 1
            return j  # "the day after christmas"
    if p.span_seconds and not p.anchored and p.into < 0:
        return 0  # "25h tomorrow"
    p.offset = lexicon.day[word]
    if p.edge:
        _end_of_day(p)
    p.firm = True
    return _weeks_on(p, j) if j < len(p.words) and p.words[j] in lexicon.after_day else j


def _again(p: Phrase, i: int) -> int:
    """ "friday, tomorrow, at 4": the same day twice."""
    named = p.now.toordinal() + p.lexicon.day[p.words[i]]
    alone = p.days is None and p.fixed is None and not p.month and p.offset is None and not p.week_mod
    if not alone or p.freq or (named - 1) % 7 != p.weekday:
        return 0
    p.weekday, p.offset = -1, p.lexicon.day[p.words[i]]
    return i + 1


def part(p: Phrase, i: int) -> int:
    """Morning, tonight: a part of the day."""
    word = p.words[i]
    if p.freq and p.hour >= 0 and p.part and (j := time_of_part(p, i)):
        return j
    if (p.part and p.part != p.lexicon.part[word]) or (p.span_seconds and not p.anchored and p.into < 0):
        return 0  # "20 min tonight at 7" is how long, and when
    if i and word in p.lexicon.unit and p.lexicon.counted_by(p.words[i - 1], word):
        return 0  # "for 2 nights"
    if p.offset and word in p.lexicon.part_today:
        return 0  # "lunch for tomorrow, tonight at 9"
    p.part = p.lexicon.part[word]
    p.firm = p.firm or p.hour >= 0
    if word in p.lexicon.part_every and not p.freq and not p.inner and (p.weekday >= 0 or not p.has_day()):
        p.freq, p.firm = "DAILY", True  # "mornings at 9", "friday nights"
        if p.weekday >= 0:
            p.freq, p.weekdays, p.weekday = "WEEKLY", [p.weekday], -1
    if word in p.lexicon.part_today:
        p.offset = 0 if p.offset is None and not p.has_day() else p.offset
        p.firm = True
    return i + 1


def time_of_part(p: Phrase, i: int) -> int:
    """The other time of "daily at 8 in the morning and 9 at night", "roz subah 6 aur raat 9": the index after it."""
    part = p.lexicon.part[p.words[i]]
    if p.more_times and p.more_times[-1][2] == "" and number(p.lexicon, p.words, i + 1)[1] == 0:
        j = i + 1  # the part stands behind its time
    else:
        at = i + 1 + (p.word(i + 1) in p.lexicon.at or p.word(i + 1) in p.lexicon.joint)
        listed, p.listing = len(p.more_times or ()), True
        j = clock(p, at) if number(p.lexicon, p.words, at)[1] or p.word(at)[:1].isdecimal() else 0
        if not j or len(p.more_times or ()) <= listed:
            return 0
    hour, minute, half = (p.more_times or [])[-1]
    if not half:
        (p.more_times or [])[-1] = (in_part(hour, part) % 24, minute, EXACT)
    return j


def weekday(p: Phrase, i: int) -> int:
    """Monday, and what follows it: "monday week", "friday after next"."""
    value = p.lexicon.weekday[p.words[i]]
    if p.span_seconds and not p.anchored and not p.freq:
        return 0  # "60 minutes on sunday" is how long, and when
    if p.nths is not None and p.nth_weekday < 0 and p.month == 0:
        p.nth_weekday = value
        p.firm = True
        return i + 1
    if p.freq == "YEARLY" and p.words[i] in p.lexicon.month and _lacks_month(p, i):
        return month(p, i)  # "cada año el dia 3 de mar"
    if p.freq:
        return repeated(p, value, i)
    if p.offset is not None and p.hour >= 0 and (p.now.toordinal() + p.offset - 1) % 7 != value:
        return 0  # "tomorrow at 9am: Sun 32 inch TV"
    if p.days and not p.month and p.words[i] in p.lexicon.month:
        return month(p, i)  # "1 mar": martes and marzo
    if p.weekday >= 0:
        return _several(p, value, i)
    if p.month and p.days and not p.firm and not _falls_on(p, value):
        return 0  # "repair 12-14 on friday": the figures were no date
    if p.into >= 0 and p.span_days and p.span_days % 7 == 0 and not (p.anchored or p.span_seconds or p.span_months):
        p.weeks, p.span, p.span_days = p.span_days // 7, False, 0  # "in 3 weeks on thursday"
        p.other_days = 7 * (value < p.now.weekday())
    if p.compact and (p.fixed is None or (p.fixed - 1) % 7 != value):
        return 0  # "order 20260915 on friday"
    p.weekday = value
    p.firm = True
    if p.edge:
        _end_of_day(p)
    j = i + 1
    return _weeks_on(p, j) if j < len(p.words) and p.words[j] in p.lexicon.after_day else j


def _lacks_month(p: Phrase, i: int) -> bool:
    """Whether a day of a month was said, and the month is still to come, or another of them."""
    if p.month:
        return p.words[i - 1] in p.lexicon.month
    return bool(p.days) or p.nth_weekday >= 0


def listed(p: Phrase, i: int) -> int:
    """One of several days of the month in a row: "day 1, 5 and 15 at 9", "1 aur 15 tarikh ko"."""
    lexicon, k = p.lexicon, i + 1
    while p.word(k) in lexicon.both or (p.word(k).isdecimal() and len(p.words[k]) <= 2):
        k += 1
    day = int(p.words[i])
    if k == i + 1 or not 1 <= day <= DAYS_MAX or p.hour >= 0 or len(p.days or ()) >= LISTED_MAX:
        return 0
    closed = p.word(k) in lexicon.at or p.word(k + 1) in lexicon.month
    goes_on = bool(p.days) and p.words[i - 1].isdecimal() and closed
    if not goes_on and lexicon.tables["ordinal_suffix"].get(p.word(k)) != SURE:
        return 0
    p.days, p.firm = [*(p.days or []), day], True
    return i + 1


def is_single(p: Phrase, i: int, j: int) -> bool:
    """Whether "a" stands with a weekday: "every 4 weeks on a friday", "un viernes sí y otro no"."""
    return p.word(j + 1) in p.lexicon.by_turns or (i > 0 and p.words[i - 1] in p.lexicon.on)


def _end_of_day(p: Phrase) -> None:
    """ "the end of tomorrow": a time, unless one is said."""
    if p.edge < 0 <= set_time(p, DAY_END_HOUR, 0, 0, True, 1) - 1:
        p.by_name = True
    p.edge = 0


def _falls_on(p: Phrase, weekday: int) -> bool:
    """Whether the date in figures is such a weekday this year or next."""
    years = (p.now.year, p.now.year + 1)
    found = [ordinal(year, p.month, (p.days or [0])[0]) for year in years]
    return any(day is not None and (day - 1) % 7 == weekday for day in found)


def month(p: Phrase, i: int) -> int:
    """ "june", "june 5", "june 5 2027": the figures after it are read as its day and year."""
    value = p.lexicon.month[p.words[i]]
    if p.month:
        if not p.freq or len(p.months or ()) >= LISTED_MAX:
            return 0
        p.months = [*(p.months or [p.month]), value]
        p.paired = p.paired or len(p.days or ()) != p.days_named
    if p.offset is not None and is_another(p, value, p.word(i + 1)):
        return 0
    if p.hour >= 0 and p.has_day() and not (p.days or p.nths or p.freq or p.edge) and not _numbered(p, i + 1):
        return 0  # "sunday 4pm Mai ke liye saree"
    if p.days:
        if p.month == 0 and p.words[i - 1] in p.lexicon.on and p.words[i - 1] not in p.lexicon.the:
            return 0  # "the 1st, on feb 27"
        p.days_named = len(p.days)
    p.month = value
    return i + 1


def _numbered(p: Phrase, j: int) -> bool:
    """Whether a day of the month stands there, or only links do."""
    while p.word(j) in p.lexicon.the or p.word(j) in p.lexicon.joint:
        j += 1
    word = p.word(j)
    return word[:1].isdecimal() or word in p.lexicon.ordinal or word in p.lexicon.number


def is_another(p: Phrase, month: int, day: str) -> bool:
    """Whether a date after "tomorrow at 9am" is another day than that, and so part of what it is about."""
    if p.offset is None or p.hour < 0 or p.days:
        return False
    named = p.now + timedelta(days=p.offset)
    return month not in (0, named.month) or day != str(named.day)


def holiday(p: Phrase, i: int) -> int:
    if p.holiday:
        return 0
    p.holiday = p.lexicon.holiday[p.words[i]]
    p.firm = True
    return i + 1


def edge(p: Phrase, i: int) -> int:
    """ "the end of june", "the start of each month"; not the verb of "at 4 start dinner"."""
    j = i + 1 + (p.word(i + 1) == "-" and p.word(i + 2) in p.lexicon.month)  # "mid-march"
    if not p.freq and not _goes_on(p, p.word(j)):
        return 0
    p.edge = p.lexicon.edge[p.words[i]]
    j += not p.freq and p.word(j) in p.lexicon.joint and p.word(j + 1) in p.lexicon.the  # "by the end [of] the week"
    return j if p.freq else -j


def _goes_on(p: Phrase, word: str) -> bool:
    lexicon = p.lexicon
    named = word in lexicon.month or word in lexicon.unit or word in lexicon.day or word in lexicon.weekday
    return named or word in lexicon.joint or word in lexicon.the or word in lexicon.next or word in lexicon.this


def month_end(p: Phrase, i: int) -> int:
    p.edge, p.month_shift = -1, 0
    p.firm = True
    return i + 1


def following(p: Phrase, i: int) -> int:
    """ "next": a week, a month, two years, a weekday, a holiday, a weekend, a working day."""
    word, lexicon = p.words[i + 1] if i + 1 < len(p.words) else "", p.lexicon
    if word in lexicon.unit and word not in lexicon.weekday:
        return next_unit(p, i + 1, i + 2)
    if word in lexicon.weekday:
        p.week_mod = "next"
    elif word in lexicon.month:
        p.year_shift = 0
    elif word not in lexicon.holiday and word not in lexicon.part:
        value, j = number(lexicon, p.words, i + 1)
        if not j or p.word(j) not in lexicon.unit:
            return 0
        p.firm = True
        return span(p, value, j)
    return -(i + 1)


def this(p: Phrase, i: int) -> int:
    """ "this friday", "this week", "this may 8th"."""
    word, lexicon = p.word(i + 1), p.lexicon
    if word in lexicon.this:
        return -(i + 1)  # "this coming friday"
    if p.words[i] in lexicon.coming and i and (p.words[i - 1] in lexicon.being or p.words[i - 1].endswith("'s")):
        return 0  # "the plumber is coming friday"
    if word in lexicon.unit and word not in lexicon.weekday:
        unit = lexicon.unit[word]
        if unit == "week":
            p.weeks = 0
        elif unit == "month":
            p.month_shift = 0
        elif unit == "weekend":
            p.name_weekend()
        elif unit == "year" and (p.month or p.holiday or p.nths is not None or p.edge or of_year(p)):
            p.year = p.now.year
        elif unit == "day" and word in lexicon.part:
            p.offset, p.part = 0, lexicon.part[word]
        elif unit == "day" and not p.has_day():
            p.offset = 0
        else:
            return 0
        p.firm = True
        return i + 2
    if word in lexicon.weekday:
        p.week_mod = "this"
    elif word in lexicon.part:
        p.offset, p.firm = p.offset or 0, True  # "this evening"
    elif word not in lexicon.month and word not in lexicon.holiday and word not in lexicon.clock:
        return day(p, i) if p.words[i] in lexicon.day else 0
    return -(i + 1)


def ordinals(p: Phrase, i: int) -> int:
    """ "first", "last", "second and fourth", "twenty first": of weekdays, of days of the month."""
    lexicon = p.lexicon
    if p.words[i] in lexicon.other and lexicon.behind and p.word(i + 1) not in lexicon.weekday:
        return 0  # "dusre doctor ko" is another one
    return nth(p, lexicon.ordinal[p.words[i]], i + 1)


def nth(p: Phrase, value: int, j: int) -> int:
    """An ordinal was said; `j` is after it."""
    lexicon = p.lexicon
    word = p.words[j] if j < len(p.words) else ""
    if value == -1 and word in lexicon.part and not p.freq:
        return 0  # "last night"
    if value == -1 and p.words[j - 1] not in lexicon.last and p.word(j) in lexicon.weekday and not p.freq:
        beyond = p.word(j + 1)
        if beyond not in lexicon.joint and beyond not in lexicon.into:
            return 0  # "wimbledon final sunday 4pm"
    if value > DAYS_MAX and not p.freq and not p.month and j >= 3 and not _awaited(p, j - 3, j):
        return 0  # "nan's 80th"
    if p.offset is not None and is_another(p, 0, str(value)):
        return 0  # "tomorrow at 9am: thirty first aid kits"
    if (p.days or p.nths) and len(p.days or ()) + len(p.nths or ()) >= LISTED_MAX:
        return 0
    if value > 0 and word in lexicon.to and lexicon.ordinal.get(p.word(j + 1)) == -1:
        j += 1  # "the second to last friday"
        word = p.words[j]
    if value > 0 and lexicon.ordinal.get(word) == -1:
        value, j = -value, j + 1
        word = p.word(j)
    unit = lexicon.unit.get(word, "")
    if unit == "weekend" and abs(value) <= 5:
        p.nths, p.nth_weekday, p.firm = [*(p.nths or []), value], 5, True
        return j + 1
    if word in lexicon.weekday or word in lexicon.plural:
        return _nth_weekday(p, value, j)
    if word in lexicon.both or word == "-":
        after, k = _ordinal_at(p, j + 1)
        if k:
            p.nths = [*(p.nths or []), value]
            return nth(p, after, k)
    if p.nths is not None and p.nth_weekday < 0:
        p.days, p.nths = [*(p.days or []), *p.nths], None
    if value == -1 and not p.freq and not (unit or word in lexicon.joint or not word):
        return 0  # "last thing"
    if value == -1 and unit not in ("", "day", "weekday"):
        return 0
    if unit == "month" and not p.freq:
        return 0  # "the 13th month"
    p.days = [*(p.days or []), value]
    p.firm = True
    if unit == "weekday" and not p.of_working:
        p.of_working = True  # "the last working day"
        return j + 1
    if value > 31:
        p.problem = p.problem or NO_DATE
    return j + (unit == "day" or word in lexicon.day_word)


def _weeks_on(p: Phrase, j: int) -> int:
    """ "monday week", "tomorrow fortnight", "friday after next"."""
    if j >= len(p.words):
        return j
    lexicon, word = p.lexicon, p.words[j]
    if word in lexicon.after_next:
        p.more_weeks = 1
        return j + 1
    after = word in lexicon.of_from and word in lexicon.into
    if (after or word in lexicon.before) and p.weekday >= 0 and not p.week_mod and names_day(p, j + 1):
        return _beside(p, 1 if after else -1, j + 1)
    if word in lexicon.coming:
        return j + 1
    unit = lexicon.unit.get(word)
    if unit in ("week", "fortnight") and len(word) > 1:
        p.more_weeks = 1 if unit == "week" else 2
        return j + 1
    return j


def _beside(p: Phrase, sign: int, j: int) -> int:
    """ "the friday before christmas": as a length of time that ends on the weekday."""
    p.beside, p.weekday, p.sign = p.weekday, -1, sign
    p.span = p.anchored = p.firm = True
    return j


def repeated(p: Phrase, value: int, i: int) -> int:
    """Another weekday of what repeats; "monday to friday" is all between."""
    weekdays = p.weekdays or []
    if p.run and weekdays:
        at = weekdays[-1]
        weekdays = [*weekdays, *((at + n) % 7 for n in range(1, (value - at) % 7 + 1))]
    elif value not in weekdays:
        weekdays = [*weekdays, value]
    p.run = False
    p.weekdays, p.weekday_last = weekdays, True
    p.freq = "WEEKLY" if p.freq == "DAILY" and p.interval == 1 else p.freq
    p.firm = True
    return i + 1


def after_next_unit(p: Phrase, unit: str, j: int) -> int:
    """ "the week after next"."""
    if unit == "week":
        p.weeks = 2
    else:
        p.month_shift = 2
    p.firm = True
    return j


def _several(p: Phrase, value: int, i: int) -> int:
    """ "mon wed fri": weekdays in a row repeat; "for Mo on thursday" is one of them."""
    lexicon = p.lexicon
    if p.words[i - 1] in lexicon.on and p.words[i - 1] not in lexicon.behind and p.words[i - 2] not in lexicon.both:
        return 0
    if p.inner or p.week_mod or p.weeks is not None or p.days is not None or value == p.weekday:
        return 0
    p.freq, p.weekdays, p.weekday = "WEEKLY", [p.weekday, value], -1
    return i + 1


def of_year(p: Phrase) -> bool:
    """ "the first day of", "the last day of" the year: takes the month that it is in."""
    if p.month or p.days not in ([1], [-1]):
        return False
    p.month, p.days = (1, [1]) if p.days == [1] else (12, [31])
    return True


def next_unit(p: Phrase, i: int, j: int) -> int:
    """The unit at `i` is the next one; `j` is after all that says so."""
    unit = p.lexicon.unit[p.words[i]]
    if unit == "week":
        p.weeks = 1
    elif unit == "month":
        p.month_shift = 1
    elif unit == "weekday":
        p.working = 1
    elif unit == "weekend":
        p.weekday, p.week_mod = 5, "next"
    elif unit == "day":
        p.offset = 1
    elif unit == "year" and not p.year and not p.freq and _dated(p, j):
        p.year = p.now.year + 1  # "may 5 next year", "next year in may"
    elif unit in ("year", "fortnight", "quarter", "hour", "minute", "second"):
        return max(span(p, 1, i), j)
    else:
        return 0
    p.firm = True
    return j


def _dated(p: Phrase, j: int) -> bool:
    """Whether a year is meant of the date around it."""
    if p.month or p.holiday or p.nths is not None or p.edge or of_year(p):
        return True
    word = p.word(j + (p.word(j) in p.lexicon.on or p.word(j) in p.lexicon.into))
    return word in p.lexicon.month or word in p.lexicon.holiday


def names_day(p: Phrase, j: int) -> bool:
    lexicon = p.lexicon
    j += p.word(j) in lexicon.the
    word = p.word(j)
    if not word:
        return False
    named = word in lexicon.holiday or word in lexicon.month or word in lexicon.weekday or word in lexicon.ordinal
    dated = word.isdecimal() and p.word(j + 1 + (p.word(j + 1) in lexicon.joint)) in lexicon.month
    return named or dated or ("/" in word and word[0].isdecimal()) or p.word(j + 1) in lexicon.suffix


def _awaited(p: Phrase, i: int, j: int) -> bool:
    """Whether the word at `i` announces a day, or a month follows it: "on the 45th", "32nd of june"."""
    lexicon = p.lexicon
    month = p.word(j + (p.word(j) in lexicon.joint)) in lexicon.month
    return month or p.words[i] in lexicon.the or p.words[i] in lexicon.on


def _nth_weekday(p: Phrase, value: int, j: int) -> int:
    lexicon = p.lexicon
    word = p.words[j]
    p.nths = [*(p.nths or []), value]
    p.nth_weekday = lexicon.weekday[word] if word in lexicon.weekday else lexicon.plural[word]
    p.firm = True
    if (
        (word in lexicon.plural or (len(p.nths) > 1 and _of_the_month(p, j + 1)))
        and not p.freq
        and not p.inner
        and not p.month
    ):
        p.freq = "MONTHLY"  # "first and third tuesdays", "first and third friday of the month"
    return j + 1


def _of_the_month(p: Phrase, j: int) -> bool:
    """Whether "of the month" comes, and not "of each month" or "of june"."""
    k = j + 1 + (p.word(j + 1) in p.lexicon.the)
    return p.word(j) in p.lexicon.joint and p.lexicon.unit.get(p.word(k)) == "month"


def _ordinal_at(p: Phrase, k: int) -> tuple[int, int]:
    word = p.word(k)
    if word in p.lexicon.ordinal:
        return p.lexicon.ordinal[word], k + 1
    if word.isdecimal() and len(word) <= 2 and p.word(k + 1) in p.lexicon.suffix:
        return int(word), k + 2
    return 0, 0
