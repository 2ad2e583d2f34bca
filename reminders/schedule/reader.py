"""A phrase in whatever language it is: the one that reads all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from reminders import languages
from reminders.schedule.clock import SHOWN
from reminders.schedule.conventions import Convention, convention
from reminders.schedule.descent import readers
from reminders.schedule.phrase import WORDS_MAX, Phrase, descend
from reminders.schedule.repeating import resolve
from reminders.schedule.resolve import point
from reminders.schedule.stamps import forwards, localised
from reminders.schedule.tokens import tokens
from reminders.schedule.words import Lexicon, foreign, lexicon
from reminders.schedule.zones import places

CHARACTERS_MAX: Final = 400
# What is called often runs faster in CPython: from the eighth time on.
WARM_ROUNDS: Final = 12
WARM_AT: Final = datetime(2026, 5, 13, 10, 20, tzinfo=ZoneInfo("America/New_York"))
# Of the figures that are cut before anybody sends them: the numbers below, and the minutes that people name.
FIGURES_SHOWN: Final = 100
MINUTES_SHOWN: Final = 5
ENGLISH: Final = lexicon(languages.DEFAULT)
ENGLISH_READERS: Final = readers(languages.DEFAULT)
OPENERS: Final = ENGLISH.openers
# Every language is loaded with the first phrase, so that no later one waits for it.
KNOWN: Final = {code: readers(code) for code in languages.codes()}
FOREIGN: Final = foreign()


def warm() -> None:
    """Read every example of every language, so that nobody's first text pays for what is met for the first time."""
    for zone in places().values():
        convention(zone)
    tokens(" ".join(shown()))
    for _ in range(WARM_ROUNDS):
        for code in languages.codes():
            for text in languages.table(code).get("examples", {}):
                read(text, WARM_AT, "America/New_York", False)


def shown() -> Iterator[str]:
    """What calendars and clocks show: "17", "21st", "5pm", "17:30", "5:30pm"."""
    for n in range(FIGURES_SHOWN):
        yield from (f"{n}{after}" for after in ("", "st", "nd", "rd", "th", "am", "pm"))
    for time, (_, minute) in SHOWN.items():
        yield from (f"{time}{half}" for half in (("", "am", "pm") if minute % MINUTES_SHOWN == 0 else ("",)))


def read(text: str, reference: datetime, tz: str, dayfirst: bool) -> datetime | date | str | None:
    """As `reminders.schedule.read`."""
    if len(text) > CHARACTERS_MAX:
        return None
    if "-" in text:
        if forwards(text) is not None:
            return None
        text, instant = localised(text, place(tz)[0])
        if instant is not None:
            found = read(text, reference, tz, dayfirst)
            # The instant itself, which knows which of two equal hours; not where the words around it mean another.
            said = isinstance(found, datetime) and found.replace(fold=0) == instant.replace(fold=0)
            return instant if said else found
    zone, held = place(tz)
    now = reference if reference.tzinfo is zone else reference.astimezone(zone)
    words = tokens(text)
    if not words or len(words) > WORDS_MAX:
        return None
    if not OPENERS.isdisjoint(words):
        words = merged(words, ENGLISH)
    phrase = Phrase(words, ENGLISH, ENGLISH_READERS, now, held)
    if dayfirst:
        phrase.dayfirst = True
    if descend(phrase, 0) == len(words) or whole(phrase):
        return resolve(phrase) if phrase.freq else point(phrase)
    other = _in_others(tokens(text), now, tz, dayfirst, phrase.inners)
    return None if other is None else resolve(other)


def phrase_of(text: str, now: datetime, tz: str, dayfirst: bool, language: str | None) -> Phrase | None:
    """The phrase that is all of the text, in the first language that has it so; None where none has."""
    words = tokens(text[:CHARACTERS_MAX])
    if not 0 < len(words) <= WORDS_MAX:
        return None
    usual = lexicon(language or languages.DEFAULT)
    phrase = start(merged(words, usual), usual, now, tz, dayfirst)
    descend(phrase, 0)
    return phrase if whole(phrase) else _in_others(words, now, tz, dayfirst, phrase.inners)


def _in_others(words: list[str], now: datetime, tz: str, dayfirst: bool, inners: int) -> Phrase | None:
    """As `phrase_of`, in other languages; `inners`: how many phrases were read inside others already."""
    for code in tongues(words):
        words_of = lexicon(code)
        other = start(merged(words, words_of), words_of, now, tz, dayfirst)
        other.inners = inners
        descend(other, 0)
        if whole(other):
            return other
        inners = other.inners
    return None


@lru_cache(maxsize=1024)
def place(tz: str) -> tuple[ZoneInfo, Convention]:
    return ZoneInfo(tz), convention(tz)


def start(words: list[str], words_of: Lexicon, now: datetime, tz: str, dayfirst: bool) -> Phrase:
    phrase = Phrase(words, words_of, readers(words_of.code), now, convention(tz))
    phrase.dayfirst = dayfirst
    return phrase


def whole(phrase: Phrase) -> bool:
    """Whether a phrase that was read is all that was said, but for polite words after it."""
    known, end = phrase.lexicon, phrase.end
    return end > 0 and all(word in known.noise or word in known.on for word in phrase.words[end:])


def tongues(words: list[str]) -> tuple[str, ...]:
    """The languages other than English that know one of the words, the one that knows most first."""
    votes: dict[str, int] = {}
    for word in words:
        for code in FOREIGN.get(word, ()):
            votes[code] = votes.get(code, 0) + 1
    return tuple(sorted(votes, key=lambda code: (-votes[code], languages.codes().index(code))))


def merged(words: list[str], words_of: Lexicon) -> list[str]:
    """The words as they are spelt, with those of the language's longer entries as one."""
    if words_of.openers.isdisjoint(words):
        return words
    if not words_of.slips.keys().isdisjoint(words):
        words = [words_of.slips.get(word, word) for word in words]
    merges = words_of.merges
    for i, (word, after) in enumerate(pairwise(words)):
        if word in merges and after in merges[word]:
            return _joined(words, words_of, i)
    return words


def _joined(words: list[str], words_of: Lexicon, i: int) -> list[str]:
    """As `merged`, where a longer entry may start at word `i`, and none before."""
    found, merges, n = words[:i], words_of.merges, len(words)
    while i < n:
        word = words[i]
        i += 1
        seconds = merges.get(word)
        if seconds is not None and i < n and words[i] in seconds:
            for rest in seconds[words[i]]:
                if words[i : i + len(rest)] == rest and not (found and words_of.counted_by(found[-1], word)):
                    word = " ".join((word, *rest))
                    i += len(rest)
                    break
        found.append(word)
    return found


warm()
