"""So long before something else: "15 minutes before my 4pm call", "dentist at 5, remind me the day before"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from reminders.grammar.request import Request
from reminders.grammar.sayings import Voice, match
from reminders.grammar.sentence import Sentence
from reminders.grammar.several import is_dated, is_day_only, is_time_only, modifies, together
from reminders.grammar.splitting import Found, Frame, phrase_at, phrases
from reminders.grammar.subject import left_of
from reminders.schedule.phrase import Phrase
from reminders.schedule.resolve import aware, elapsed_from, point
from reminders.schedule.tokens import outer_spans

# A message, or a part of one: how many of its words are explained, and what it asks for.
Understood = Callable[[Sentence], tuple[int, Request]]

# How long before is said in so many words.
LEAD_WORDS_MAX: Final = 5
# So many times "before" is looked at in one message.
BEFORE_MAX: Final = 2
# "... remind me half an hour before it please": in so many words from the end.
TRAIL_WORDS_MAX: Final = 7


def leading(
    sentence: Sentence, frame: Frame, told: Voice, opened: int, understood: Understood
) -> tuple[int, Request] | None:
    """ "15 minutes before my 4pm call": as the rest has it, so long before; None where nothing says so.

    What says no time itself ("before the movie") is asked for one, and never taken for 15 minutes from now.
    """
    words, before = sentence.words, sentence.lexicon.before
    here = words[opened + 1 : opened + 1 + LEAD_WORDS_MAX]
    if before.isdisjoint(here):
        return None
    k = opened + 1 + next(i for i, word in enumerate(here) if word in before)
    lead = _lead(sentence, frame, opened, k) if k + 1 < len(words) else None
    if lead is None:
        return None
    known = phrase_at(sentence, frame, opened)
    if known is not None and known.end > k + 1 and is_dated(known.phrase) and not _is_of(sentence, frame, known, k):
        return None  # "10 minutes before 4", "the day before christmas": a phrase of its own
    rest = sentence.text[sentence.starts[k + 1] :]
    inner = Sentence(rest, outer_spans(rest), told.code)
    explained, request = understood(inner)
    if request.kind == "unclear" and request.problem == "no_date":
        return 1, replace(request, subject=request.subject or rest.strip())
    if request.kind != "remind" or request.when is None or request.rrule:
        return None
    request = _with_its_time(inner, frame, told, request)
    return explained + 10 * (k + 1 - opened), _earlier(lead, frame, request)


def _is_of(sentence: Sentence, frame: Frame, known: Found, k: int) -> bool:
    """Whether a time after "before" is of a thing: "the 8:05 train", or "6pm training on thursday" with its day."""
    if modifies(sentence, Found(k + 1, known.end, known.phrase)):
        return True
    later = phrases(sentence, frame, known.end) if not known.phrase.has_day() else []
    return len(later) == 1 and is_day_only(later[0].phrase) and later[0].start > known.end


def trailing(
    sentence: Sentence, frame: Frame, told: Voice, opened: int, end: int, understood: Understood
) -> tuple[int, Request] | None:
    """ "Dentist at 5, remind me an hour before": as the rest has it, so long before; None where nothing says so.

    `end`: of the words that are not only how a request closes.
    """
    words, closed = sentence.words, end < len(sentence.words)
    n = end
    while n and (words[n - 1],) in told.thanks:
        n -= 1
    j = next((n - size for size in (3, 2, 1) if size <= n and tuple(words[n - size : n]) in told.ahead), 0)
    for i in range(max(j - 4, opened), j):
        lead = _lead(sentence, frame, i, j)
        if lead is None:
            continue
        k = next((i - size for size in (3, 2, 1) if match(told.midst, words, max(i - size, 0)) == i), i)
        if i == opened > 0:
            return 0, Request(kind="unclear", problem="no_date", language=told.code)  # before what?
        # "remind me of the 3pm call an hour before"
        named = match(told.joint, words, opened) > opened > 0 and words[opened] not in sentence.lexicon.on
        if k <= opened or (k == i and not closed and not named):
            return None
        rest = sentence.text[: sentence.starts[k]].rstrip(" ,;.-–—")
        explained, request = understood(Sentence(rest, outer_spans(rest), told.code))
        if request.kind != "remind" or request.when is None or request.rrule:
            return None
        request = _with_its_time(_part(sentence, opened, k, told), frame, told, request) if named else request
        return explained + 10 * (len(words) - k), _earlier(lead, frame, request)
    return None


def within(
    sentence: Sentence, frame: Frame, told: Voice, opened: int, end: int, understood: Understood
) -> tuple[int, Request] | None:
    """ "Leave an hour before my 3pm appointment tomorrow": as what comes after "before" has it, so long before.

    `end`: as in `trailing`. The words that say how long stay in the subject: they say what is to be done then. None
    where nothing says so, or where a date stands before it.
    """
    text, before = sentence.text, sentence.lexicon.before
    for k in [k for k in range(opened + 2, end - 1) if sentence.words[k] in before][:BEFORE_MAX]:
        i = next((i for i in range(max(k - LEAD_WORDS_MAX, opened), k) if _lead(sentence, frame, i, k)), 0)
        known = phrase_at(sentence, frame, i) if i > opened else None
        if i <= opened or (known is not None and known.end > k + 1 and is_dated(known.phrase)):
            continue  # "join zoom 10 minutes before 4": a phrase of its own
        if phrases(_part(sentence, 0, i, told), frame, 0):
            return None
        inner, lead = _part(sentence, k + 1, end, told), _lead(sentence, frame, i, k)
        explained, request = understood(inner)
        if request.kind == "unclear" and request.problem == "no_date":
            return 1, replace(request, subject=left_of(sentence, opened, [], told))  # "a day before the deadline"
        if lead is None or request.kind != "remind" or request.when is None or request.rrule:
            return None
        if lead.span_seconds and all(one.phrase.hour < 0 for one in phrases(inner, frame, 0)):
            return None  # "half an hour before breakfast tomorrow"
        request = _with_its_time(inner, frame, told, request)
        whole = f"{text[sentence.starts[opened] : sentence.starts[k + 1]]}{request.subject}"
        subject = left_of(Sentence(whole, outer_spans(whole), told.code), 0, [], told)
        return explained + 10 * (k + 1 - i), _earlier(lead, frame, replace(request, subject=subject))
    return None


def behind(
    sentence: Sentence, frame: Frame, told: Voice, opened: int, understood: Understood
) -> tuple[int, Request] | None:
    """ "Kal 3 baje ki meeting se 10 min pehle nikalna hai": as `within`, where "before" stands behind what it is of."""
    words, n = sentence.words, len(sentence.words)
    for k in [k for k in range(opened + 3, n) if words[k] in told.ahead_ends][:BEFORE_MAX] if told.than else ():
        i = next((i for i in range(max(k - LEAD_WORDS_MAX, opened + 2), k) if words[i - 1] in told.than), 0)
        lead = _lead(sentence, frame, i, k) if i else None
        if lead is None:
            continue
        j = next((k + 1 + n for n in (3, 2, 1) if tuple(words[k + 1 : k + 1 + n]) in told.close), k + 1)
        named = left_of(_part(sentence, opened, i - 1, told), 0, [], told)
        for start, end in ((opened, i - 1), (j, n)):  # the time stands before it, or after it
            explained, request = understood(_part(sentence, start, end, told)) if start < end else (0, None)
            if request is None or request.kind != "remind" or request.when is None or request.rrule:
                continue
            if start == opened:
                named = f"{request.subject} {sentence.text[sentence.starts[i - 1] :]}" if j < n else request.subject
            return explained + 10 * (k + 1 - i), _earlier(lead, frame, replace(request, subject=named))
    return None


def _part(sentence: Sentence, start: int, end: int, told: Voice) -> Sentence:
    """The words from `start` to `end` as a sentence of their own."""
    text = sentence.text[sentence.starts[start] : sentence.ends[end - 1]]
    return Sentence(text, outer_spans(text), told.code)


def may_trail(sentence: Sentence, told: Voice) -> bool:
    """Whether a message ends with "before" at all: nearly none does."""
    return not told.ahead_ends.isdisjoint(sentence.words[-TRAIL_WORDS_MAX:])


def _lead(sentence: Sentence, frame: Frame, i: int, k: int) -> Phrase | None:
    """How long before, from word `i` to the "before" at `k`: a length of time, or the part of the day before."""
    words, lexicon = sentence.words, sentence.lexicon
    first, last = words[i], words[k - 1]
    counted = first[0].isdecimal() or first in lexicon.number or first in lexicon.a or first in lexicon.the
    counted = counted or first in lexicon.unit or first in lexicon.fraction or first in lexicon.half
    if not (last in lexicon.unit or last in lexicon.fraction or last in lexicon.half or last in lexicon.part):
        return None
    if not (counted or first in lexicon.part or first in lexicon.about):
        return None
    if first.isdecimal() and words[i + 1] in lexicon.a:
        return None  # "at 7 an hour before"
    for end in (k, k + 1):  # "half an hour | before", "the day before |"
        found = phrase_at(sentence, frame, i, words[:end])
        if found is not None and found.end == k and found.phrase.span and not is_dated(found.phrase):
            return found.phrase
    found = phrase_at(sentence, frame, i, words[:k]) if last in lexicon.part else None
    if found is None or found.end != k or not found.phrase.part:
        return None
    p = found.phrase
    return None if p.has_day() or p.hour >= 0 or p.span else p  # "the night before"


def _earlier(lead: Phrase, frame: Frame, request: Request) -> Request:
    assert request.when is not None
    when = _before(lead, frame, request.when)
    if when <= frame.now:
        return replace(request, kind="past", problem="past", when=when, choices=())
    return replace(request, when=when, choices=tuple(_before(lead, frame, choice) for choice in request.choices))


def _before(lead: Phrase, frame: Frame, event: datetime) -> datetime:
    if lead.span:
        lead.sign = -1
        return elapsed_from(lead, event)
    day = event.date() - timedelta(days=1)
    return aware(lead, datetime.combine(day, time(frame.convention.parts[lead.part]), event.tzinfo))


def _with_its_time(inner: Sentence, frame: Frame, told: Voice, request: Request) -> Request:
    """Of "my 3pm appointment tomorrow" the time too, which otherwise only says which one; and its name whole."""
    known = phrases(inner, frame, 0)
    if len(known) == 1 and _is_named(inner, told, known[0]):
        return replace(request, subject=left_of(inner, 0, [], told))
    if len(known) != 2 or not (is_time_only(known[0].phrase) and is_day_only(known[1].phrase)):
        return request
    both = together(inner, frame, known[0], known[1])
    when = point(both.phrase) if both is not None else None
    if not isinstance(when, datetime):
        return request
    subject = left_of(inner, 0, [known[1]], told) if _is_named(inner, told, known[0]) else request.subject
    return replace(request, when=when, choices=(), subject=subject)


def _is_named(inner: Sentence, told: Voice, found: Found) -> bool:
    """Whether a time is part of what a thing is called: "my 2pm", "the 8:05 train", "la reunión de las 4"."""
    words, start = inner.words, found.start
    if modifies(inner, found) or (start and words[start - 1] in inner.lexicon.determiner):
        return True
    joined = start > 1 and (words[start] in told.of or words[start - 1] in told.of)
    return joined and (words[0] in inner.lexicon.determiner or words[0] in inner.lexicon.the)
