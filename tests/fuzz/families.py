"""Texts that say the same few words again and again: what each costs, counted in calls, which no load changes.

`python -m tests.fuzz.families --words 2 --texts 20000` searches for the dearest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from random import Random
from types import FrameType
from typing import Any, Final
from zoneinfo import ZoneInfo

from reminders import languages
from reminders.grammar import understand
from reminders.schedule import read
from reminders.schedule.descent import readers
from reminders.schedule.figures import roles
from reminders.schedule.words import lexicon
from tests.fuzz.texts import CHARACTERS_MAX

# A call takes about a third of a microsecond, so that a text of so many takes less than a millisecond.
CALLS_MAX: Final = 2_400
# The reader takes 400 characters, a message 1,600; the worst need not be the longest.
SIZES: Final = (100, 200, 400, CHARACTERS_MAX)
GLUED: Final = 0.2
# Whoever speaks it is read in English too.
LANGUAGE: Final = "hi"
FIGURES: Final = ("5", "12", "530", "2027", "20261225", "5:30", "12/25", "1.5", "5pm", "5-7", "1/2", "5:", "1,")
SIGNS: Final = ("-", "/", "+", "@", "&", "'", "xyzzy")
AT: Final = datetime(2026, 5, 13, 10, 20, tzinfo=ZoneInfo("America/New_York"))


def meanings(code: str) -> tuple[str, ...]:
    """One word, the shortest, for each set of roles that a word of the language can have, with figures and signs."""
    known, reading, counting = lexicon(code), readers(code), roles(code)
    found: dict[object, str] = {}
    for word in sorted(known.words, key=lambda word: (len(word), word)):
        played = (*(name for name in known.tables if word in known.tables[name]), reading.get(word), counting.get(word))
        found.setdefault(played, word)
    return (*found.values(), *FIGURES, *SIGNS)


def families(*, words: int, texts: int, seed: int) -> Iterator[str]:
    """Units of so many words in every language, each repeated; all of them where they are few, else some.

    Some are written without spaces, as nobody does: more words fit into a text.
    """
    chance = Random(seed)
    for code in languages.codes():
        known = meanings(code)
        units = product(known, repeat=words)
        if len(known) ** words > texts:
            units = (tuple(chance.choices(known, k=words)) for _ in range(texts))  # type: ignore[assignment]
        for unit in units:
            yield " ".join(unit) + " "
            if chance.random() < GLUED:
                yield "".join(unit) + " "


def calls(unit: str) -> int:
    """The most calls of Python functions that reading and understanding the unit, repeated, takes."""
    _calls("tea at 5")  # what is loaded once is loaded
    return max(_calls((unit * (size // len(unit) + 1))[:size]) for size in SIZES)


def _calls(text: str) -> int:
    made = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal made
        made += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(text, AT, "America/New_York")
        understand(text, AT, "America/New_York", False, LANGUAGE)
    finally:
        sys.setprofile(before)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.families", description=__doc__)
    parser.add_argument("--words", type=int, default=2)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = sorted(((calls(unit), unit) for unit in families(**vars(asked))), reverse=True)
    for made, unit in found[:20]:
        sys.stdout.write(f"{made:6} {unit!r}\n")
    return 1 if found[0][0] > CALLS_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
