"""Messages that ask for something other than a new reminder."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from reminders import languages
from reminders.grammar.request import Request
from reminders.grammar.sayings import Voice, match, voice
from reminders.grammar.sentence import Sentence
from reminders.grammar.splitting import Frame, phrases
from reminders.schedule import zones
from reminders.schedule.descent import readers
from reminders.schedule.tokens import tokens

COMMAND_WORDS_MAX: Final = 14
STOP_WORDS_MAX: Final = 16
STOP_CONTAINED_MIN: Final = 2
NUMBER_MAX: Final = 999_999
# "delete 1, 2 and 5": so many at once; "delete the last one": so many words.
NUMBERS_MAX: Final = 10
POINTED_WORDS_MAX: Final = 4


def opt_out(sentence_words: list[str], told: Voice) -> str | None:
    """ "stop" or "start" where that is all the message says; the carriers' words, and people's own."""
    words = _impolite(sentence_words, told)
    if not words or len(words) > STOP_WORDS_MAX:
        return None
    said = tuple(words)
    if said in told.stop or tuple(sentence_words) in told.stop:
        return "stop"
    if said in told.start or tuple(sentence_words) in told.start:
        return "start"
    return None


def stops_in_passing(words: list[str], told: Voice) -> bool:
    """ "I want you to stop calling me": a whole phrase of refusal anywhere in a short message."""
    if len(words) > STOP_WORDS_MAX:
        return False
    for size in range(min(len(words), 7), STOP_CONTAINED_MIN - 1, -1):
        for i in range(len(words) - size + 1):
            said = tuple(words[i : i + size])
            if said in told.stop and (size > STOP_CONTAINED_MIN or i == 0 or said[-1].startswith("call")):
                return True
    return False


def command(sentence: Sentence, frame: Frame, told: Voice, plain: list[str]) -> Request | None:
    """The command, or None where the message is none."""
    words = _impolite(plain, told)
    if not words or len(words) > COMMAND_WORDS_MAX:
        return None
    kind = told.exact.get(tuple(words)) or told.exact.get(tuple(plain))
    if kind is not None:
        return Request(kind=kind, language=told.code)
    if words[:-1] in ([], ["#"]) and words[-1].isdecimal() and len(words[-1]) <= 2:
        return Request(kind="choose", number=int(words[-1]), language=told.code)
    if (code := _languages().get(" ".join(words))) is not None and len(words[0]) > 2:
        return Request(kind="lang", told=code, language=code)  # "español, por favor"
    if (request := _delete_last(sentence, frame, told, words) or _move_last(sentence, told, words)) is not None:
        return request
    for kind in told.kinds.get(words[0], ()):
        j = match(told.prefixes[kind], words, 0)
        if j and (request := PREFIXES[kind](sentence, frame, told, words[j:])) is not None:
            return request
    return None


def _impolite(words: list[str], told: Voice) -> list[str]:
    """The words without the polite ones at both ends."""
    if not words or (words[0] not in told.polite_starts and words[-1] not in told.polite_ends):
        return words
    start, end, changed = 0, len(words), True
    if words[0] in told.prefixes["move"] and len(words) > 1 and match(told.move_to, words, end - 2) == end - 1:
        return words  # "move 1 to today"
    while changed and start < end:
        changed = False
        for size in (3, 2, 1):
            if end - start > size and tuple(words[start : start + size]) in told.polite:
                start, changed = start + size, True
            if end - start > size and tuple(words[end - size : end]) in told.polite:
                end, changed = end - size, True
    return words[start:end]


def _delete(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    if tuple(rest) in told.all:
        return Request(kind="delete", everything=True, language=told.code)
    number, j = _number(told, rest)
    if number is not None and j == len(rest):
        return Request(kind="delete", number=number, language=told.code)
    listed = [word for word in rest if word not in told.reminder and word not in sentence.lexicon.both]
    if 1 < len(listed) <= NUMBERS_MAX and all(word.isdecimal() and len(word) <= 3 for word in listed):
        return Request(kind="delete", numbers=tuple(map(int, listed)), language=told.code)
    pointed = len(rest) <= POINTED_WORDS_MAX and rest[-1:] != [] and rest[-1] in told.ones
    if pointed or tuple(rest) in told.it:
        return Request(kind="delete", subject=" ".join(rest), problem="no_number", language=told.code)
    if not rest or phrases(sentence, frame, 0):
        return None
    return Request(kind="delete", subject=_after(sentence, told, "delete"), problem="no_number", language=told.code)


def _delete_last(sentence: Sentence, frame: Frame, told: Voice, words: list[str]) -> Request | None:
    """Where the verb comes last: "sab hata do", "1 hata do"."""
    for size in (3, 2, 1) if told.delete_last else ():
        if len(words) <= size or tuple(words[-size:]) not in told.delete_last:
            continue
        rest = words[:-size]
        if tuple(rest) in told.all:
            return Request(kind="delete", everything=True, language=told.code)
        number, j = _number(told, rest)
        if number is not None and all(word in told.reminder for word in rest[j:]):
            return Request(kind="delete", number=number, language=told.code)
        if phrases(sentence, frame, 0):
            return None
        subject = " ".join(word for word in rest if word not in told.object_marks)
        return Request(kind="delete", subject=subject, problem="no_number", language=told.code) if subject else None
    return None


def _move_last(sentence: Sentence, told: Voice, words: list[str]) -> Request | None:
    """ "1 ko 6 baje karo"."""
    number, j = _number(told, words) if told.move_last else (None, 0)
    if number is None or j >= len(words) or words[j] not in told.object_marks:
        return None
    for size in (3, 2, 1):
        if len(words) > j + 1 + size and tuple(words[-size:]) in told.move_last:
            phrase = _from_word(sentence, words[:-size], j + 1)
            return Request(kind="move", number=number, phrase=phrase, language=told.code)
    return None


def _move(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    number, j = _number(told, rest)
    k = match(told.edit_to, rest, j)
    if number is not None and k > j:
        subject = _from_word(sentence, rest, k, whole=True)
        return Request(kind="edit", number=number, subject=subject, language=told.code)
    k = match(told.move_to, rest, j)
    if number is None:
        return None
    if k == j < len(rest) and not (rest[k][0].isdecimal() or rest[k] in readers(told.code)):
        return None  # "change 30 amp fuse tomorrow"
    return Request(kind="move", number=number, phrase=_from_word(sentence, rest, k), language=told.code)


def _snooze(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    number, j = _number(told, rest)
    if number is not None and j == len(rest):
        return Request(kind="snooze", number=number, language=told.code)
    found = phrases(sentence, frame, 0)
    if len(found) > 1 or len(rest) > 6:
        return None
    if not found and rest and number is None and rest[0] not in sentence.lexicon.limit:
        return None  # "remind me later to stretch"
    if found and any((word,) not in told.polite for word in sentence.words[found[0].end :]):
        return None  # "call me back in 5 minutes about the car"
    if found:
        begun = sentence.starts[found[0].start]
        before = [word for word, at in zip(sentence.plain, sentence.plain_starts, strict=True) if at < begun]
        if any(word[0].isdecimal() for word in before):
            return None  # "call back 555 0199 at 3"
    k = match(told.move_to, rest, 0)
    return Request(kind="snooze", phrase=_from_word(sentence, rest, k), language=told.code)


def _edit(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    number, j = _number(told, rest)
    k = match(told.move_to, rest, j)
    if number is None:
        return None
    return Request(kind="edit", number=number, subject=_from_word(sentence, rest, k, whole=True), language=told.code)


def _tz(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    there = next((size for size in (3, 2) if len(rest) > size and tuple(rest[-size:]) in told.tz_last), 0)
    rest = rest[: len(rest) - there]  # "main Dubai mein hoon"
    place = _from_word(sentence, rest, 0).rstrip(".!")
    zone = zones.named(place)
    asked = there > 0 or (bool(sentence.words) and sentence.words[0] in told.tz_words)
    if zone is None and not asked:
        return None
    return Request(kind="tz", zone=zone, subject=place, problem=None if zone else "no_such_place", language=told.code)


def _lang(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    code = _languages().get(" ".join(rest))
    asked = bool(sentence.words) and sentence.words[0] in told.lang_words
    if code is None and not asked:
        return None
    return Request(kind="lang", told=code, problem=None if code else "no_such_language", language=code or told.code)


def _list(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    number, j = _number(told, rest)
    if number is not None and j == len(rest):
        return Request(kind="list", number=number, language=told.code)
    found = phrases(sentence, frame, 0)
    whole = (
        len(found) == 1 and found[0].start == len(sentence.words) - len(rest) and found[0].end == len(sentence.words)
    )
    return Request(kind="list", language=told.code) if whole else None  # "list tomorrow"


def _asking(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    """ "when is the dentist", "what do I have tomorrow": the list tells."""
    return Request(kind="list", language=told.code)


def _quiet(sentence: Sentence, frame: Frame, told: Voice, rest: list[str]) -> Request | None:
    """ "no calls after 9pm": no reminder, and no opt-out."""
    return Request(kind="quiet", language=told.code)


PREFIXES: Final = {
    "quiet": _quiet,
    "ask": _asking,
    "delete": _delete,
    "move": _move,
    "edit": _edit,
    "list": _list,
    "tz": _tz,
    "lang": _lang,
    "snooze": _snooze,
}


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    named = {}
    for code in languages.codes():
        data = languages.table(code)
        for name in (*data.get("names", ()), code):
            named[" ".join(tokens(name))] = code
    return named


def _number(told: Voice, rest: list[str]) -> tuple[int | None, int]:
    """A reminder's number and the index after it: "3", "number 3", "no 3"."""
    j = 0
    while j < len(rest) and rest[j] in told.reminder and j < 2:
        j += 1
    if j < len(rest) and rest[j].isdecimal() and len(rest[j]) <= 6:
        return min(int(rest[j]), NUMBER_MAX), j + 1
    return None, 0


def _from_word(sentence: Sentence, rest: list[str], k: int, *, whole: bool = False) -> str:
    """The words of `rest` from `k` on as they were written; `whole`: to the message's very end."""
    left = len(rest) - k
    words, starts = sentence.plain, sentence.plain_starts
    if left <= 0:
        return ""
    i = len(words) - left
    while i > 0 and words[i : i + left] != rest[k:]:
        i -= 1
    return sentence.text[starts[i] : None if whole else sentence.plain_ends[i + left - 1]].strip()


def _after(sentence: Sentence, told: Voice, kind: str) -> str:
    """What is left after the command's own words and "my", "the reminder about"."""
    words = sentence.plain
    j = 0
    while j < len(words) and (words[j],) in told.polite:
        j += 1
    j = match(told.prefixes[kind], words, j)
    while j < len(words) and (words[j] in told.reminder or words[j] in told.about):
        j += 1
    return sentence.text[sentence.plain_starts[j] :].strip(" .!?") if j < len(words) else ""


def stops(words: list[str], codes: tuple[str, ...]) -> str | None:
    """The opt-out or opt-in in any of the languages."""
    for code in codes:
        if kind := opt_out(words, voice(code)):
            return kind
    return None
