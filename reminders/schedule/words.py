"""What each word of a language means to the reader: its data file, turned into tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from sys import intern
from typing import Any, Final

from reminders import languages
from reminders.schedule.tokens import tokens

# Names this long are also known with one letter missing, doubled, or swapped with its neighbour, with a vowel more
# or another, or with a letter from the key beside it.
TYPO_LETTERS_MIN: Final = 6
VOWELS: Final = "aeiou"
TENS_MIN: Final = 20
KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

# role → how its table is written in the data file
SETS: Final = (
    "at on in from before joint noise the a and next this last every other after_next hence now past to half "
    "quarter oclock hour_mark through until starting except for times once twice thrice verbs determiner measure "
    "day_word later month_end time_word plus part_today hour_plus hour_minus ago pm_short coming "
    "or time_before weak same_time alternate filler day_past part_every between about counted behind "
    "no_slip names colon topic being with_on by_turns and_short"
).split()
VALUES: Final = "number adder multiplier fraction ordinal ordinal_suffix edge clock often sets".split()
LISTS: Final = "unit day part half_day holiday".split()
NAMES: Final = "weekday month".split()
TYPED: Final = ("weekday", "plural", "month", "day", "part", "often", "sets", "unit")


class Lexicon:
    """A language's words by role. `merges` are its entries of several words, by their first and second."""

    def __init__(self, code: str, tables: Mapping[str, dict[str, Any]]) -> None:
        self.code, self.tables = code, tables
        self.at, self.on, self.into, self.of_from = (frozenset(tables[n]) for n in ("at", "on", "in", "from"))
        self.before, self.joint, self.noise = (frozenset(tables[n]) for n in ("before", "joint", "noise"))
        self.the, self.a, self.both = (frozenset(tables[n]) for n in ("the", "a", "and"))
        self.next, self.this, self.last = (frozenset(tables[n]) for n in ("next", "this", "last"))
        self.every, self.other, self.after_next = (frozenset(tables[n]) for n in ("every", "other", "after_next"))
        self.hence, self.now, self.past, self.to = (frozenset(tables[n]) for n in ("hence", "now", "past", "to"))
        self.half, self.quarter, self.oclock = (frozenset(tables[n]) for n in ("half", "quarter", "oclock"))
        self.hour_mark, self.through, self.until = (frozenset(tables[n]) for n in ("hour_mark", "through", "until"))
        self.starting, self.but, self.limit = (frozenset(tables[n]) for n in ("starting", "except", "for"))
        self.times, self.once, self.twice, self.thrice = (
            frozenset(tables[n]) for n in ("times", "once", "twice", "thrice")
        )
        self.verbs, self.determiner = frozenset(tables["verbs"]), frozenset(tables["determiner"])
        self.day_word, self.month_end, self.plus = (frozenset(tables[n]) for n in ("day_word", "month_end", "plus"))
        self.hour_plus, self.hour_minus = frozenset(tables["hour_plus"]), frozenset(tables["hour_minus"])
        self.time_word, self.ago = frozenset(tables["time_word"]), frozenset(tables["ago"])
        self.pm_short, self.coming = frozenset(tables["pm_short"]), frozenset(tables["coming"])
        self.same_time = frozenset(tables["same_time"])
        self.weak, self.behind = frozenset(tables["weak"]), frozenset(tables["behind"])
        self.measure, self.names = frozenset(tables["measure"]), frozenset(tables["names"])
        self.counted, self.colon = frozenset(tables["counted"]), frozenset(tables["colon"])
        self.between, self.about, self.topic, self.either = (
            frozenset(tables[n]) for n in ("between", "about", "topic", "or")
        )
        self.alternate, self.filler, self.day_past, self.by_turns, self.and_short = (
            frozenset(tables[n]) for n in ("alternate", "filler", "day_past", "by_turns", "and_short")
        )
        self.part_every, self.being, self.with_on = (frozenset(tables[n]) for n in ("part_every", "being", "with_on"))
        # These are no tables: by such words no language is known.
        self.link, self.part_linked, self.compound = (
            frozenset(map(_key, languages.table(code)["words"].get(n, ()))) for n in ("link", "part_linked", "compound")
        )
        self.time_before, self.part_today = frozenset(tables["time_before"]), frozenset(tables["part_today"])
        self.number: dict[str, float] = tables["number"]
        self.adder: dict[str, float] = tables["adder"]
        self.multiplier: dict[str, int] = tables["multiplier"]
        self.fraction: dict[str, float] = tables["fraction"]
        self.ordinal: dict[str, int] = tables["ordinal"]
        self.suffix = frozenset(tables["ordinal_suffix"])
        self.edge: dict[str, int] = tables["edge"]
        self.unit: dict[str, str] = tables["unit"]
        self.weekday: dict[str, int] = tables["weekday"]
        self.plural: dict[str, int] = tables["plural"]
        self.month: dict[str, int] = tables["month"]
        self.day: dict[str, int] = tables["day"]
        self.part: dict[str, str] = tables["part"]
        self.clock: dict[str, list[int]] = tables["clock"]
        self.half_day: dict[str, str] = tables["half_day"]
        self.often: dict[str, list[Any]] = tables["often"]
        self.sets: dict[str, list[int]] = tables["sets"]
        self.holiday: dict[str, str] = tables["holiday"]
        # What a date may begin with, besides a figure: "feb 30", "thirty-first of june".
        self.dated = frozenset(
            (*self.month, *self.ordinal, *(word for word, n in self.number.items() if n >= TENS_MIN))
        )
        self.after_day = _after_day(self)
        self.words = frozenset(word for name in tables for word in tables[name])
        self.merges = _merges(self.words)
        # What each word says about a figure before it: made by `reminders.schedule.figures`.
        self.roles: dict[str, Callable[[Any, int, float, int], int]] = {}
        # Known by the word that they slipped from, which stands in the tables; kept apart, so that those stay small.
        self.slips = _slips_of(tables)
        self.openers = _signs(self.merges, tables) | self.slips.keys()

    def counted_by(self, before: str, word: str) -> bool:
        """Whether a word is the unit of the number before it: "day" in "2 day after" opens no longer entry."""
        return word in self.unit and (before.isdecimal() or before in self.number)


