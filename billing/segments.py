"""How many segments a text takes as an SMS (3GPP TS 23.038 and 23.040). Pure.

GSM-7: 160 units alone, 153 in each of several; an extension character takes two and is never split.
UCS-2: 70 and 67 UTF-16 units; a surrogate pair is never split.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_GSM7_UNITS: Final = (160, 153)
_UCS2_UNITS: Final = (70, 67)


@dataclass(frozen=True, slots=True)
class Count:
    """What a text takes: its encoding, its length in units of that encoding, its segments."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    segments: int


def segments(text: str) -> Count:
    """Count the segments of a text; an empty one still takes one."""
    if _BASIC.issuperset(text):  # nearly every text: each character is one unit, so nothing needs to be split
        alone, several = _GSM7_UNITS
        return Count("gsm7", len(text), 1 if len(text) <= alone else -(-len(text) // several))
    parts = split(text)
    width = _width(text)
    units = sum(width(character) for part in parts for character in part)
    return Count("gsm7" if width is _gsm7_width else "ucs2", units, len(parts))


def split(text: str) -> list[str]:
    """The segments themselves, in order; together they are the text."""
    # Two lone surrogates that make a pair are one character to a phone.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    width = _width(whole)
    alone, several = _GSM7_UNITS if width is _gsm7_width else _UCS2_UNITS
    if sum(map(width, whole)) <= alone:
        return [whole]
    return _fill(whole, width=width, units_max=several)


def _fill(text: str, *, width: Callable[[str], int], units_max: int) -> list[str]:
    parts: list[str] = []
    start = units = 0
    for index, character in enumerate(text):
        units += width(character)
        if units > units_max:
            parts.append(text[start:index])
            start, units = index, width(character)
    return [*parts, text[start:]]


def _width(text: str) -> Callable[[str], int]:
    return _gsm7_width if _BASIC.issuperset(set(text) - _EXTENDED) else _ucs2_width


def _gsm7_width(character: str) -> int:
    return 2 if character in _EXTENDED else 1


def _ucs2_width(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1
