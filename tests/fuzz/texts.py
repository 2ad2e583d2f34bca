"""Texts that nobody should send: random characters, broken phrases, words in any order, and what is meant to hurt."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

from reminders import languages
from reminders.schedule.words import lexicon

TABLES: Final = Path(__file__).parents[1] / "unit" / "reminders" / "tables"
CHARACTERS_MAX: Final = 1_600

RANGES: Final = (
    (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0xA0, 0x24F), (0x300, 0x36F), (0x5D0, 0x5EA), (0x600, 0x6FF),
    (0x900, 0x97F), (0x2000, 0x206F), (0x2150, 0x218B), (0xD800, 0xDFFF), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF),
    (0x1D7CE, 0x1D7FF), (0x1F300, 0x1F64F), (0x10000, 0x10FFFF),
)  # fmt: skip
# Zero width, right to left, surrogates, odd figures, and what grows or shrinks in lower case.
ODD: Final = (
    "\u200b", "\u202e", "\u2066", "\x00", "\ud800", "\udfff", "\ufeff", "\u00ad", "\u00bd", "\u00b2", "\u278c",
    "\u0665", "\u096b", "\U0001f389", "\U0001f469\u200d\U0001f467", "\u0130", "\u00df", "\ufb01",
)  # fmt: skip
UNITS: Final = (
    "1/", "5:", "5.", "5-", "5,", "1-1-", "9", "0", "at ", "in ", "every ", "next ", "to ", "and ", "until ", "5 ",
    "5pm ", "5th ", "first ", "a ", "half ", "the ", "remind me ", "tomorrow ", "mon ", "jan ", "3 days ", "from ",
    "before ", "between ", "except ", "starting ", "or ", "- ", "/ ", "' ", "p ", ".", ",", "(", "२", "har ", "ke ",
    "cada ", "y ", "de la ", "stop ", "twenty ", "hundred ", "2m", "2ni", "day after ", "week ", "last ", "please ",
)  # fmt: skip


class Texts:
    """An endless supply, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.seeds = tuple(_seeds())
        self.words = tuple(
            sorted({word for code in languages.codes() for word in lexicon(code).words})
            + [str(n) for n in range(0, 2100, 7)]
            + ["5pm", "17:30", "12/25", "2026-12-25", "9:15am", "1.5", "@", "+", "-", "&", "25:00", "31/02"]
        )
        self.kinds = (self.random_characters, self.mutated, self.mutated, self.any_words, self.any_words, self.hostile)

    def one(self) -> str:
        return self.random.choice(self.kinds)()[:CHARACTERS_MAX]

    def random_characters(self) -> str:
        r = self.random
        low, high = r.choice(RANGES)
        mixed = r.random() < 0.5
        return "".join(chr(r.randint(*(r.choice(RANGES) if mixed else (low, high)))) for _ in range(r.randint(0, 60)))

    def mutated(self) -> str:
        r, text = self.random, self.random.choice(self.seeds)
        for _ in range(r.randint(1, 4)):
            at = r.randrange(len(text) + 1)
            how = r.randrange(7)
            if how == 0:
                text = text[:at] + text[at + 1 :]
            elif how == 1:
                text = text[:at] + r.choice(ODD) + text[at:]
            elif how == 2:
                text = text[:at] + chr(r.randint(0x20, 0x7E)) + text[at:]
            elif how == 3:
                text += " " + r.choice(self.seeds)
            elif how == 4:
                words = text.split(" ")
                r.shuffle(words)
                text = " ".join(words)
            elif how == 5:
                text = text[:at] + str(r.randrange(10 ** r.randint(1, 12))) + text[at:]
            else:
                text = text[at:] + text[:at]
        return text

    def any_words(self) -> str:
        r = self.random
        return " ".join(r.choices(self.words, k=r.randint(1, 45 if r.random() < 0.04 else 9)))

    def hostile(self) -> str:
        r = self.random
        size = r.choice((160, 320, CHARACTERS_MAX)) if r.random() < 0.1 else r.randint(10, 120)
        unit = "".join(r.choices(UNITS, k=r.randint(1, 4)))
        text = (unit * (size // max(len(unit), 1) + 1))[:size]
        if r.random() < 0.5:
            text += r.choice(("5pm", " x", ")", "!", " at 5pm about tea", "\n", " 25:00"))
        return r.choice(("", "", "remind me ", "remind ")) + text


def _seeds() -> list[str]:
    listed = [text for code in languages.codes() for text in languages.table(code).get("examples", {})]
    for path in sorted(TABLES.glob("*.tsv")):
        listed += [line.split("\t")[0] for line in path.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return listed
