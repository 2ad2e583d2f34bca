"""What a person's message asks for. Pure, and never raises, whatever the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from reminders import languages
from reminders.grammar import ahead, commands
from reminders.grammar.due import due
from reminders.grammar.request import KINDS, Request
from reminders.grammar.sayings import Voice, foreign, match, spoken, voice
from reminders.grammar.sentence import Cut, Sentence
from reminders.grammar.several import (
    corrected,
    divided,
    is_address,
    is_festival,
    is_kind,
    is_whole,
    kept_name,
    limited_behind,
    listed_hours,
    listed_times,
    modifies,
    one_of_two,
    opposed,
    parted,
    two_rules,
)
from reminders.grammar.splitting import Effort, Found, Frame, phrase_at, phrases, what_cannot_be
from reminders.grammar.subject import left_of
from reminders.schedule.clock import TIMES_MAX
from reminders.schedule.conventions import convention
from reminders.schedule.moving import moved
from reminders.schedule.phrase import Phrase
from reminders.schedule.resolve import NO_DATE
from reminders.schedule.stamps import forwards, localised
from reminders.schedule.tokens import outer_spans, tokens

__all__ = ["KINDS", "Request", "moved", "understand"]

# The bare hours that dinner has after noon and breakfast before it.
EARLY_HOUR_MIN: Final = 4
# From this hour on only what is the thing itself says so: not "buy tickets for the concert at 10".
LATE_HOUR_MIN: Final = 9
SUBJECT_OF_TIMES_MAX: Final = 40
# So much of the subject is looked through for what says morning or evening.
HINT_MAX: Final = 240
NOON: Final = 12
# So many words may stand before "remind me": "good evening sir, kindly remind me".
PREAMBLE_WORDS_MAX: Final = 4
QUOTES: Final = ('"', "“", "'", "‘", "«")
TEXT_CHARACTERS_MAX: Final = 1_600
# Languages that are tried besides the person's own and English.
TONGUES_MAX: Final = 1


def understand(text: str, reference: datetime, tz: str, dayfirst: bool = False, language: str | None = None) -> Request:
    """The request in a message of a person in zone `tz`, received at `reference` (aware).

    `dayfirst`: 5/6 is 5 June; `language`: the one that the person spoke last, which decides where a text is as good
    in two.
    """
    body = text[:TEXT_CHARACTERS_MAX]
    if "-" not in body:
        return _understand(body, reference, tz, dayfirst, language)
    if (turned := forwards(body)) is not None:
        return _backwards(_understand(turned, reference, tz, dayfirst, language), reference)
    body, instant = localised(body, ZoneInfo(tz))
    request = _understand(body, reference, tz, dayfirst, language)
    if instant is None or request.when is None or request.when.replace(fold=0) != instant.replace(fold=0):
        return request
    return replace(request, when=instant)  # in the hour that comes twice, the one that was written


def _backwards(request: Request, reference: datetime) -> Request:
    """ "in -5 minutes": a moment that has passed."""
    if request.kind != "remind" or request.when is None:
        return request
    return replace(request, kind="past", problem="past", when=reference - (request.when - reference), choices=())


def _understand(body: str, reference: datetime, tz: str, dayfirst: bool, language: str | None) -> Request:
    folded = outer_spans(body)
    usual = language if language in languages.codes() else languages.DEFAULT
    if not body.strip() or not (folded[0] or body.strip("\x00 \t\r\n")):
        return Request(kind="empty", language=usual)
    if not folded[0] and body.strip().strip("?¿") == "":
        return Request(kind="help", language=usual)
    codes = _tongues(folded[0], usual)
    if (kind := commands.stops(folded[0], codes)) is not None:
        return Request(kind=kind, language=usual)
    zone = ZoneInfo(tz)
    now = reference if reference.tzinfo is zone else reference.astimezone(zone)
    best: tuple[int, Request] | None = None
    effort = Effort()
    for code in codes:
        frame = Frame(now, convention(tz), dayfirst, code, effort)
        said = _in_language(Sentence(body, folded, code), frame, voice(code))
        if best is None or said[0] > best[0] or (said[0] == best[0] and _is_told_in(code, folded[0])):
            best = said
    assert best is not None
    return best[1]


def _tongues(words: list[str], usual: str) -> tuple[str, ...]:
    """The languages to try, the person's own first."""
    known = foreign()
    votes: dict[str, int] = {}
    for word in words:
        codes = known.get(word)
        if codes is not None and (len(word) > 1 or word > "z"):  # the "k" of "5k" is no word
            for code in codes:
                votes[code] = votes.get(code, 0) + 1
    others = sorted(votes, key=lambda code: -votes[code])
    return tuple(dict.fromkeys((usual, *others[:TONGUES_MAX], languages.DEFAULT)))


