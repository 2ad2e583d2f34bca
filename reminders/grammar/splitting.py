"""Where a message names its date."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reminders.grammar.impossible import DAYS_MAX, SURE, YEAR_MIN, cannot_be
from reminders.grammar.sentence import STOPS, Cut, Sentence
from reminders.schedule.conventions import Convention
from reminders.schedule.descent import readers
from reminders.schedule.numbers import number
from reminders.schedule.phrase import Phrase, descend
from reminders.schedule.ranges import DAY_OF, TIME_OF, borrow
from reminders.schedule.resolve import NO_DATE, point

# The words of a message that are searched for a date, at its start and from its end; what follows "remind me" is
# always read.
SEARCHED_FIRST_MAX: Final = 8
SEARCHED_MAX: Final = 16
# What reading one message may cost, in steps: a word of a phrase is one, a phrase begun or read inside another is more.
# It bounds the time of whatever is sent, and stands far above what people send: `tests.fuzz.families` counts both.
STEPS_MAX: Final = 240
STEPS_TO_BEGIN: Final = 4
STEPS_INSIDE: Final = 6
# So much of what stands between two words is looked at.
SIGNS_MAX: Final = 40
# "at half past 25": so many words before a figure belong to it.
LINKED_MAX: Final = 3
# Figures, months and ordinals of a message that are looked at for dates that no calendar has.
LOOKED_MAX: Final = 16
# Words that may be read twice, since the phrase that they were read in was none.
AGAIN_MAX: Final = 24
STOPPED_TIME: Final = re.compile(r"(?:[1-9]|1\d|2[0-3])\.[0-5][05]$").match
MONEY: Final = frozenset("$£€₹#")
# No phrase begins with these: they only link what stands on both sides.
SIGNS: Final = frozenset("-/")


@dataclass(frozen=True, slots=True)
class Found(Cut):
    """A date phrase, and what it said."""

    phrase: Phrase


# Where no other date was found.
NOTHING: Final = Cut(-9, -9)


class Effort:
    """What reading a message has cost so far: counted, not timed, so that a busy machine reads as a quiet one does."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = 0

    def is_over(self) -> bool:
        return self.steps >= STEPS_MAX


@dataclass(frozen=True, slots=True)
class Frame:
    """What every phrase of a message is read with."""

    now: datetime
    convention: Convention
    dayfirst: bool
    code: str
    effort: Effort  # shared by the languages that the message is read in


def phrase_at(sentence: Sentence, frame: Frame, i: int, words: list[str] | None = None) -> Found | None:
    """The date phrase that starts exactly at word `i`; None where there is none, or too much was looked for already."""
    listed, effort = sentence.words if words is None else words, frame.effort
    if effort.steps >= STEPS_MAX:
        return None
    phrase = Phrase(listed, sentence.lexicon, readers(frame.code), frame.now, frame.convention)
    phrase.dayfirst = frame.dayfirst
    end = descend(phrase, i)
    effort.steps += STEPS_TO_BEGIN + end - i + STEPS_INSIDE * phrase.inners
    if words is None and end > i and (whole := _whole(sentence, phrase, i, end)) != end:
        return phrase_at(sentence, frame, i, listed[:whole]) if whole > i else None
    known = sentence.lexicon
    while i < end < len(listed) and (
        listed[end] in known.behind or (listed[end] in known.noise and len(listed[end]) > 1)
    ):
        end += 1  # "5 tarikh ko", "twenty minutes or so"
    said = end > i and (phrase.has_day() or phrase.hour >= 0 or phrase.part or phrase.span or phrase.working)
    return Found(i, end, phrase) if said else None


def _whole(sentence: Sentence, phrase: Phrase, i: int, end: int) -> int:
    """Where a phrase from `i` to `end` cuts no word in two: `end`, or before the word that it would cut.

    "rent 44e0d", "order 7d2", "a1b2c3": what people and machines number things with.
    """
    words, starts, ends = sentence.words, sentence.starts, sentence.ends
    if sentence.has_bracket and (k := _after_an_aside(sentence, i, end)):
        return k
    linked = not sentence.lexicon.both.isdisjoint(words[i:end])
    if (linked or (phrase.problem and phrase.month)) and (k := _code_in(sentence, i, end)):
        return _begun(sentence, i, k)
    if phrase.more_times and (k := _before_a_count(sentence, i, end)):
        return k
    if phrase.days and phrase.hour >= 0 and not phrase.month and (k := _before_ordinal(sentence, i, end)):
        return k
    if end >= len(words) or starts[end] != ends[end - 1] or not (words[end][0] + words[end - 1][-1]).isalnum():
        return end
    return _begun(sentence, i, end)


