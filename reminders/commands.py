"""What the grammar leaves to the conversation: answers to a question of ours, MORE, and SKIP. Pure, never raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reminders import languages

ANSWER_CHARACTERS_MAX: Final = 40
RETIMED_CHARACTERS_MAX: Final = 160
CHOICES: Final = {"first": 1, "second": 2}


def answer(*, text: str, language: str) -> str | None:
    """yes, no, first, second, more, thanks or hello, in the person's language, else in any; None for anything else."""
    said = _plain(text)
    head, _, last = said.rpartition(" ")
    for code in dict.fromkeys((language, languages.DEFAULT, *languages.codes())):
        if name := _answers(code).get(said) or (_answers(code).get(head) if last in _words(code, "friend") else None):
            return name
    thanks = said != "" and all(word in _thanks(language) for word in said.replace(",", " ").split())
    return "thanks" if thanks else None


def is_it(*, text: str, language: str) -> bool:
    """Whether a text means the newest reminder: "it", "that one", "the last one"."""
    return any(_plain(text) in _words(code, "it") for code in (language, languages.DEFAULT)) and text != ""


def called(*, text: str, language: str) -> tuple[str, ...]:
    """A reminder's name as it was said, then without what only points at it: "the bus one", "bus one", "bus"."""
    said = " ".join(text[:RETIMED_CHARACTERS_MAX].casefold().split()).strip(".!?,")
    articles, ones = _both(language, "article"), _pointing(language)
    forms = [said]
    first, _, more = said.partition(" ")
    if more and first in articles:
        forms.append(more)
    forms += [head for head, _, last in (form.rpartition(" ") for form in forms) if head and last in ones]
    return tuple(form for form in forms if form)


def is_answer_in(*, text: str, language: str) -> bool:
    """Whether this very language has the answer, so that it is answered in it."""
    return _plain(text) in _answers(language)


def chosen(*, text: str, number: int | None, language: str) -> int | None:
    """Which of the numbered choices a message names ("2", "#2", "the second one"), from 1; None where it names none."""
    if number is not None:
        return number
    said = answer(text=text, language=language)
    return CHOICES.get(said or "")


def skipped(*, text: str, language: str) -> int | None:
    """The number in "SKIP 3"; 0 for a bare SKIP; None where it is no such command."""
    said = _plain(text)
    for code in (language, languages.DEFAULT):
        for word in sorted(_words(code, "skip"), key=len, reverse=True):
            if said == word:
                return 0
            rest = said.removeprefix(f"{word} ").removeprefix("#")
            if rest != said and rest.isdecimal() and len(rest) <= 6:
                return int(rest)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """ "Rename tea to green tea". Not `sure` where "change" was said, after which a time may come as well."""

    old: str
    new: str
    sure: bool


def renamed(*, text: str, language: str) -> Renamed | None:
    """What was renamed; None where it is no such command, or has a number in it."""
    said = asked(text=text, language=language)
    for code in (language, languages.DEFAULT):
        for name in ("edit", "change"):
            for verb in _longest(code, "commands", name):
                if said.casefold().startswith(f"{verb} ") and (found := _parted(said[len(verb) :].strip(), code)):
                    old, new = found
                    named = bool(old and new) and not old.isdecimal()
                    return Renamed(old=old, new=new, sure=name == "edit") if named else None
    return None


def asked(*, text: str, language: str) -> str:
    """A short request without what is only polite: "can you", "instead"."""
    said = " ".join(text[:RETIMED_CHARACTERS_MAX].split()).rstrip(".!?")
    folded, (before, behind) = said.casefold(), _politeness(language)
    if not (folded.startswith(before) or folded.endswith(behind)):
        return said  # nearly every text
    for code in (language, languages.DEFAULT):
        for polite in _longest(code, "answers", "polite"):
            if said.casefold().startswith(f"{polite} "):
                said = said[len(polite) + 1 :]
            if said.casefold().endswith(f" {polite}"):
                said = said[: -len(polite) - 1]
    return said