def _is_told_in(code: str, words: list[str]) -> bool:
    """Whether it says more of the words than English does, and one that English does not: "cumple de Ana el 12/6"."""
    english, known = spoken(languages.DEFAULT), foreign()
    theirs = len([word for word in words if word in english])
    own = len([word for word in words if word in known and code in known[word]])
    if own > theirs or not own or "extends" in languages.table(code):  # which says all that English says too
        return own > theirs
    said = spoken(code)
    return len([word for word in words if word in said]) > theirs


def _in_language(sentence: Sentence, frame: Frame, told: Voice, *, part: bool = False) -> tuple[int, Request]:
    """The request as this language has it, and how many of the words it explains; `part`: of a part of a message."""
    request = commands.command(sentence, frame, told, sentence.plain)
    if request is not None:
        return 100 * len(sentence.plain), request
    opened, greeted = _opening(sentence, frame, told)
    before = not part and not told.earlier.isdisjoint(sentence.words)  # nearly no message has any of these
    if before and (early := _ahead_of(sentence, frame, told, opened)) is not None:
        return early
    found, cuts = _date(sentence, frame, told, opened, asked=opened > greeted)
    if frame.effort.is_over():
        found, cuts = None, []  # not looked through to its end: better asked again than half understood
    if found is not None and found.freq and (limited := limited_behind(sentence, frame, cuts)) is not None:
        found, cuts = limited.phrase, [*cuts, limited]
    if not found and commands.stops_in_passing(sentence.plain, told):
        return 50 * len(sentence.plain), Request(kind="stop", language=told.code)
    # A word that only links explains little: the "Al" of "call Al feb 30" is no Spanish.
    known, first = sentence.lexicon, [sentence.words[cut.start] for cut in cuts]
    links = sum(word in known.on or word in known.the or word in known.joint for word in first)
    explained = sum(cut.end - cut.start for cut in cuts) - links + max(opened, greeted)
    if found is None:
        subject = left_of(sentence, opened, _with_vague(sentence, told, cuts, opened, greeted), told)
        return explained, Request(kind="unclear", problem="no_date", subject=subject, language=told.code)
    request = _request(sentence, found, cuts, opened, greeted, told)
    if request.kind == "remind":
        chosen = Found(cuts[0].start, cuts[0].end, found)
        wrong = what_cannot_be(sentence, frame, max(greeted, 0), chosen)
        if wrong is not None:
            refused = due(wrong.phrase, request.subject, told.code)
            request = refused if refused.kind != "remind" else replace(request, kind="impossible", problem=NO_DATE)
    return explained * 10 + 5, request


def _ahead_of(sentence: Sentence, frame: Frame, told: Voice, opened: int) -> tuple[int, Request] | None:
    """So long before something else, where the message says so."""

    def understood(part: Sentence) -> tuple[int, Request]:
        return _in_language(part, frame, told, part=True)  # once in a message: not before what is before something

    if (early := ahead.leading(sentence, frame, told, opened, understood)) is not None:
        return early
    if (early := ahead.behind(sentence, frame, told, opened, understood)) is not None:
        return early
    closing = _closing(sentence, told, opened)
    end = closing[0].start if closing else len(sentence.words)
    if (inside := ahead.within(sentence, frame, told, opened, end, understood)) is not None:
        return inside
    return ahead.trailing(sentence, frame, told, opened, end, understood) if ahead.may_trail(sentence, told) else None