def _begun(sentence: Sentence, i: int, k: int) -> int:
    """Where what is written without a space begins, of which `k` is a part; `i` at the least."""
    while k > i and sentence.starts[k] == sentence.ends[k - 1] and sentence.words[k - 1][-1].isalnum():
        k -= 1
    return k


def _before_ordinal(sentence: Sentence, i: int, end: int) -> int:
    """The word before an ordinal that only says which thing comes next: "at 7 am 4th dose"; 0 where it is a day."""
    words, lexicon = sentence.words, sentence.lexicon
    k = end - 1 - (words[end - 1] in lexicon.suffix)
    ordinal = words[k] in lexicon.ordinal if k == end - 1 else words[k].isdecimal()
    before = words[k - 1]
    linked = before in lexicon.the or before in lexicon.on or before in lexicon.both or before in lexicon.weekday
    if k <= i + 1 or not ordinal or linked or _closes(sentence, Cut(i, end)):
        return 0
    return k if words[end] not in lexicon.verbs and words[end] not in readers(lexicon.code) else 0


def _before_a_count(sentence: Sentence, i: int, end: int) -> int:
    """The figure after a whole time that only counts what comes next: "daily at 9pm 2 pills"; 0 where it is a time."""
    words, lexicon, k = sentence.words, sentence.lexicon, end - 1
    whole = k > i and (words[k - 1] in lexicon.half_day or words[k - 1] in lexicon.oclock)
    if not whole or not words[k][0].isdecimal() or end >= len(words):
        return 0
    between = sentence.text[sentence.ends[k - 1] : sentence.starts[k]]
    after = sentence.text[sentence.ends[k] : sentence.starts[end]]
    known = words[end] in lexicon.verbs or words[end] in lexicon.link or words[end] in readers(lexicon.code)
    return k if between == after == " " and not known else 0


def _after_an_aside(sentence: Sentence, i: int, end: int) -> int:
    """The word after "(last one 12/10/25)", amid which word `i` stands; 0 for none, and for "(5pm) tomorrow"."""
    before = sentence.text[: sentence.starts[i]]
    if before.rfind("(") <= before.rfind(")") or before.rstrip().endswith("("):
        return 0
    for k in range(i + 1, end):
        if ")" in sentence.text[sentence.ends[k - 1] : sentence.starts[k]]:
            return k
    return 0


def _code_in(sentence: Sentence, i: int, end: int) -> int:
    """What is no word of its own: the "e" of "44e0d", which is one in Spanish, the "feb" of "51feb"; 0 for none."""
    words, lexicon = sentence.words, sentence.lexicon
    for k in range(i + 1, end):
        if sentence.starts[k] > sentence.ends[k - 1] or not words[k - 1].isdecimal() or not words[k].isalpha():
            continue
        if words[k] in lexicon.both or (words[k] in lexicon.month and DAYS_MAX < int(words[k - 1]) < YEAR_MIN):
            return k
    return 0


