"""What cannot be, anywhere in a message: "feb 30", "25:00" and "32/13/2026" are refused also beside a date that can."""

from __future__ import annotations

from typing import Final

from reminders.grammar.sentence import STOPS, Cut, Sentence
from reminders.schedule import days
from reminders.schedule.clock import HOURS_MAX, MINUTES_MAX

DAYS_MAX: Final = 31
# "at 27": up to here an hour that no day has; beyond it a price or a house.
HOURS_MEANT_MAX: Final = 29
YEAR_MIN, YEAR_MAX = 1900, 2199
CENTURY: Final = 2000
LEAP_YEAR: Final = 2028
# A day that is no day of "31/4", beside a month that is one.
DAY_MEANT_MAX: Final = 39
TIME_FIGURES: Final = 2
# The value of an ordinal's suffix after which a figure is a day of the month and nothing else.
SURE: Final = 2


def cannot_be(sentence: Sentence, i: int, chosen: Cut) -> int:
    """The index after what starts at word `i` and is no time and no date; below 0 after a date that can be; else 0.

    A number is one only where it can hardly be anything else: not "feb 30 tickets", nor "Matthew 25:35". `chosen`:
    the date that the message is about otherwise.
    """
    word, lexicon = sentence.words[i], sentence.lexicon
    if not "0" <= word[0] <= "9":
        dated = word in lexicon.month or word in lexicon.ordinal or word in lexicon.number
        return _day_of_month(sentence, i) if dated else 0
    before = sentence.words[i - 1] if i else ""
    if before in lexicon.counted or before in lexicon.colon or (i > 1 and sentence.words[i - 2] in lexicon.colon):
        return 0  # "a ratio of 16:90"
    if ":" in word:
        return _time(sentence, i)
    for mark in "/-.":
        if mark in word:
            return _date(sentence, i, word.split(mark), mark)
    if not word.isdecimal():
        return 0
    if len(word) <= TIME_FIGURES and (end := _day_of_month(sentence, i)):
        return end
    return _hour(sentence, i, int(word), chosen)


def _time(sentence: Sentence, i: int) -> int:
    parts = sentence.words[i].rstrip("ap").split(":")
    before = sentence.words[i - 1] if i else ""
    if "" in parts or not "".join(parts).isdecimal() or len(max(parts, key=len)) > TIME_FIGURES:
        return 0
    if len(parts[1]) < TIME_FIGURES:
        return 0
    if before in sentence.lexicon.into and before not in sentence.lexicon.at:
        return 0  # "run it in 25:30"
    hour, minute = int(parts[0]), int(parts[1])
    cannot = hour > HOURS_MAX or minute > MINUTES_MAX or (hour == HOURS_MAX and minute > 0)
    return _with_half(sentence, i + 1) if cannot else 0


def _hour(sentence: Sentence, i: int, value: int, chosen: Cut) -> int:
    """ "at 25", "26 o'clock", "25 pm", "at 2500 hours", "half past 25", "0pm": an hour that no day has."""
    words, lexicon = sentence.words, sentence.lexicon
    before, after = words[i - 1] if i else "", words[i + 1] if i + 1 < len(words) else ""
    whole = len(words[i]) > TIME_FIGURES
    if not whole and (value > HOURS_MAX or not value) and after in lexicon.half_day:
        spoken = before.isdecimal() and len(before) <= TIME_FIGURES and value <= MINUTES_MAX
        return 0 if spoken and sentence.text[sentence.ends[i - 1] : sentence.starts[i]] == " " else i + 2  # "5 30 am"
    hour, minute = divmod(value, 100) if whole else (value, 0)
    if len(words[i]) > 4 or not HOURS_MAX < hour + (minute > 0) <= HOURS_MEANT_MAX:
        return 0
    named = after in lexicon.oclock and after not in lexicon.unit and after not in lexicon.noise
    if named and not whole:
        return i + 2
    parted = i > 1 and (words[i - 2] in lexicon.half or words[i - 2] in lexicon.fraction)
    if parted and (before in lexicon.past or before in lexicon.to):
        return i + 1
    if before not in lexicon.at:
        return 0
    if after in lexicon.oclock or after in lexicon.hour_mark:
        return i + 2
    return i + 1 if i == 1 or _closes(sentence, i + 1) or chosen.start == i + 1 or chosen.end in (i, i - 1) else 0


def _with_half(sentence: Sentence, end: int) -> int:
    return end + (end < len(sentence.words) and sentence.words[end] in sentence.lexicon.half_day)


def _date(sentence: Sentence, i: int, parts: list[str], mark: str) -> int:
    """ "30/2/2027", "2027-13-01"; "31/4" only where a date is announced."""
    if not all(part.isdecimal() for part in parts):
        return 0
    if len(parts) == 2:
        return _short_date(sentence, i, int(parts[0]), int(parts[1])) if mark == "/" else 0
    if len(parts) != 3:
        return 0
    if len(parts[0]) == 4:
        year, pairs = int(parts[0]), [(parts[1], parts[2])]
    elif len(parts[2]) == 4 or (mark == "/" and len(parts[2]) == TIME_FIGURES):
        year = int(parts[2]) + (CENTURY if len(parts[2]) == TIME_FIGURES else 0)
        pairs = [(parts[0], parts[1]), (parts[1], parts[0])]
    else:
        return 0
    if not YEAR_MIN <= year <= YEAR_MAX or any(len(part) > TIME_FIGURES for part in pairs[0]):
        return 0
    can = any(days.ordinal(year, int(month), int(day)) is not None for month, day in pairs)
    return 0 if can else i + 1