def _with_vague(sentence: Sentence, told: Voice, cuts: list[Cut], opened: int, greeted: int) -> list[Cut]:
    """ "Remind me in a bit to stretch", "... to stretch later": what is no time yet, and no part of the subject."""
    words, n = sentence.words, cuts[0].start if cuts else len(sentence.words)
    if not cuts and opened == greeted:
        return cuts  # "see you later"
    if opened < (end := match(told.vague, words, opened)) < n:
        return [Cut(opened, end), *cuts]
    size = next((size for size in (4, 3, 2, 1) if n - size > opened and match(told.vague, words, n - size) == n), 0)
    return [Cut(n - size, n), *cuts] if size else cuts


def _opening(sentence: Sentence, frame: Frame, told: Voice) -> tuple[int, int]:
    """The index after "hi, remind me", and after the greeting alone."""
    words, i = sentence.words, 0
    if sentence.text[:1] in QUOTES:
        return 0, 0  # '"Hello" demo on friday'
    for _ in range(3):
        j = match(told.hello, words, i)
        if j == i:
            break
        i = j
    greeted = i
    for _ in range(2):
        if i > greeted and i < len(words) and sentence.text[sentence.starts[i] - 1] in QUOTES:
            break  # 'remind me "don't forget the cake" at 4'
        i = match(told.open, words, i)
    if greeted < i < len(words) - 1:
        i = match(told.kindly, words, i)  # "remind me please to call mum"
        j = match(
            told.friend, words, i
        )  # "remind me boss to", "remind me sir tomorrow", but not "remind me boss fight at 5"
        i = j if j > i and (match(told.joint, words, j) > j or phrase_at(sentence, frame, j) is not None) else i
    if i == greeted:
        i = _opened_midst(sentence, frame, told, greeted)
    return (i, greeted) if i > greeted else (greeted if greeted < len(words) else 0, greeted)


def _opened_midst(sentence: Sentence, frame: Frame, told: Voice, greeted: int) -> int:
    """The index after "sir, please remind me", where what precedes is only how one begins; `greeted` where it is not.

    "Game starts at 7, remind me at 6:30" has its subject there, and so has what ends with the date.
    """
    words, lexicon = sentence.words, sentence.lexicon
    for i in range(greeted + 1, min(greeted + PREAMBLE_WORDS_MAX, len(words)) + 1):
        word = words[i - 1]
        if word[0] <= "9" or word in lexicon.day or word in lexicon.weekday or word in lexicon.part:
            return greeted
        if (j := match(told.midst, words, i)) > i:
            if any((one := phrase_at(sentence, frame, k)) is not None and one.phrase.firm for k in range(greeted, i)):
                return greeted  # "next month remind me to pay"
            after = phrase_at(sentence, frame, j)
            end = j if after is None else after.end
            return j if end < len(words) and words[end] not in lexicon.noise else greeted
    return greeted


def _date(
    sentence: Sentence, frame: Frame, told: Voice, opened: int, *, asked: bool
) -> tuple[Phrase | None, list[Cut]]:
    """The phrase that says when: right after "remind me", else the last one; with what is to be cut for it."""
    closing = _closing(sentence, told, opened)
    if asked and (here := phrase_at(sentence, frame, opened)) is not None and _stands(sentence, here, told, opened):
        here = kept_name(sentence, here)
        listed = _list_after(sentence, frame, here)
        if listed is not None:
            return listed.phrase, [listed, *closing]
        if (j := match(told.instead, sentence.words, here.end)) > here.end:
            j = match(told.instead, sentence.words, j)
            other = phrase_at(sentence, frame, j)
            here = (corrected(sentence, here, other, told) if other is not None else None) or here
        if here.end < len(sentence.words) and sentence.words[here.end] in sentence.lexicon.either:
            after = phrase_at(sentence, frame, here.end + 1)
            here = (one_of_two(sentence, here, after) if after is not None else None) or here
        elif (j := match(told.opposed, sentence.words, here.end)) > here.end:
            other = phrase_at(sentence, frame, j)
            here = (opposed(sentence, here, other, told) if other is not None else None) or here
        elif (two := _and_another(sentence, frame, told, here)) is not None:
            return two[1].phrase, [*two, *closing]
        return here.phrase, [here, *closing]
    if asked and (here := _four_figures(sentence, frame, told, opened)) is not None:
        return here.phrase, [here, *closing]
    known = phrases(sentence, frame, opened)
    if not known:
        alone = phrase_at(sentence, frame, opened)
        if alone is not None and alone.end == len(sentence.words):
            return alone.phrase, [alone]  # nothing but a date, however short
        return None, closing
    known = _meant(sentence, frame, known)
    if len(known) > 1 and not asked and (said := _before_the_opening(sentence, known[0], told, opened)) is not None:
        return said.phrase, [said, *closing]
    return _of_several(sentence, frame, told, known, opened, closing, asked=asked)