def phrases(sentence: Sentence, frame: Frame, start: int) -> list[Found]:
    """Every date phrase from word `start` on that is hardly anything else, from left to right."""
    words = sentence.words
    found, i, known = [], start, readers(frame.code)
    spare: Found | None = None
    again = 0
    while i < len(words):
        if start + SEARCHED_FIRST_MAX <= i < len(words) - SEARCHED_MAX:
            i = len(words) - SEARCHED_MAX
        word = words[i]
        figure = "0" <= word[0] <= "9"
        if (
            word in SIGNS
            or (word not in known and not figure)
            or (figure and _is_name(sentence, i))
            or _is_glued(sentence, i)
        ):
            i += 1
            continue
        i = _after_how_long(sentence, i) or i
        word = words[i]
        here = phrase_at(sentence, frame, i)
        linking = word in sentence.lexicon.unit and word not in sentence.lexicon.weekday
        linking = linking or word in sentence.lexicon.compound  # "movie night tomorrow"
        if here is not None and linking and again < AGAIN_MAX and _adds_nothing(sentence, frame, here):
            again += here.end - i
            i += 1
            continue
        if here is not None and here.phrase.problem and (beyond := _after_a_number(sentence, here)):
            i = beyond
            continue
        if here is not None and here.end < len(words) and _goes_on(sentence, words[here.end]):
            k = i + (word in sentence.lexicon.joint)
            counts = "0" <= words[k][0] <= "9" and words[k + 1] not in sentence.lexicon.unit
            later = phrase_at(sentence, frame, k + 1) if counts else None
            if later is not None and later.end > here.end:
                here, i = later, k + 1  # "call 555 0958 tomorrow 10am", "at 3 instead of 2 tomorrow at 9"
        if here is not None and not sentence.text.isascii() and (beyond := _after_a_sign(sentence, here)):
            i = beyond  # "feed the [cat] at 7pm": what no token holds stays in the subject
            continue
        if here is not None and is_sure(sentence, here):
            here = _without_particle(sentence, frame, here)
            found.append(here)
            i = here.end
            continue
        stopped = here is not None and here.end == len(words) and bool(STOPPED_TIME(word))  # "on way home 5.30"
        if here is not None and (_lasts(here.phrase) or stopped) and (here.end == len(words) or i == start):
            spare = here
        # What is not sure is stepped over whole, or seldom read again: the time stays in proportion to the text.
        if here is None or (again < AGAIN_MAX and (word in sentence.lexicon.weak or word in sentence.lexicon.month)):
            again += 0 if here is None else here.end - i
            i += 1 + (figure and sentence.word_is_suffix(i + 1))
        else:
            i = here.end
    # "parking meter 15 min": a bare length of time, where nothing better is said.
    return found or ([spare] if spare is not None else [])


def _without_particle(sentence: Sentence, frame: Frame, found: Found) -> Found:
    """ "check [in] tomorrow", "put the oven [on] at 5": a word that belongs to a verb, where no phrase needs it."""
    words, lexicon, i = sentence.words, sentence.lexicon, found.start
    if not i or found.end - i < 2:
        return found
    after, p = words[i + 1], found.phrase
    k = i + 1 + (after in lexicon.the)
    if words[i] in lexicon.to and words[i] in lexicon.joint and words[k] in lexicon.unit and k + 1 < found.end:
        rest = phrase_at(sentence, frame, k + 1)  # "Match [of the day] on saturday"
        if rest is not None and rest.end == found.end and not (p.of_month or p.edge or p.nths):
            return rest
    alone = after in lexicon.day or after in lexicon.weekday or after in lexicon.at or after in lexicon.part_today
    loose = (words[i] in lexicon.into and not p.span and alone) or (words[i] in lexicon.on and _is_loose(sentence, i))
    begins = words[i] in lexicon.starting and words[i] in lexicon.verbs and not p.freq  # "the film starts at 5"
    behind = words[i] in lexicon.behind  # "mummy [ko] kal 7 baje"
    named = words[i] in lexicon.part and words[i] not in lexicon.part_today and p.hour >= 0
    named = named and (after in lexicon.weekday or after in lexicon.on)  # "parents [evening] thurs 6.15"
    rest = phrase_at(sentence, frame, i + 1) if loose or begins or behind or named else None
    return rest if rest is not None and rest.end == found.end else found


def _is_loose(sentence: Sentence, i: int) -> bool:
    """Whether an "on" belongs to the verb: "put the oven on at 5", "put snags on in 40 mins", "switch it on daily"."""
    words, lexicon = sentence.words, sentence.lexicon
    after = words[i + 1]
    if after in lexicon.at or (after in lexicon.into and after not in lexicon.the):
        return True
    timed = after in lexicon.day or after in lexicon.part_today or after in lexicon.every or after in lexicon.often
    return timed and not lexicon.with_on.isdisjoint(words[max(i - LINKED_MAX * 2, 0) : i])


