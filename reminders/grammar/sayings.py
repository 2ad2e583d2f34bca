"""The words around a request, per language: how it begins and ends, and the commands. From the language files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from reminders import languages
from reminders.schedule.tokens import tokens
from reminders.schedule.words import lexicon

Sayings = dict[str, tuple[tuple[str, ...], ...]]

PREFIXED: Final = ("quiet", "ask", "delete", "move", "edit", "list", "tz", "lang", "snooze")
EXACT: Final = ("list", "next", "help", "snooze", "balance", "undo")


class Voice:
    """What people say around a date in one language; sayings are kept by their first word, longest first."""

    def __init__(self, code: str) -> None:
        data = languages.table(code)
        asking, commands = data.get("asking", {}), data.get("commands", {})
        base = voice(data["extends"]) if "extends" in data else None
        self.code = code
        self.open: Sayings = _by_first(asking.get("open", ()), base.open if base else None)
        # Those that open a request after a few other words too: "sir, please remind me ...".
        self.midst: Sayings = _by_first(asking.get("midst", ()), base.midst if base else None)
        # "tomorrow, no wait, friday": what takes back the date before it.
        self.instead: Sayings = _by_first(asking.get("instead", ()), base.instead if base else None)
        # "every day at 6pm and also on the 3rd": between two dates that are both meant.
        self.also: Sayings = _by_first(asking.get("also", ()), base.also if base else None)
        # "tomorrow, not today": before the date that is not meant.
        self.opposed: Sayings = _by_first(asking.get("opposed", ()), base.opposed if base else None)
        self.joint: Sayings = _by_first(asking.get("joint", ()), base.joint if base else None)
        # "remind me 2 call mum": a figure for a word.
        self.short: Sayings = _by_first(asking.get("short", ()), base.short if base else None)
        # "remind me later to ...": no time, and no part of the subject.
        self.vague: Sayings = _by_first(asking.get("vague", ()), base.vague if base else None)
        # "gas booking reminder tomorrow": what the request itself is called.
        self.called: frozenset[str] = frozenset(asking.get("called", ())) | (base.called if base else frozenset())
        self.sends: frozenset[str] = frozenset(asking.get("sends", ())) | (base.sends if base else frozenset())
        self.verbs = lexicon(code).verbs
        self.things: frozenset[str] = frozenset(asking.get("things", ())) | (base.things if base else frozenset())
        # "dentist at 5, remind me an hour before".
        self.ahead = frozenset(tuple(tokens(saying)) for saying in asking.get("ahead", ()))
        # "meeting se 10 min pehle", "la reunión de las 4": what joins a thing to how long before, and to its time.
        self.than, self.of = (frozenset(asking.get(name, ())) for name in ("than", "of"))
        self.ahead_ends = frozenset(saying[-1] for saying in self.ahead)
        self.earlier = self.ahead_ends | lexicon(code).before
        # What is done in the evening, what in the morning: "dinner at 7", "wake me at 6".
        self.late, self.early = (
            frozenset(asking.get(name, ())) | (getattr(base, name) if base else frozenset())
            for name in ("late", "early")
        )
        self.hello: Sayings = _by_first(asking.get("hello", ()), base.hello if base else None)
        self.closers = frozenset(tokens(saying)[-1] for saying in asking.get("close", ()))
        self.thanks = frozenset(tuple(tokens(saying)) for saying in asking.get("thanks", ()))
        self.kindly: Sayings = _by_first(asking.get("thanks", ()), None)
        self.friend: Sayings = _by_first(asking.get("friend", ()), base.friend if base else None)
        self.thanks_ends = frozenset(saying[-1] for saying in self.thanks)
        self.close = frozenset(tuple(tokens(saying)) for saying in asking.get("close", ()))
        self.it = frozenset(tuple(tokens(saying)) for saying in data.get("answers", {}).get("it", ()))
        self._take_commands(commands, base)

    def _take_commands(self, commands: dict[str, list[str]], base: Voice | None) -> None:
        self.exact: dict[tuple[str, ...], str] = dict(base.exact) if base else {}
        for kind in EXACT:
            self.exact.update((tuple(tokens(saying)), kind) for saying in commands.get(kind, ()))
        self.prefixes: dict[str, Sayings] = dict(base.prefixes) if base else {}
        for kind in PREFIXED:
            inherited = self.prefixes.get(kind)
            self.prefixes[kind] = _by_first(commands.get(kind, ()), inherited)
        # The commands that a message which begins with this word may be, in the order in which they are tried.
        self.kinds: dict[str, tuple[str, ...]] = {}
        for kind in PREFIXED:
            for word in self.prefixes[kind]:
                self.kinds[word] = (*self.kinds.get(word, ()), kind)
        self.move_to: Sayings = _by_first(commands.get("move_to", ()), base.move_to if base else None)
        self.edit_to: Sayings = _by_first(commands.get("edit_to", ()), base.edit_to if base else None)
        self.ones = frozenset(commands.get("ones", ()))
        self.all = frozenset(tuple(tokens(saying)) for saying in commands.get("all", ()))
        self.reminder = frozenset(tokens(" ".join(commands.get("reminder", ()))))
        self.move_last, self.tz_last = (
            frozenset(tuple(tokens(saying)) for saying in commands.get(name, ())) for name in ("move_last", "tz_last")
        )
        # "chai wala", "1 ko": what marks an object where the verb comes last.
        self.object_marks = frozenset(commands.get("object_marks", ()))
        # The commands' own words, after which a place or a language that is not known is told so.
        self.tz_words, self.lang_words, self.about = (
            frozenset(commands.get(name, ())) | (getattr(base, name) if base else frozenset())
            for name in ("tz_words", "lang_words", "about")
        )
        self.delete_last = frozenset(tuple(tokens(saying)) for saying in commands.get("delete_last", ()))
        self.stop = frozenset(tuple(tokens(saying)) for saying in commands.get("stop", ()))
        self.start = frozenset(tuple(tokens(saying)) for saying in commands.get("start", ()))
        self.polite = frozenset(tuple(tokens(saying)) for saying in commands.get("polite", ()))
        if base:
            self.all, self.reminder, self.polite = (
                self.all | base.all,
                self.reminder | base.reminder,
                self.polite | base.polite,
            )
        self.polite_starts = frozenset(saying[0] for saying in self.polite)
        self.polite_ends = frozenset(saying[-1] for saying in self.polite)


@lru_cache(maxsize=32)
def voice(code: str) -> Voice:
    return Voice(code)


@lru_cache(maxsize=1)
def foreign() -> dict[str, tuple[str, ...]]:
    """Words that English does not say → the languages that do, dates and commands together."""
    english = spoken(languages.DEFAULT)
    found: dict[str, tuple[str, ...]] = {}
    for code in languages.codes():
        if code != languages.DEFAULT:
            for word in spoken(code) - english:
                found[word] = (*found.get(word, ()), code)
    return found


def match(sayings: Sayings, words: list[str], i: int) -> int:
    """The index after the longest saying that stands at `i`, or `i` where none does."""
    if i >= len(words):
        return i
    for saying in sayings.get(words[i], ()):
        if tuple(words[i : i + len(saying)]) == saying:
            return i + len(saying)
    return i


def _by_first(sayings: Iterable[str], base: Sayings | None) -> Sayings:
    found: dict[str, list[tuple[str, ...]]] = {first: list(listed) for first, listed in (base or {}).items()}
    for saying in sayings:
        words = tuple(tokens(saying))
        if words:
            found.setdefault(words[0], []).append(words)
            whole = " ".join(words)  # as one word, where the lexicon has it as one: "por favor"
            found.setdefault(whole, []).append((whole,))
    return {first: tuple(sorted(set(listed), key=len, reverse=True)) for first, listed in found.items()}


@lru_cache(maxsize=32)
def spoken(code: str) -> frozenset[str]:
    """Every word that a language's file holds, dates and commands together."""
    data = languages.table(code)
    said = [s for part in ("asking", "commands") for listed in data.get(part, {}).values() for s in listed]
    words = {word for saying in (*said, *lexicon(code).words) for word in tokens(saying)}
    return frozenset(words | lexicon(code).slips.keys())