def _before_the_opening(sentence: Sentence, first: Found, told: Voice, opened: int) -> Found | None:
    """ "At 3pm remind me that the flight leaves at 17:30": the first phrase, where the request itself follows it."""
    if first.start != opened or not is_whole(first.phrase, alone=True):
        return None
    i = match(told.hello, sentence.words, first.end)
    return first if match(told.midst, sentence.words, i) > i else None


def _of_several(
    sentence: Sentence, frame: Frame, told: Voice, known: list[Found], opened: int, closing: list[Cut], *, asked: bool
) -> tuple[Phrase, list[Cut]]:
    """The last of the phrases, with those that belong to it."""
    first, last = known[0], known[-1]
    if (listed := _hours_to(sentence, frame, known) or _list_of_times(sentence, known)) is not None:
        return listed.phrase, [listed, *closing]
    if len(known) > 1 and (better := corrected(sentence, known[-2], last, told)) is not None:
        return better.phrase, [better, *closing]
    if len(known) > 1 and (meant := opposed(sentence, known[-2], last, told)) is not None:
        return meant.phrase, [meant, *closing]
    if len(known) > 1 and (either := one_of_two(sentence, known[-2], last)) is not None:
        return either.phrase, [either, *closing]
    apart = not asked and last.end < len(sentence.words) and _is_asked_for(sentence, last, told)
    for other in () if apart else dict.fromkeys((first, *known[-2:-1])):
        if other is last or (asked and other.start <= opened):
            continue
        if (both := parted(sentence, frame, other, last, opened)) is not None:
            return both.phrase, [other, last, *closing]
    if len(known) > 1 and (two := two_rules(sentence, known, told)) is not None:
        return last.phrase, [*two, *closing]
    if (two := _and_another(sentence, frame, told, last)) is not None:
        return two[1].phrase, [*two, *closing]
    return last.phrase, [last, *(cut for cut in closing if cut.start >= last.end)]


def _is_asked_for(sentence: Sentence, found: Found, told: Voice) -> bool:
    """Whether "remind me" stands right before a phrase: "it's friday, remind me at 5 to clock out"."""
    return any(match(told.midst, sentence.words, found.start - n) == found.start for n in (1, 2) if n <= found.start)


def _and_another(sentence: Sentence, frame: Frame, told: Voice, here: Found) -> list[Found] | None:
    """As `two_rules`, of a phrase and what is added right after it."""
    if here.end >= len(sentence.words) or sentence.words[here.end] not in told.also:
        return None
    j = match(told.also, sentence.words, here.end)
    other = phrase_at(sentence, frame, j)
    if other is None or not other.phrase.firm or sentence.words[j] in sentence.lexicon.weak:
        return None
    return two_rules(sentence, [here, other], told)


def _four_figures(sentence: Sentence, frame: Frame, told: Voice, opened: int) -> Found | None:
    """ "remind me 1730 to ...": a time of the day in four figures, where the subject is announced after it."""
    words = sentence.words
    word = words[opened] if opened < len(words) else ""
    if len(word) != 4 or not word.isdecimal() or int(word) >= 2400 or int(word[2:]) > 59:
        return None
    if match(told.joint, words, opened + 1) == opened + 1 or words[opened + 1] in sentence.lexicon.on:
        return None
    found = phrase_at(sentence, frame, 0, ["@", word])
    return None if found is None else Found(opened, opened + 1, found.phrase)