def _after_a_number(sentence: Sentence, found: Found) -> int:
    """The word after a figure that a phrase began with and that was neither date nor time; 0 where it was one.

    "Set oven at 40 friday": a phrase that cannot be is none, unless it surely is one.
    """
    words, i = sentence.words, found.start
    i += i + 1 < found.end and (words[i] in sentence.lexicon.at or words[i] in sentence.lexicon.into)
    return i + 1 if "0" <= words[i][0] <= "9" and not cannot_be(sentence, i, NOTHING) else 0


def _after_how_long(sentence: Sentence, i: int) -> int:
    """The word after how long something takes, where its day comes next: "hire the van for 3 days | on friday"."""
    words, lexicon = sentence.words, sentence.lexicon
    k = number(lexicon, words, i + 1)[1] if words[i] in lexicon.limit else 0
    if not k or k + 2 >= len(words) or words[k] not in lexicon.unit or words[k + 1] in lexicon.hence:
        return 0
    linked = words[k + 1] in lexicon.on or words[k + 1] in lexicon.starting or words[k + 1] in lexicon.of_from
    after = words[k + 2 : k + 5]
    dated = any(word in lexicon.weekday or word in lexicon.month or word in lexicon.suffix for word in after)
    return k + 1 if linked and (dated or "/" in after[0] or after[0] in lexicon.day) else 0


def _goes_on(sentence: Sentence, word: str) -> bool:
    """Whether a time comes, so that the figure before the day was none: "call 555 0147 tomorrow at 10"."""
    return word[0].isdecimal() or word in sentence.lexicon.at


def _is_name(sentence: Sentence, i: int) -> bool:
    """Whether a figure is the number of what stands before it: "bus 8", but not "bus 8 am" or "bus 8:15"."""
    words = sentence.words
    if i and words[i - 1] in MONEY:
        return True  # "pay Kim $30.50 on friday"
    if not i or words[i - 1] not in sentence.lexicon.counted:
        return False
    counted = words[i].isdecimal() or words[i].replace("-", "").isdecimal()  # "ch. 7-9"
    return counted and not (i + 1 < len(words) and words[i + 1] in sentence.lexicon.half_day)


def _is_glued(sentence: Sentence, i: int) -> bool:
    """Whether a word is the end of a longer one: the "t" of "AT&T", the "8" of "x8" and "QF8"."""
    if not i or sentence.starts[i] != sentence.ends[i - 1]:
        return False
    before = sentence.words[i - 1]
    if before[-1].isalnum() and sentence.words[i][0].isalnum():
        return True
    if before == "-" and i > 1 and sentence.starts[i - 1] == sentence.ends[i - 2]:
        before = sentence.words[i - 2]  # "INV-2026-10-31"
    return before == "&" or (
        sentence.words[i][0] <= "9" and before.isalpha() and before not in readers(sentence.lexicon.code)
    )


def _adds_nothing(sentence: Sentence, frame: Frame, found: Found) -> bool:
    """Whether a phrase means the same without the unit that it begins with: "bin day tomorrow"."""
    rest = phrase_at(sentence, frame, found.start + 1)
    if rest is None or rest.end != found.end:
        return False
    p, q = found.phrase, rest.phrase
    return (p.span, p.more_weeks, p.weekday, p.days, p.freq) == (q.span, q.more_weeks, q.weekday, q.days, q.freq)


def _after_a_sign(sentence: Sentence, found: Found) -> int:
    """The word of a phrase before which something stands that no token holds, such as an emoji; 0 for none."""
    for k in range(found.start, found.end - 1):
        gap = sentence.text[sentence.ends[k] : min(sentence.starts[k + 1], sentence.ends[k] + SIGNS_MAX)]
        if gap != " " and any(not c.isspace() and unicodedata.category(c) in ("So", "Lo", "Cn") for c in gap):
            return k + 1
    return 0


def _lasts(p: Phrase) -> bool:
    """Whether a length of time was said, and not just "now"."""
    return p.span and (p.span_seconds > 0 or p.span_days > 0 or p.span_months > 0)


