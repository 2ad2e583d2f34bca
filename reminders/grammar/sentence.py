"""A message's words, and where each stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reminders.schedule.words import Lexicon, lexicon

STOPS: Final = ".!?…,;:"


class Sentence:
    """The words of a message, those of longer entries as one."""

    def __init__(self, text: str, folded: tuple[list[str], list[int], list[int]], code: str) -> None:
        self.text = text
        self.plain, self.plain_starts, self.plain_ends = folded
        self.lexicon: Lexicon = lexicon(code)
        self.words, self.starts, self.ends = _merged(folded, self.lexicon)
        if not self.lexicon.names.isdisjoint(self.words):
            self.words = [self._unnamed(i, word) for i, word in enumerate(self.words)]
        self.has_bracket = ")" in text

    def _unnamed(self, i: int, word: str) -> str:
        """The word, or one that means nothing for a name: "lunch with Tom at 1"."""
        written = self.text[self.starts[i] : self.ends[i]]
        return word.title() if i and word in self.lexicon.names and written == word.title() else word

    def word_is_suffix(self, i: int) -> bool:
        """Whether a word is the "th" of the figure before it."""
        return i < len(self.words) and self.words[i] in self.lexicon.suffix and self.starts[i] == self.ends[i - 1]


@dataclass(frozen=True, slots=True)
class Cut:
    """Words `start` to `end` of a sentence that are no part of its subject."""

    start: int
    end: int


def _merged(
    folded: tuple[list[str], list[int], list[int]], words_of: Lexicon
) -> tuple[list[str], list[int], list[int]]:
    words, starts, ends = folded
    if words_of.openers.isdisjoint(words):
        return words, starts, ends
    if not words_of.slips.keys().isdisjoint(words):
        words = [words_of.slips.get(word, word) for word in words]
    found: tuple[list[str], list[int], list[int]] = ([], [], [])
    i, n = 0, len(words)
    while i < n:
        size = 1
        longer = words_of.merges.get(words[i])
        if longer is not None and i + 1 < n and not (i and words_of.counted_by(words[i - 1], words[i])):
            for rest in longer.get(words[i + 1], ()):
                if words[i + 1 : i + 1 + len(rest)] == rest:
                    size = 1 + len(rest)
                    break
        found[0].append(" ".join(words[i : i + size]))
        found[1].append(starts[i])
        found[2].append(ends[i + size - 1])
        i += size
    return found
