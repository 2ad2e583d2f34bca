"""A text as lower-case tokens: words, figures that belong together ("5:30", "12/25"), and a few signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

# Linear in the text: no two branches can match the same character.
# A dash joins plain figures only, and with spaces around it short ones only: "10:30-12:15" and "2017 - 6:37" are two.
FIGURES: Final = (
    r"(?:(?<!\S)\.\d++(?= ?h|$)|"  # ".5 hours"
    r"\d{1,2}(?: [-/] ?| ?[-/] )\d{1,2}(?![\d:.,/-])|\d++(?:-\d++)++(?![:.,/]\d)|\d++(?:[:.,/]\d++)*+)"
    r"(?:[ap](?![a-z]| ?\. ?m))?"
)
# A sign of money or of a number is no word of any phrase, so that "friday $20" ends before it.
SIGNS: Final = r"[-+@&/'$#%£€₹]"
# "2moro", "2day", "2nite", but not "2min", "2 months" and "2days" that lost their space.
TWO: Final = r"2(?:m(?!in|ns?(?![a-z])|o?n?ths?(?![a-z])|os?(?![a-z]))[a-z]{1,8}|day|ni(?!ghts)[a-z]{1,5}|nyt)(?![a-z])"
PLAIN: Final[Callable[[str], list[str]]] = re.compile(rf"[a-z]+(?:'[a-z]+)?|{TWO}|{FIGURES}|{SIGNS}").findall
# Letters with their marks (a Devanagari vowel sign is no letter to `re`), and everything that is plain.
WIDE: Final = re.compile(
    rf"{TWO}|{FIGURES}"
    r"|[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962-\u0963]|'(?=[^\W\d_]))*"
    rf"|{SIGNS}"
)


PARTS_MAX: Final = 8_192
PART_MAX: Final = 16
# The characters at the start and at the end of a message that are searched for when.
HEAD_MAX: Final = 240
TAIL_MAX: Final = 180
# The same in words, which bound the work where each is a letter: people write some seventy in so many characters.
HEAD_WORDS_MAX: Final = 72
TAIL_WORDS_MAX: Final = 48


class _Parts(dict[str, list[str]]):
    """Words met lately, cut into tokens; bounded, whatever is sent."""

    def __missing__(self, part: str) -> list[str]:
        cut = PLAIN(part)
        if len(part) <= PART_MAX:
            if len(self) >= PARTS_MAX:
                self.clear()
            self[part] = cut
        return cut


PARTS: Final = _Parts()


def tokens(text: str) -> list[str]:
    """The text's tokens, folded; commas, full stops and what no phrase contains are left out.

    Of words without signs that may join them each is cut once, and known when it comes again.
    """
    if not text.isascii():
        return WIDE.findall(fold(text))
    lower = text.lower()
    if "-" in lower or "/" in lower or ". m" in lower:
        return PLAIN(lower)
    words: list[str] = []
    for part in lower.split():
        words += PARTS[part]
    return words


def spans(text: str) -> tuple[list[str], list[int], list[int]]:
    """The tokens with the place of each in `text`: where it starts and where it ends."""
    if text.isascii():
        folded = text.lower()
        words = PLAIN(folded)
    else:
        folded = fold(text)
        words = WIDE.findall(folded)
    starts, ends, end, find = [], [], 0, folded.find
    for word in words:
        # Nothing between two tokens could start one: the next occurrence is the token itself.
        start = find(word, end)
        end = start + len(word)
        starts.append(start)
        ends.append(end)
    return words, starts, ends


def outer_spans(text: str) -> tuple[list[str], list[int], list[int]]:
    """As `spans`, but of a long text only what stands at its two ends, where people say when."""
    if len(text) <= HEAD_MAX + TAIL_MAX:
        words, starts, ends = spans(text)
    else:
        head = text.rfind(" ", HEAD_MAX // 2, HEAD_MAX)
        tail = text.find(" ", len(text) - TAIL_MAX, len(text) - TAIL_MAX // 2)
        head, tail = HEAD_MAX if head < 0 else head, len(text) - TAIL_MAX if tail < 0 else tail
        words, starts, ends = spans(text[:head])
        last = spans(text[tail:])
        words, starts, ends = (
            words + last[0],
            starts + [at + tail for at in last[1]],
            ends + [at + tail for at in last[2]],
        )
    if len(words) > HEAD_WORDS_MAX + TAIL_WORDS_MAX:
        for listed in (words, starts, ends):
            del listed[HEAD_WORDS_MAX:-TAIL_WORDS_MAX]
    return words, starts, ends


def fold(text: str) -> str:
    """Lower case without accents, in plain figures and quotes, character for character, so that places stay."""
    return text.translate(FOLDS)


class _Folds(dict[int, str]):
    """Built as characters are met; bounded by the characters there are, and by clearing."""

    def __missing__(self, code: int) -> str:
        if len(self) > 4096:
            self.clear()
        folded = self[code] = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    if character in "’‘ʼ＇`´":
        return "'"
    if character in "–—−‐‑":
        return "-"
    if not (character < "\u3000" or "\uff00" <= character <= "\uffef" or "\U0001d400" <= character <= "\U0001d7ff"):
        return character
    wide = unicodedata.normalize("NFKD", character)
    # One character stays one character; an accent leaves, a Devanagari sign stays.
    first = wide[:1] if len(wide) == 1 or all(unicodedata.combining(c) for c in wide[1:]) else character
    if (digit := unicodedata.decimal(first, None)) is not None:
        return str(digit)
    lower = first.lower()
    return lower if len(lower) == 1 else first


FOLDS: Final = _Folds()