def is_sure(sentence: Sentence, found: Found) -> bool:
    """Whether a phrase in the midst of other words is meant as a date."""
    p, lexicon = found.phrase, sentence.lexicon
    if p.problem and not p.firm:
        return False
    first = _first_of(sentence, found)
    if first in lexicon.weak and not (p.days or p.nths or p.freq or (p.weekday >= 0 and (p.hour >= 0 or p.part))):
        gap = sentence.text[sentence.ends[found.end - 1] : sentence.ends[found.end - 1] + 1]
        return found.start == 0 and (found.end - found.start > 1 or gap in (":", ","))
    if p.month and not (p.days or p.nths or p.freq or p.edge or first in lexicon.into or first in lexicon.next):
        return False
    linked = first in lexicon.on or first in lexicon.at or first in lexicon.into or first in lexicon.this
    if p.freq or p.weekday >= 0 or p.offset is not None or p.holiday or p.fixed is not None:
        return p.firm
    if p.days is not None and not p.month and p.month_shift is None:
        named = linked or first in lexicon.the or first.isdecimal()
        return p.hour >= 0 or (named and p.firm and _closes(sentence, found))
    if p.firm:
        return True
    # "por la tarde", "shaam ko": the link is in the word, or comes after it.
    linked = linked or first in lexicon.part_linked or sentence.words[found.end - 1] in lexicon.behind
    return (linked or p.hour >= 0) and (p.part != "" or p.month_shift is not None or p.month > 0)


def _first_of(sentence: Sentence, found: Found) -> str:
    """The first word that is more than a link: the "on" of "due on the 1st"."""
    lexicon = sentence.lexicon
    for word in sentence.words[found.start : found.end]:
        links = word in lexicon.joint or word in lexicon.before or word in lexicon.limit
        if not links or word in lexicon.on or word in lexicon.at or word in lexicon.into or word in lexicon.the:
            return word
    return sentence.words[found.start]


def _closes(sentence: Sentence, found: Cut) -> bool:
    """Whether nothing, or no noun, follows: "on the 5th", but not "on the 5th floor"."""
    if found.end >= len(sentence.words):
        return True
    suffix = sentence.lexicon.tables["ordinal_suffix"]
    if any(suffix.get(word) == SURE for word in sentence.words[found.start : found.end]):
        return True  # "25 tarikh ko"
    gap = sentence.text[sentence.ends[found.end - 1] : sentence.starts[found.end]]
    return any(c in STOPS for c in gap) or sentence.words[found.end] in sentence.lexicon.link


def what_cannot_be(sentence: Sentence, frame: Frame, opened: int, chosen: Found) -> Found | None:
    """The first date or time of no calendar and no clock from word `opened` on, with what `chosen` says besides."""
    words, dated, i = sentence.words, sentence.lexicon.dated, opened
    for _ in range(LOOKED_MAX):
        while i < len(words) and not ("0" <= words[i][0] <= "9" or words[i] in dated):
            i += 1
        if i >= len(words):
            break
        glued = i > 0 and sentence.starts[i] == sentence.ends[i - 1] and _is_glued(sentence, i)
        end = 0 if glued else cannot_be(sentence, i, chosen)
        if end > 0:
            return _refused(sentence, frame, i, end, chosen)
        i = -end if end < 0 else i + 1
    return None


def _refused(sentence: Sentence, frame: Frame, i: int, end: int, chosen: Found) -> Found:
    """The phrase that ends with those words, and the day or the time of the other one."""
    q = chosen.phrase
    for start in range(max(i - LINKED_MAX, 0), i + 1):
        found = phrase_at(sentence, frame, 0, sentence.words[start:end])
        if found is None or found.end != end - start or found.phrase.freq:
            continue
        if found.phrase.problem or point(found.phrase) is None:
            p = found.phrase
            break
    else:
        p = Phrase(sentence.words[i:end], sentence.lexicon, q.readers, q.now, q.convention)
        p.problem = NO_DATE
    if p.hour < 0 and q.hour >= 0:
        borrow(p, q, TIME_OF)
    if not p.has_day() and q.has_day() and not q.freq:
        borrow(p, q, DAY_OF)
    return Found(i, end, p)
