"""Times of the day: 5:30pm, 17h30, half past five, quarter to six, las 5 y media, noon."""

from __future__ import annotations

from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase

# The last hour that a clock shows, at which the day ends, and the last minute.
HOURS_MAX = 24
MINUTES_MAX = 59
NO_TIME = "no_such_time"
TIMES_MAX = 8
# How far ahead a list of times looks for what makes them repeat.
LISTED_AHEAD_MAX = 6
# Hours on the clock's face between a time with a name and one in figures that cannot mean the same: "noon 5pm".
FAR = range(4, 9)
# Every time as a clock shows it: "5:30", "05:30", "17:30".
SHOWN = {
    f"{hour}:{minute:02}": (int(hour), minute)
    for hour in (*map(str, range(25)), *(f"0{n}" for n in range(10)))
    for minute in range(60)
}
# Of one of several times: said in 24 hours.
EXACT = "exact"


def clock(p: Phrase, i: int) -> int:
    """Read a time of the day that starts at word `i`: the index after it, or 0."""
    if i >= len(p.words):
        return 0
    word = p.words[i]
    if "0" <= word < ":":
        return figures(p, i, word)
    lexicon = p.lexicon
    if word in lexicon.clock:
        return named(p, i)
    if word in lexicon.a and word in lexicon.number and p.at == i and not _counts(p, i + 1):
        return after_hour(p, 1, i + 1, exact=False)  # "a la una"
    if word in lexicon.half or word in lexicon.fraction or word in lexicon.a:
        return fraction(p, i)
    value, j = number(lexicon, p.words, i)
    if value >= 100 and value == int(value):
        return _tail(p, set_time(p, int(value) // 100, int(value) % 100, 0, True, j))  # "at twenty hundred"
    return after_hour(p, value, j, exact=False) if j else 0


def _counts(p: Phrase, j: int) -> bool:
    return p.word(j) in p.lexicon.fraction or p.word(j) in p.lexicon.unit


def figures(p: Phrase, i: int, word: str) -> int:
    """ "5", "17", "530", "1730", "5:30", "5.30", "5:30:15", "7p"."""
    if word[-1] > "9":
        if word[-1] not in "ap" or not word[-2:-1].isdecimal():
            return 0
        return _halved(p, "am" if word[-1] == "a" else "pm", figures(p, i, word[:-1]))
    if word.isdecimal():
        after, lexicon = p.words[i + 1] if i + 1 < len(p.words) else "", p.lexicon
        if after in lexicon.measure:
            return 0  # "bake at 350 degrees"
        if len(word) <= 2:
            half = lexicon.half_day.get(after)
            if half is not None and p.hour < 0:
                p.firm, p.half = True, half  # "5 pm"
                return set_time(p, int(word), 0, 0, word[0] == "0", i + 2)
            exact = len(word) == 2 and word[0] == "0"
            if not after:
                return set_time(p, int(word), 0, 0, exact, i + 1)
            return after_hour(p, int(word), i + 1, exact=exact)
        return _together(p, i, word)
    if (shown := SHOWN.get(word)) is not None:
        p.firm = True
        exact = word[0] == "0" or p.convention.figures_are_24h
        return _tail(p, set_time(p, *shown, 0, exact, i + 1))
    parts = word.replace(".", ":").split(":")
    if len(parts) > 4 or not all(part.isdecimal() and len(part) <= 3 for part in parts) or len(parts[1]) != 2:
        return 0
    second = int(parts[2]) if len(parts) > 2 else 0
    exact = word[0] == "0" or p.convention.figures_are_24h
    p.firm = p.firm or ":" in word or int(parts[0]) > 12
    return _tail(p, set_time(p, int(parts[0]), int(parts[1]), second, exact, i + 1, seconds=len(parts) > 2))


def named(p: Phrase, i: int) -> int:
    """Noon, midnight, end of day."""
    hour, minute = p.lexicon.clock[p.words[i]]
    if p.by_name and p.hour not in (-1, hour):
        return 0  # "midnight at noon"
    if p.hour >= 0 and not p.freq and not p.half and (p.hour + p.counted_back) % 12 == hour % 12:
        p.hour, p.exact = hour - p.counted_back, True
        return i + 1  # "12 o'clock midnight", "five minutes to twelve noon"
    j = set_time(p, hour, minute, 0, True, i + 1)
    p.by_name = j > 0 and not p.freq
    return j


def fraction(p: Phrase, i: int) -> int:
    """ "half past 5", "half 5", "a quarter to six", "three quarters past 9"."""
    lexicon, words = p.lexicon, p.words
    value, j = number(lexicon, words, i)
    if not j or not 0 < value < 1:
        return after_hour(p, value, j, exact=False) if j and words[i] not in lexicon.a else minutes(p, value, j)
    if p.word(j) in lexicon.past or p.word(j) in lexicon.to:
        return _around(p, round(value * 60), j)
    if words[j - 1].rpartition(" ")[2] in lexicon.to and (p.word(j) in lexicon.number or p.word(j).isdecimal()):
        return _around(p, round(value * 60), j - 1, before=True)  # "quarter of six"
    if words[i] in lexicon.half:
        hour, k = number(lexicon, words, j)
        if k and 1 <= hour <= 12 and p.word(k) not in lexicon.unit:
            return _tail(p, set_time(p, int(hour), 30, 0, False, k))
    return 0


def after_hour(p: Phrase, value: float, j: int, *, exact: bool) -> int:
    """The hour is said; `j` is after it: minutes, am or pm, or what shows that it was none."""
    lexicon = p.lexicon
    hour, minute = int(value), 0 if value == int(value) else round(value % 1 * 60)
    if j >= len(p.words):
        return set_time(p, hour, minute, 0, exact, j)
    word = p.words[j]
    if word in lexicon.half_day:
        return _halved(p, lexicon.half_day[word], set_time(p, hour, minute, 0, exact, j + 1))
    if word in lexicon.pm_short:
        return _halved(p, "pm", set_time(p, hour, minute, 0, exact, j + 1))
    if word in lexicon.hour_mark or word in lexicon.oclock:
        return _marked(p, hour, minute, j)
    if word in lexicon.clock and hour == 12:
        return _surely(p, named(p, j))
    if word in lexicon.suffix or word in lexicon.month or (word in lexicon.unit and word not in lexicon.to):
        return minutes(p, value, j)
    if word in lexicon.past or word in lexicon.to:
        return _around(p, hour, j) or set_time(p, hour, minute, 0, exact, j)
    if word in lexicon.hour_plus or word in lexicon.hour_minus:
        return _tail(p, _said_after(p, hour, j) or set_time(p, hour, minute, 0, exact, j))
    said, k = two_figures(p, j)
    if k:
        p.firm = p.firm or p.words[j - 1].isalpha() or p.word(k) in lexicon.half_day
        return _tail(p, set_time(p, hour, said, 0, exact, k))
    return set_time(p, hour, minute, 0, exact, j)


def two_figures(p: Phrase, j: int) -> tuple[int, int]:
    """Minutes said after the hour: "5 30", "ten forty five", "six oh five"."""
    word = p.word(j)
    if word == "-" and p.words[j - 1] in p.lexicon.number:
        j += 1  # "nine-thirty"
        word = p.word(j)
    if not word or (word.isdecimal() and len(word) != 2):
        return 0, 0
    value, k = number(p.lexicon, p.words, j)
    if k and value == 0 and not word.isdecimal():
        value, k = number(p.lexicon, p.words, k)
        return (int(value), k) if k and value < 10 else (0, 0)
    if k and p.at >= 0 and k == len(p.words) and 0 < value < 10 and word in p.lexicon.number:
        return int(value), k  # "at eleven five"
    if not k or not (word.isdecimal() or word in p.lexicon.number) or not (word.isdecimal() or 10 <= value < 60):
        return 0, 0
    after = p.word(k)
    taken = after in p.lexicon.unit or after in p.lexicon.month or after in p.lexicon.suffix
    listed = p.freq != "" and (after in p.lexicon.both or after.isdecimal())
    return (0, 0) if taken or listed or value >= 60 or after in p.lexicon.times else (int(value), k)


def set_time(p: Phrase, hour: int, minute: int, second: int, exact: bool, j: int, *, seconds: bool = False) -> int:
    """Keep the time; `j`, or 0 where the phrase has one already. What cannot be is kept as a problem."""
    if (hour > 23 and (hour > 24 or minute > 0)) or minute > 59 or second > 59:
        p.problem = p.problem or NO_TIME
    if p.span_seconds and not p.anchored:
        return 0  # "30 minutes at 5pm" is how long, and when
    if p.hour >= 0:
        if not p.by_name:
            listed = p.freq or p.listing or (not p.inner and repeats_later(p, j))  # "8am, 12pm and 6pm daily"
            if not listed or len(p.more_times or ()) >= TIMES_MAX:
                return 0
            p.listing = True
            p.more_times = [*(p.more_times or []), (hour, minute, EXACT if exact else "")]
            p.timed_apart = p.timed_apart or p.weekday_last
            return j
        if (hour - p.hour) % 12 in FAR:
            return 0  # "noon 5pm"
        p.by_name = False
    p.hour, p.minute, p.exact = hour, minute, exact
    if p.weekday_last:
        p.weekday_last = False
    if seconds:
        p.second, p.in_seconds = second, True
    return j


def repeats_later(p: Phrase, i: int) -> bool:
    """Whether "every" or "daily" comes soon."""
    lexicon = p.lexicon
    ahead = p.words[i : i + LISTED_AHEAD_MAX]
    return not (lexicon.often.keys().isdisjoint(ahead) and lexicon.every.isdisjoint(ahead))


def _surely(p: Phrase, j: int) -> int:
    """The time that was read is hardly anything else."""
    p.firm = p.firm or j > 0
    return j


def _halved(p: Phrase, half: str, j: int) -> int:
    """The time that was read last is before or after noon."""
    p.firm = p.firm or j > 0
    if j and p.more_times:
        hour, minute, _ = p.more_times.pop()
        p.more_times.append((hour, minute, half))
    elif j:
        p.half = half
    return j


def _together(p: Phrase, i: int, word: str) -> int:
    """ "530" and "1730"."""
    if len(word) > 4 or (len(word) == 3 and int(word[1:]) > 59):
        return 0  # "at 180 degrees"
    j = _tail(p, set_time(p, int(word[:-2]), int(word[-2:]), 0, word[0] == "0", i + 1))
    return j + (j > 0 and p.word(j) in p.lexicon.hour_mark)


def _tail(p: Phrase, j: int) -> int:
    """What may follow a whole time: "o'clock", "h", am or pm."""
    if not j or j >= len(p.words):
        return j
    word, lexicon = p.words[j], p.lexicon
    if word in lexicon.oclock and word not in lexicon.hour_mark:
        j += 1
        word = p.word(j)
    if word in lexicon.half_day:
        return _halved(p, lexicon.half_day[word], j + 1)
    if word in lexicon.pm_short:
        return _halved(p, "pm", j + 1)
    return j


def _marked(p: Phrase, hour: int, minute: int, j: int) -> int:
    """ "17h", "17h30", "5 o'clock", "9 baje"."""
    word = p.word(j + 1)
    if p.words[j] in p.lexicon.hour_mark and word.isdecimal() and len(word) == 2:
        return _surely(p, _tail(p, set_time(p, hour, int(word), 0, True, j + 2)))
    if p.words[j] not in p.lexicon.oclock and p.words[j] not in p.lexicon.hour_mark:
        return 0
    exact = p.words[j] in p.lexicon.hour_mark and p.words[j] not in p.lexicon.a and len(p.words[j]) == 1
    return _tail(p, set_time(p, hour, minute, 0, exact, j + 1))


def minutes(p: Phrase, value: float, j: int) -> int:
    """ "20 minutes past 3", "5 mins to 2"."""
    if j >= len(p.words) or p.lexicon.unit.get(p.words[j]) != "minute" or value != int(value):
        return 0
    after = p.word(j + 1)
    return _around(p, int(value), j + 1) if after in p.lexicon.past or after in p.lexicon.to else 0


def _around(p: Phrase, minutes: int, j: int, *, before: bool = False) -> int:
    """Minutes past or to the hour that is named at `j` + 1."""
    if minutes > 59:
        return 0
    before = before or p.words[j] in p.lexicon.to
    word = p.word(j + 1)
    if word in p.lexicon.clock:
        hour, k = p.lexicon.clock[word][0], j + 2
    else:
        value, k = number(p.lexicon, p.words, j + 1)
        if not k or word in p.lexicon.a or value != int(value) or not 0 <= value <= 24 or minutes > 59:
            return 0
        after = p.word(k)
        if after in p.lexicon.unit and after not in p.lexicon.oclock and after not in p.lexicon.weekday:
            return 0
        hour = int(value)
        later, m = two_figures(p, k)
        if m and before and later > minutes:  # "three mins to five thirty"
            return _surely(p, _tail(p, set_time(p, hour, later - minutes, 0, False, m)))
    exact = word in p.lexicon.clock
    p.counted_back = int(before and minutes > 0 and not exact)
    said = ((hour - 1) % 24 or (12 if not exact else 0), 60 - minutes) if before and minutes else (hour, minutes)
    if exact and not before:
        said = (hour % 24, minutes)
    return _surely(p, _tail(p, set_time(p, said[0], said[1], 0, exact, k)))


def _said_after(p: Phrase, hour: int, j: int) -> int:
    """ "las 5 y media", "las 6 menos cuarto", "las 5 y 20"."""
    value, k = number(p.lexicon, p.words, j + 1)
    if not k:
        return 0
    minutes = round(value * 60) if value < 1 else int(value)
    if not 0 < minutes < 60 or p.word(k) in p.lexicon.oclock:
        return 0
    if p.words[j] in p.lexicon.hour_minus:
        hour, minutes = (hour - 1) % 24 or 12, 60 - minutes
    return set_time(p, hour, minutes, 0, False, k)