def _short_date(sentence: Sentence, i: int, first: int, second: int) -> int:
    """ "31/4" and "on 2/35": no fraction, where no noun follows."""
    lexicon = sentence.lexicon
    announced = i > 0 and (sentence.words[i - 1] in lexicon.on or sentence.words[i - 1] in lexicon.at)
    month, day = min(first, second), max(first, second)
    day_max = DAY_MEANT_MAX if announced else DAYS_MAX
    meant = 1 <= month <= 12 and days.month_length(LEAP_YEAR, month) < day <= day_max
    return i + 1 if meant and _closes(sentence, i + 1) else 0


def _day_of_month(sentence: Sentence, i: int) -> int:
    """The index after "feb 30" or "31st of april"; less than 0 after a day that there is; 0 for no day."""
    words, lexicon = sentence.words, sentence.lexicon
    if words[i] in lexicon.month:
        month, of = words[i], False
        day, j, sure = _day(sentence, i + 1 + (i + 1 < len(words) and words[i + 1] in lexicon.the))
        if day < 0:
            return 0
        if j < len(words) and words[j] in lexicon.measure:
            return 0  # "feb 30 tickets"
    else:
        day, j, sure = _day(sentence, i)
        k = j
        while day >= 0 and k < min(len(words), j + 2) and (_joins(sentence, k) or words[k] in lexicon.the):
            k += 1
        if day < 0 or k >= len(words) or words[k] not in lexicon.month:
            return _alone(sentence, i, day, j, sure)
        month, of, j = words[k], k > j, k + 1
    year = int(words[j]) if j < len(words) and words[j].isdecimal() and len(words[j]) == 4 else 0
    j += YEAR_MIN <= year <= YEAR_MAX
    if 0 < day <= days.month_length(year if YEAR_MIN <= year <= YEAR_MAX else LEAP_YEAR, lexicon.month[month]):
        return -j
    announced = i > 0 and (words[i - 1] in lexicon.on or words[i - 1] in lexicon.the)
    if not announced and _is_code(sentence, i):
        return 0
    named = sure or of or announced
    surely = month not in lexicon.weak or (_closes(sentence, j) and not (j < len(words) and words[j] in lexicon.being))
    return j if named or surely else 0


def _is_code(sentence: Sentence, i: int) -> bool:
    """Whether a month and bare figures are one word: "rent dec88" names a thing as likely as a day."""
    words, month = sentence.words, sentence.lexicon.month
    is_pair = (words[i] in month and words[i + 1].isdecimal()) or (words[i].isdecimal() and words[i + 1] in month)
    return is_pair and sentence.ends[i] == sentence.starts[i + 1]


def _day(sentence: Sentence, i: int) -> tuple[int, int, bool]:
    """A day of the month at word `i`, the index after it, and whether it is one by its ending; (-1, i, False)."""
    words, lexicon = sentence.words, sentence.lexicon
    if i >= len(words):
        return -1, i, False
    word, after = words[i], words[i + 1] if i + 1 < len(words) else ""
    if word.isdecimal() and len(word) <= TIME_FIGURES:
        suffix = sentence.word_is_suffix(i + 1) or lexicon.tables["ordinal_suffix"].get(after) == SURE
        return (int(word), i + 2, True) if suffix else (int(word), i + 1, False)
    tens = lexicon.number.get(word, 0)
    if tens >= 20 and tens % 10 == 0:
        k = i + 1 + (after == "-")
        if k < len(words) and 0 < lexicon.ordinal.get(words[k], 0) < 10:
            return int(tens) + lexicon.ordinal[words[k]], k + 1, True  # "thirty-first"
    return (value, i + 1, True) if (value := lexicon.ordinal.get(word, 0)) > 0 else (-1, i, False)


def _joins(sentence: Sentence, k: int) -> bool:
    """Whether a word only joins a day to its month: "31 of june", "30-feb"."""
    return sentence.words[k] in sentence.lexicon.joint or sentence.words[k] == "-"


def _alone(sentence: Sentence, i: int, day: int, j: int, sure: bool) -> int:
    """ "on the 32nd", where nothing follows that there could be so many of."""
    words, lexicon = sentence.words, sentence.lexicon
    if not sure or day <= DAYS_MAX:
        return 0
    the = words[i - 1] in lexicon.the
    announced = words[i - 1] in lexicon.on or (the and (i == 1 or words[i - 2] in lexicon.on or day <= DAY_MEANT_MAX))
    announced = announced or lexicon.tables["ordinal_suffix"].get(words[j - 1]) == SURE  # "32 tarikh ko"
    return j if announced and _closes(sentence, j) else 0


def _closes(sentence: Sentence, end: int) -> bool:
    """Whether no noun follows: "on the 32nd to call", but not "on the 32nd floor"."""
    if end >= len(sentence.words):
        return True
    gap, after = sentence.text[sentence.ends[end - 1] : sentence.starts[end]], sentence.words[end]
    links = after in sentence.lexicon.link or after in sentence.lexicon.verbs or after in sentence.lexicon.day
    dated = after in sentence.lexicon.weekday or after in sentence.lexicon.part or after in sentence.lexicon.this
    links = links or dated or after in sentence.lexicon.next
    return links or after in sentence.lexicon.joint or any(c in STOPS for c in gap)