def _meant(sentence: Sentence, frame: Frame, known: list[Found]) -> list[Found]:
    """Without the phrases that only say which, where or what kind of thing the message is about."""
    known = [one for one in known if not one.phrase.problem] or known  # the rest is looked through for what cannot be
    if len(known) > 1 and is_festival(known[-1].phrase) and is_whole(known[-2].phrase):
        known.pop()  # "el día 24 a las 21:00 cena de nochebuena"
    if len(known) > 1 and is_kind(sentence, known[-1]):
        known.pop()
    while len(known) > 1 and modifies(sentence, known[-1]) and not all(modifies(sentence, one) for one in known):
        known.pop()
    if len(known) > 1 and known[-2].phrase.freq and sentence.words[known[-1].start - 1] in sentence.lexicon.but:
        known.pop()  # "every day at 8 take pills except weekends": it belongs to the rule
    if len(known) > 1 and is_address(sentence, known[-1]) and known[-2].phrase.hour >= 0:
        known.pop()  # "9am garage sale @ 14 Elm St"
    if len(known) > 1 and (rest := divided(sentence, frame, known[-2], known[-1])) is not None:
        known[-2:] = [rest]  # the other one stays in the subject
    return known


def _list_after(sentence: Sentence, frame: Frame, here: Found) -> Found | None:
    """As `_list_of_times`, from a phrase on, where a time may follow it at all."""
    after = sentence.words[here.end] if here.end < len(sentence.words) else ""
    if (hours := listed_hours(sentence, frame, here)) is not None:
        return hours
    if here.phrase.hour < 0 or not (after in sentence.lexicon.both or after[:1].isdecimal()):
        return None
    return _list_of_times(sentence, [here, *phrases(sentence, frame, here.end)], first=True)


def _hours_to(sentence: Sentence, frame: Frame, known: list[Found]) -> Found | None:
    """A list of hours that ends with the last phrase that was found, or after it."""
    words, both = sentence.words, sentence.lexicon.both
    for one in known[-TIMES_MAX:]:
        after = words[one.end] if one.end < len(words) else ""
        if not (after in both or "0" <= after[:1] <= "9"):
            continue
        found = listed_hours(sentence, frame, one)
        if found is not None and found.end >= known[-1].end:
            return found
    return None


def _list_of_times(sentence: Sentence, known: list[Found], *, first: bool = False) -> Found | None:
    """The longest list of times at the end of what was found, or at its start."""
    for size in range(min(len(known), TIMES_MAX), 1, -1):
        found = listed_times(sentence, known[:size] if first else known[-size:])
        if found is not None:
            return found
    return None


def _closing(sentence: Sentence, told: Voice, opened: int) -> list[Cut]:
    """The words with which a request ends in some languages ("... yaad dilana"), as something to cut."""
    n = len(sentence.words)
    while n > opened + 1 and (sentence.words[n - 1],) in told.thanks:
        n -= 1  # "yaad dila dena please"
    if not n or sentence.words[n - 1].rpartition(" ")[2] not in told.closers:
        return []
    for size in range(min(6, n - opened), 0, -1):
        if tuple(" ".join(sentence.words[n - size : n]).split(" ")) in told.close:
            return [Cut(n - size, len(sentence.words))]
    return []


def _stands(sentence: Sentence, here: Found, told: Voice, opened: int) -> bool:
    """Whether what stands right after "remind me" is a date: not the "2" of "remind me 2 pills at 5"."""
    p = here.phrase
    first = sentence.words[opened]
    if match(told.joint, sentence.words, opened) > opened and first not in sentence.lexicon.on:
        return False
    if p.firm or here.end >= len(sentence.words):
        dated = p.days is not None or p.fixed is not None or p.offset is not None
        return first not in sentence.lexicon.the or dated or (p.weekday >= 0 and first in sentence.lexicon.on)
    if p.span or p.hour >= 0 or p.part or p.days:
        return first not in sentence.lexicon.the or match(told.joint, sentence.words, here.end) > here.end
    return match(told.joint, sentence.words, here.end) > here.end


