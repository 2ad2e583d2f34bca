"""What programs write and people paste: an instant with its offset (RFC 3339), and a time that runs backwards. Pure."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

# https://www.rfc-editor.org/rfc/rfc3339#section-5.6, with the space and the short offset that people use.
STAMP: Final = re.compile(
    r"(?<![\w:.+-])(\d{4}-\d\d-\d\d)[tT ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d{1,9})?"
    r"(?: ?([zZ])| ?([+-]\d\d):?(\d\d))(?![\w:])"
)
# A sign before a length of time, at the start or after "in". The sign comes first, so that a long text is gone through
# as fast as for one character.
BACKWARDS: Final = re.compile(
    r"[-\u2212\u2013](?=\d{1,4}(?![\d/:.-]) ?[a-z])(?:(?<=(?<![\w-])in.)|(?<=(?<![\w-])in .)|(?<=^.))", re.IGNORECASE
)


def localised(text: str, zone: tzinfo) -> tuple[str, datetime | None]:
    """The text with its first stamp as the person's own clock has it, and the instant; unchanged where there is none.

    >>> from zoneinfo import ZoneInfo
    >>> localised("2026-11-22T19:20:30Z about tea", ZoneInfo("America/New_York"))[0]
    '2026-11-22T14:20:30 about tea'
    """
    found = STAMP.search(text) if ":" in text and "-" in text else None
    if found is None:
        return text, None
    day, clock, utc, hours, minutes = found.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if utc else f'{hours}:{minutes}'}").astimezone(zone)
    except (ValueError, OverflowError):
        return text, None  # 25:00, or the end of time: the reader refuses it in its own words
    return f"{text[: found.start()]}{instant:%Y-%m-%dT%H:%M:%S}{text[found.end() :]}", instant


def forwards(text: str) -> str | None:
    """The text without the sign where a time runs backwards ("in -5 minutes"), else None."""
    begun = len(text) - len(text.lstrip())
    found = BACKWARDS.search(text[begun:])
    return None if found is None else text[: begun + found.start()] + text[begun + found.end() :]
