"""Several phrases in one message: what belongs together, what is one of two, and what is no date at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from reminders.grammar.sayings import Voice, match
from reminders.grammar.sentence import Cut, Sentence
from reminders.grammar.splitting import Found, Frame, phrase_at
from reminders.schedule.clock import TIMES_MAX
from reminders.schedule.descent import readers
from reminders.schedule.phrase import Phrase
from reminders.schedule.ranges import DAY_OF, TIME_OF, borrow, borrow_half
from reminders.schedule.resolve import SEVERAL

NOON: Final = 12
# A day and a time are said in so many words.
DIVIDED_MAX: Final = 6
# "... until the end of next month": in so many words.
LIMIT_WORDS_MAX: Final = 7


def parted(sentence: Sentence, frame: Frame, first: Found, last: Found, opened: int) -> Found | None:
    """A day here and a time there, as one: "meet Bob at 5 for dinner on friday"; None where they are two things."""
    p, q, lexicon = first.phrase, last.phrase, sentence.lexicon
    word, before = sentence.words[first.start], sentence.words[first.start - 1] if first.start else ""
    if is_time_only(p) and is_day_only(q):
        linked = word in lexicon.at and p.hour >= 0
    elif is_day_only(p) and is_time_only(q):
        linked = (word in lexicon.on or word in lexicon.next or p.offset is not None) and q.hour >= 0
    else:
        return None
    if first.start > opened and (not linked or before in lexicon.the):
        return None
    if word in lexicon.the and word not in lexicon.on and p.weekday >= 0:
        return None  # "the monday meeting at 5"
    return together(sentence, frame, first, last)


def together(sentence: Sentence, frame: Frame, first: Found, last: Found) -> Found | None:
    """A day here and a time there, read as one phrase: "tomorrow call mum at 5pm"."""
    words = sentence.words[first.start : first.end] + sentence.words[last.start : last.end]
    both = phrase_at(sentence, frame, 0, words)
    return both if both is not None and both.end == len(words) else None


def limited_behind(sentence: Sentence, frame: Frame, cuts: Sequence[Cut]) -> Found | None:
    """The end of what repeats, where it stands behind the subject: "every hour to drink water until 6pm".

    The words that say it, with the whole rule as its phrase. "For" may as well be said of the thing: "food for 3 days".
    """
    words = sentence.words
    rule, end = cuts[0], min((cut.start for cut in cuts[1:]), default=len(words))
    for i in range(max(rule.end + 1, end - LIMIT_WORDS_MAX), end - 1):
        excepted = words[i] in sentence.lexicon.but or words[i] in sentence.lexicon.sets
        if words[i] not in sentence.lexicon.until and not excepted:
            continue
        both = phrase_at(sentence, frame, 0, words[rule.start : rule.end] + words[i:end])
        if both is None or both.end != rule.end - rule.start + end - i:
            continue
        narrowed = excepted and rule.phrase.weekdays is None if isinstance(rule, Found) else False
        if both.phrase.until is not None or narrowed:
            return Found(i, end, both.phrase)
    return None


def corrected(sentence: Sentence, first: Found, last: Found, told: Voice) -> Found | None:
    """ "tomorrow, no wait, friday at 3": the second of two dates, with what only the first says; else None."""
    p, q, i = first.phrase, last.phrase, first.end
    while i < last.start and (j := match(told.instead, sentence.words, i)) > i:
        i = j
    if i != last.start or i == first.end or q.freq or p.freq or q.problem:
        return None
    if q.hour < 0 <= p.hour and not q.span and not q.part:
        borrow(q, p, TIME_OF)
    elif q.hour >= 0 and not (q.half or q.part or q.exact or q.hour > NOON or q.has_day()):
        q.half, q.part = p.half, p.part  # "at 8 tonight, actually 8:30"
    if p.has_day() and not (q.has_day() or q.span):
        borrow(q, p, DAY_OF)
    return Found(first.start, last.end, q)


def opposed(sentence: Sentence, first: Found, last: Found, told: Voice) -> Found | None:
    """ "tomorrow, not today, at 9": the first of two dates, with the time that only the second says; else None."""
    p, q = first.phrase, last.phrase
    if match(told.opposed, sentence.words, first.end) != last.start or last.start == first.end or p.freq or q.freq:
        return None
    if p.hour < 0 <= q.hour and not p.span:
        borrow(p, q, TIME_OF)
    return Found(first.start, last.end, p)


def one_of_two(sentence: Sentence, first: Found, last: Found) -> Found | None:
    """ "monday or tuesday at 3", "friday 9am or 1pm": two times to ask about; None where they are not."""
    p, q, words = first.phrase, last.phrase, sentence.words
    if last.start != first.end + 1 or words[first.end] not in sentence.lexicon.either or p.freq or q.freq:
        return None
    if p.problem or q.problem or p.span != q.span:
        return None
    borrow_half(p, q)
    if q.has_day() and q.hour >= 0 and p.hour < 0:
        borrow(p, q, TIME_OF)
    if p.has_day() != q.has_day():
        borrow(*((q, p) if p.has_day() else (p, q)), DAY_OF)
    p.other = q
    return Found(first.start, last.end, p)


def two_rules(sentence: Sentence, known: Sequence[Found], told: Voice) -> list[Found] | None:
    """ "Every day at 6pm and also on the 3rd", "tomorrow at 5 and friday at 6": the two, which no one rule says.

    None where there are none, or something else stands between them. Where one is a rule, each may have a thing of its
    own: "pills every day at 8 and vitamins on sunday".
    """
    first, last = known[-2:]
    p, q, words = first.phrase, last.phrase, sentence.words
    if not (p.has_day() and q.has_day()) or p.problem or q.problem or p.span or q.span:
        return None
    also = match(told.also, words, first.end)
    both = also == last.start > first.end
    if not both and (p.freq or q.freq):
        between = words[first.end : last.start]
        both = not sentence.lexicon.both.isdisjoint(between) and not modifies(sentence, first)
        both = both and not is_kind(sentence, first)
    if not both or is_festival(p) or is_festival(q):
        return None
    q.problem = SEVERAL
    return [Found(first.start, max(also, first.end), q), last]


def listed_hours(sentence: Sentence, frame: Frame, found: Found) -> Found | None:
    """ "at 11, 1 and 3 tomorrow": as `listed_times`, where only "at" says that the figures are hours; else None."""
    lexicon, words = sentence.lexicon, sentence.words
    if found.phrase.hour < 0 or found.phrase.freq or found.phrase.span:
        return None
    start = next((k + 1 for k in range(found.start, found.end) if words[k] in lexicon.at), found.end)
    spans: list[tuple[int, int]] = []
    end, closed = start, False
    while _is_hour(words, end) and len(spans) < TIMES_MAX:
        begun, end = end, end + 1 + (end + 1 < len(words) and words[end + 1] in lexicon.half_day)
        spans.append((begun, end))
        if closed or end >= len(words):
            break
        if words[end] in lexicon.both and _is_hour(words, end + 1):
            closed, end = True, end + 1
        elif "," not in sentence.text[sentence.ends[end - 1] : sentence.starts[end]]:
            break
    if not closed or len(spans) < 2 or _counts(sentence, end):
        return None
    hours = [phrase_at(sentence, frame, 0, [words[start - 1], *words[i:j]]) for i, j in spans[1:]]
    # What else is said around them, such as the day, with the first of the hours.
    first = words[found.start : start + 1 + (words[start + 1] in lexicon.half_day)]
    whole = phrase_at(sentence, frame, 0, [*first, *words[end:]])
    if whole is None or whole.end < len(first) or whole.phrase.freq:
        return None
    listed = [whole, *(hour for hour in hours if hour is not None)]
    if len(listed) < len(spans):
        return None
    last = listed[-1].phrase
    for hour in listed[:-1]:
        if hour.phrase.hour % NOON != last.hour % NOON:
            borrow_half(hour.phrase, last)
        elif last.half and not hour.phrase.half:
            hour.phrase.half = "am" if last.half == "pm" else "pm"  # "8, 12 and 8pm"
    return _listed(sentence, listed, found.start, end + whole.end - len(first))


def _is_hour(words: list[str], i: int) -> bool:
    if i >= len(words):
        return False
    hour = words[i].partition(":")[0]
    return hour.isdecimal() and len(hour) <= 2 and 0 < int(hour) <= 24


def _counts(sentence: Sentence, end: int) -> bool:
    """Whether a figure before word `end` says how many of it there are: "at 5 and 6 eggs"."""
    if end >= len(sentence.words):
        return False
    word, lexicon = sentence.words[end], sentence.lexicon
    if word in lexicon.unit or word in lexicon.measure:
        return word not in lexicon.weekday
    if sentence.text[sentence.ends[end - 1] : sentence.starts[end]] != " ":
        return False
    return word not in readers(lexicon.code) and word not in lexicon.link and word not in lexicon.verbs


def listed_times(sentence: Sentence, found: Sequence[Found]) -> Found | None:
    """ "at 11am, 2pm and 5pm": as a rule that ends with the last of them; None where the phrases are no such list."""
    lexicon, words, first, last = sentence.lexicon, sentence.words, found[0], found[-1]
    if not 1 < len(found) <= TIMES_MAX or last.start == found[-2].end:
        return None
    for one, after in pairwise(found):
        if after.start > one.end + 1 or (after.start > one.end and words[one.end] not in lexicon.both):
            return None
    return _listed(sentence, found, first.start, last.end)


def _listed(sentence: Sentence, found: Sequence[Found], start: int, end: int) -> Found | None:
    lexicon, words, phrases_of = sentence.lexicon, sentence.words, [one.phrase for one in found]
    dated = [p for p in phrases_of if p.has_day()]
    if len(dated) > 1 or any(p.hour < 0 or p.freq or p.span or p.problem or p.zone for p in phrases_of):
        return None
    p = phrases_of[0]
    if dated:
        p.start = Phrase(words, lexicon, p.readers, p.now, p.convention)
        borrow(p.start, dated[0], DAY_OF)
    more = [(q.hour, q.minute, q.half or ("exact" if q.exact else "")) for q in phrases_of[1:]]
    p.freq, p.count, p.more_times = "DAILY", len(found), more
    borrow(p, Phrase(words, lexicon, p.readers, p.now, p.convention), DAY_OF)  # the day is the start of the rule
    if any(minute != p.minute for _, minute, _ in more):
        p.problem = SEVERAL  # no rule has both; to be asked for one
    return Found(start, end, p)


def divided(sentence: Sentence, frame: Frame, first: Found, last: Found) -> Found | None:
    """ "tickets for Friday the 13th at 3pm tomorrow", "lunch is 1pm, on Saturday at 6pm": the part that says when.

    None where the two do not stand side by side, or neither part is a whole date.
    """
    whole = first.end == last.start and is_whole(first.phrase) and not first.phrase.freq
    if not whole or not (is_day_only(last.phrase) or is_time_only(last.phrase)):
        return None
    for start in range(max(first.start + 1, first.end - DIVIDED_MAX), first.end):
        glued = sentence.starts[start] == sentence.ends[start - 1]  # the "th" of "13th" is no thursday
        found = None if glued else phrase_at(sentence, frame, start)
        if found is not None and found.end == last.end and is_whole(found.phrase):
            return found
    return None


def modifies(sentence: Sentence, found: Found) -> bool:
    """Whether a date only says which one a thing is: "the May 5 exam", "my friday flight"."""
    words, lexicon, start, end = sentence.words, sentence.lexicon, found.start, found.end
    while start < end - 1 and words[start] in lexicon.joint and words[start] not in lexicon.determiner:
        start += 1  # "about the May 5 exam"
    named = words[start] in lexicon.determiner or (start > 0 and words[start - 1] in lexicon.determiner)
    if not named or end >= len(words):
        return False
    after, gap = words[end], sentence.text[sentence.ends[end - 1] : sentence.starts[end]]
    linked = after in lexicon.joint or after in lexicon.verbs or after in lexicon.both or after in lexicon.at
    return gap == " " and not linked and after not in lexicon.link


def kept_name(sentence: Sentence, found: Found) -> Found:
    """ "Monday 20 min before | the 10:30 review": without the time that says which thing it is before."""
    words, lexicon = sentence.words, sentence.lexicon
    if lexicon.before.isdisjoint(words[found.start : found.end - 2]):
        return found
    k = next(k for k in range(found.start, found.end) if words[k] in lexicon.before) + 1
    named = words[k] in lexicon.determiner and modifies(sentence, Found(k, found.end, found.phrase))
    return Found(found.start, k, found.phrase) if named else found


def is_address(sentence: Sentence, found: Found) -> bool:
    """Whether a bare number after "at" is where, and not when: "@ 14 Elm St"."""
    words, end, p = sentence.words, found.end, found.phrase
    if p.has_day() or p.half or p.part or p.by_name or end >= len(words) or not words[end - 1].isdecimal():
        return False
    written = sentence.text[sentence.starts[end] : sentence.ends[end]]
    return sentence.text[sentence.ends[end - 1] : sentence.starts[end]] == " " and written == words[end].title()


def is_kind(sentence: Sentence, found: Found) -> bool:
    """How often, in one word that says what kind of thing it is: "kids annual day function"."""
    words, end = sentence.words, found.end
    gap = sentence.text[sentence.ends[end - 1] : sentence.starts[end]] if end < len(words) else ""
    return end <= found.start + 2 and words[found.start] in sentence.lexicon.often and gap == " "


def is_festival(p: Phrase) -> bool:
    """A holiday alone, which may only say what kind of thing it is."""
    return p.holiday != "" and p.hour < 0 and not p.part


def is_whole(p: Phrase, *, alone: bool = False) -> bool:
    """A day and a time of it; `alone`: or a time, or a length of time, alone."""
    return (p.hour >= 0 or (alone and p.span)) and (alone or p.has_day())


def is_dated(p: Phrase) -> bool:
    """A day or a time, and not only a length of time."""
    return p.has_day() or p.hour >= 0


def is_day_only(p: Phrase) -> bool:
    """A day, or a part of one: "tomorrow evening"."""
    return p.hour < 0 and not p.span and p.has_day()


def is_time_only(p: Phrase) -> bool:
    return (p.hour >= 0 or p.part != "") and not p.has_day() and not p.span