def _request(sentence: Sentence, p: Phrase, cuts: list[Cut], opened: int, greeted: int, told: Voice) -> Request:
    alone = len(cuts) == 1
    cuts = [_with_opening(sentence, cut, told, greeted, opened, alone=alone) for cut in cuts]
    subject = left_of(sentence, opened, sorted(cuts, key=lambda cut: cut.start), told)
    if not p.freq and any(cut.start and sentence.words[cut.start - 1] in sentence.lexicon.every for cut in cuts):
        # "every next 30 days": no rule that anybody could mean, and surely not the once that is left of it.
        return Request(
            kind="unclear", problem="no_date", subject=left_of(sentence, opened, [], told), language=told.code
        )
    subject = subject or next((word for word in sentence.words[:opened] if word in told.things), "")
    _take_hint(p, subject, told)
    request = due(p, subject, told.code)
    if request.kind == "remind" and (not subject or _only_times(sentence, subject)):
        return Request(kind="unclear", problem="no_subject", when=request.when, rrule=request.rrule, language=told.code)
    return request


def _only_times(sentence: Sentence, subject: str) -> bool:
    """ "8am and 8pm": what is left of it is no subject."""
    words, lexicon = tokens(subject[:SUBJECT_OF_TIMES_MAX]), sentence.lexicon
    known = all(word[0].isdecimal() or word in lexicon.half_day or word in lexicon.both for word in words)
    return known and len(words) > 1 and words[0][0].isdecimal() and any(word in lexicon.half_day for word in words)


def _take_hint(p: Phrase, subject: str, told: Voice) -> None:
    """ "dinner friday at 7", "wake me at 6": before or after noon, where only what it is about says which."""
    if p.hour < 0 or p.half or p.part or p.exact or p.by_name or not EARLY_HOUR_MIN <= p.hour + p.counted_back < NOON:
        return
    listed = tokens(subject[:HINT_MAX])
    words = set(listed)
    if words & (told.late if p.hour < LATE_HOUR_MIN else told.late.intersection(listed[:2])):
        p.half = "pm"
    elif words & told.early:
        p.half = "am"


def _with_opening(sentence: Sentence, cut: Cut, told: Voice, greeted: int, opened: int, *, alone: bool) -> Cut:
    """ "tomorrow, please remind me to ...", "..., remind me at 6": the opening beside the date is no subject either."""
    words, start, end = sentence.words, cut.start, cut.end
    known = sentence.lexicon
    if start > opened + 1 and words[start - 1] in told.called and words[start - 2] not in known.determiner:
        start -= words[opened] not in told.sends  # "gas booking reminder tomorrow", not "email the reminder"
    if start > opened and words[start - 1] in known.until and words[start - 1] not in known.through:
        start -= 1  # "nap til 2:30"
    said = next((size for size in (3, 2, 1) if size <= start and tuple(words[start - size : start]) in told.close), 0)
    if said and start - said >= opened:
        start -= said
        after = match(told.joint, words, end)
        if opened == greeted < start and end < after < len(words) and match(told.midst, words, start) > start:
            start = greeted  # "the 19:05 gets in at 21:40, remind me at 9 to leave"
        for _ in range(2):  # "a cake is in the oven, could you please remind me in 35 minutes"
            sizes = [size for size in (3, 2, 1) if start - size > greeted]
            start -= next(
                (n for n in sizes if tuple(words[start - n : start]) in told.hello.get(words[start - n], ())), 0
            )
    if opened > greeted:
        closed = next(
            (end + n for n in (3, 2, 1) if tuple(words[end : end + n]) in told.close and end + n <= len(words)), end
        )
        return Cut(start, closed)  # "mujhe 1 ghante me yaad dilana ki ..."
    if start > greeted or said:
        after = match(told.midst, words, end) if alone else end
        return Cut(start, end) if after == end or after >= len(words) else Cut(greeted, after)
    for _ in range(2):
        end = match(told.hello, sentence.words, end)
    opened = match(told.open, sentence.words, end)
    return Cut(start, opened) if opened > end else Cut(start, cut.end)
