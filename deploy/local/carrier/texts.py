"""How a carrier counts an SMS: GSM-7 or UCS-2, and in how many segments."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM_ONE, _GSM_PART = 160, 153
_UCS_ONE, _UCS_PART = 70, 67


def segments(text: str) -> int:
    """The number of segments of a text; an empty text is one. Source: 3GPP TS 23.038, 23.040."""
    if all(letter in _BASIC or letter in _EXTENSION for letter in text):
        units = [2 if letter in _EXTENSION else 1 for letter in text]
        return _parts(units, _GSM_ONE, _GSM_PART)
    return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], _UCS_ONE, _UCS_PART)


def _parts(units: list[int], one: int, part: int) -> int:
    """Fill parts greedily: an escape or a surrogate pair is never split between two."""
    if sum(units) <= one:
        return 1
    parts, room = 1, part
    for size in units:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts


def whole(text: str) -> str:
    """The text as it can travel: lone surrogates become U+FFFD, as a carrier's gateway does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