def _after_day(lexicon: Lexicon) -> frozenset[str]:
    """What may follow a day and belong to it: "monday week", "friday after next"."""
    weeks = {word for word, unit in lexicon.unit.items() if unit in ("week", "fortnight")}
    return lexicon.after_next | (lexicon.of_from & lexicon.into) | lexicon.before | lexicon.coming | weeks


@lru_cache(maxsize=32)
def lexicon(code: str) -> Lexicon:
    return Lexicon(code, _tables(code))


@lru_cache(maxsize=1)
def foreign() -> dict[str, tuple[str, ...]]:
    """Words that English does not know → the languages that do."""
    known = lexicon(languages.DEFAULT)
    owners: dict[str, tuple[str, ...]] = {}
    for code in languages.codes():
        words = lexicon(code)
        for word in {part for entry in words.words for part in entry.split(" ")} | words.slips.keys():
            if word not in known.words and word not in known.slips:
                owners[word] = (*owners.get(word, ()), code)
    return owners


def _slips_of(tables: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Each slip of the finger and the word that it slipped from, unless it is another word."""
    known = {word for table in tables.values() for word in table}
    slips = {slip: word for name in TYPED for word in tables[name] for slip in _slips(word)}
    return {slip: word for slip, word in slips.items() if slip not in known}


def _tables(code: str) -> dict[str, dict[str, Any]]:
    words: dict[str, Any] = languages.table(code).get("words", {})
    tables: dict[str, dict[str, Any]] = {name: {} for name in (*SETS, *VALUES, *LISTS, *NAMES, "plural")}
    own = {name: dict(pairs) for name, pairs in _read(words)}
    base = languages.table(code).get("extends")
    if base:
        # What the language says itself is meant its own way: Hindi's "do" is two.
        mine = {word for table in own.values() for word in table}
        for name, table in _tables(base).items():
            tables[name].update((word, value) for word, value in table.items() if word not in mine)
    for name, table in own.items():
        tables[name].update(table)
    return tables


def _read(words: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    for name in SETS:
        listed = words.get(name, [])
        yield name, [(_key(word), 1) for word in (listed["list"] if isinstance(listed, dict) else listed)]
    for name in VALUES:
        yield name, [(_key(word), value) for word, value in words.get(name, {}).items()]
    for name in LISTS:
        pairs = [(_key(w), _value(name, value)) for value, listed in words.get(name, {}).items() for w in listed]
        yield name, pairs
    for name in NAMES:
        table = words.get(name, {})
        pairs = [(_key(w), n) for n, listed in enumerate(table.get("names", ()), name == "month") for w in listed]
        yield name, pairs
        if name == "weekday":
            plurals = [(_key(w), n) for n, listed in enumerate(table.get("plurals", ())) for w in listed]
            yield "plural", plurals


def _key(word: str) -> str:
    """As it is in the tables, once in all of them, so that most look-ups compare no letters."""
    return intern(" ".join(tokens(word)) or word)


def _value(name: str, value: str) -> Any:
    return int(value) if name == "day" else value


def _slips(word: str) -> Iterator[str]:
    if len(word) >= TYPO_LETTERS_MIN and word.isalpha():
        for i in range(1, len(word)):
            yield word[:i] + word[i + 1 :]
            yield word[:i] + word[i] + word[i:]
            yield word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :]
            for other in _mistaken(word[i]):
                yield word[:i] + other + word[i + 1 :]
            for vowel in VOWELS:
                yield word[:i] + vowel + word[i:]


@lru_cache(maxsize=64)
def _mistaken(letter: str) -> str:
    """The letters that are typed instead of one: the other vowels, and those beside it on the keyboard."""
    beside = "".join(row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEYS if (at := row.find(letter)) >= 0)
    return beside + (VOWELS.replace(letter, "") if letter in VOWELS else "")


def _signs(merges: Mapping[str, Mapping[str, list[list[str]]]], tables: Mapping[str, dict[str, Any]]) -> frozenset[str]:
    """One word of each longer entry, its rarest: a text with none of them has no longer entry."""
    usual = {
        word
        for name in ("at", "on", "in", "joint", "the", "a", "this", "next", "every", "unit")
        for word in tables[name]
    }
    oftener = {word for name in ("day", "a", "now", "the", "unit") for word in tables[name]} - set(tables["fraction"])
    alone = {word for table in tables.values() for word in table}
    entries = [(first, *rest) for first, seconds in merges.items() for rests in seconds.values() for rest in rests]

    def rarity(word: str) -> tuple[bool, ...]:
        return not word[0].isalpha(), word in oftener, word in usual, word in alone

    return frozenset(min(entry, key=rarity) for entry in entries)


def _merges(words: Iterable[str]) -> dict[str, dict[str, list[list[str]]]]:
    found: dict[str, dict[str, list[list[str]]]] = {}
    for word in words:
        first, *rest = map(intern, word.split(" "))
        if rest:
            found.setdefault(first, {}).setdefault(rest[0], []).append(rest)
    for seconds in found.values():
        for rests in seconds.values():
            rests.sort(key=len, reverse=True)
    return found