def retimed(*, text: str, language: str) -> tuple[str, str | None] | None:
    """(what, when) of "change it to 10am", "make it 10", "move the dentist to friday"; what is empty for "it".

    `when` is None for "make the dentist 5pm", where only the reminders' own names tell what is what.
    """
    said = asked(text=text, language=language)
    folded = said.casefold()
    if not folded.startswith(_retiming(language)):
        return None  # nearly every text
    for code in (language, languages.DEFAULT):
        for opening in _longest(code, "answers", "make_it"):
            if folded.startswith(f"{opening} "):
                return "", said[len(opening) :].strip(" ,")
        for verb in _longest(code, "commands", "move"):
            if folded.startswith(f"{verb} "):
                rest = said[len(verb) :].strip()
                return _parted(rest, code) or (_bare(rest, code), None)
        for verb in _longest(code, "answers", "make"):
            if folded.startswith(f"{verb} ") and len(said) < len(text.strip(" .!?")):  # "can you make tea 5pm instead"
                return _bare(said[len(verb) :].strip(), code), None
    return None


@lru_cache(maxsize=32)
def _politeness(language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Everything polite as it begins a text, and as it ends one."""
    said = [polite for code in (language, languages.DEFAULT) for polite in _longest(code, "answers", "polite")]
    return tuple(f"{one} " for one in said), tuple(f" {one}" for one in said)


@lru_cache(maxsize=32)
def _retiming(language: str) -> tuple[str, ...]:
    """Every way in which such a text may begin."""
    codes = (language, languages.DEFAULT)
    said = (
        *(_words(code, name) for code in codes for name in ("make_it", "make")),
        *(_commands(c, "move") for c in codes),
    )
    return tuple(f"{word} " for words in said for word in words)


def _parted(rest: str, code: str) -> tuple[str, str] | None:
    for joint in _commands(code, "move_to"):
        what, between, when = rest.partition(f" {joint} ")
        if between:
            return ("" if what.casefold() in _words(code, "it") else _bare(what, code)), when.strip()
    return None


def _bare(what: str, code: str) -> str:
    first, _, more = what.partition(" ")
    return more if more and first.casefold() in _both(code, "article") else what


@lru_cache(maxsize=32)
def _both(language: str, name: str) -> frozenset[str]:
    """Words of the language and of English, which everybody mixes in."""
    return frozenset((*_words(language, name), *_words(languages.DEFAULT, name)))


@lru_cache(maxsize=32)
def _pointing(language: str) -> frozenset[str]:
    """What stands behind a reminder's name and is no part of it: "the bus one", "chai wala", "the bus reminder"."""
    named = (
        word
        for code in (language, languages.DEFAULT)
        for key in ("ones", "object_marks")
        for word in _commands(code, key)
    )
    return _both(language, "thing") | frozenset(named)


def _commands(code: str, name: str) -> Sequence[str]:
    words: Sequence[str] = languages.table(code).get("commands", {}).get(name, ())
    return words


@lru_cache(maxsize=64)
def _longest(code: str, part: str, name: str) -> tuple[str, ...]:
    words: Sequence[str] = languages.table(code).get(part, {}).get(name, ())
    return tuple(sorted(words, key=len, reverse=True))


@lru_cache(maxsize=32)
def _answers(code: str) -> dict[str, str]:
    names = ("both", "hello", "thanks", "more", "second", "first", "no", "yes")
    return {word: name for name in names for word in _words(code, name)}


@lru_cache(maxsize=32)
def _thanks(code: str) -> frozenset[str]:
    """The words of which thanks are made: "cool thanks", "ok, great"."""
    said = (*_words(code, "thanks"), *_words(languages.DEFAULT, "thanks"))
    return frozenset(word for saying in said for word in saying.split())


def _words(code: str, name: str) -> Sequence[str]:
    words: Sequence[str] = languages.table(code).get("answers", {}).get(name, ())
    return words


def _plain(text: str) -> str:
    return " ".join(text[: ANSWER_CHARACTERS_MAX + 1].casefold().strip(" \t\r\n.!?,;:\"'()").split())
