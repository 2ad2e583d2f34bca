"""Zones as people name them: "EST", "London time", "Goa"."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reminders.schedule.phrase import Phrase
from reminders.schedule.tokens import tokens

PLACE_WORDS_MAX: Final = 3
NAME_CHARACTERS_MAX: Final = 40


def named(place: str) -> str | None:
    """The IANA name of the zone of a place, an abbreviation, or an IANA name; None where it is not known."""
    if len(place) > NAME_CHARACTERS_MAX:
        return None
    words = tokens(place)
    if words and words[-1] == "time":
        words = words[:-1]
    name = " ".join(words)
    known = abbreviations().get(name) or places().get(name)
    if known is None and "/" in place:
        known = places().get(" ".join(tokens(place.strip().rpartition("/")[2].replace("_", " "))))
    return known if known is not None and _exists(known) else None


def abbreviated(p: Phrase, i: int) -> int:
    """ "5pm EST", "9am Pacific time"."""
    if p.hour < 0 or p.zone:
        return 0
    _move(p, abbreviations()[p.words[i]])
    return i + 1 + (p.word(i + 1) in p.lexicon.time_word)


def unknown(p: Phrase, i: int) -> int:
    """Words that no reader knows, after a time: "5pm London time", "9:00 hora de Madrid"."""
    if p.hour < 0 or p.zone:
        return 0
    if p.words[i] in p.lexicon.time_before:
        for k in range(min(i + 1 + PLACE_WORDS_MAX, len(p.words)), i + 1, -1):
            if zone := places().get(" ".join(p.words[i + 1 : k])):
                _move(p, zone)
                return k
        return 0
    for k in range(i + 1, min(i + 1 + PLACE_WORDS_MAX, len(p.words))):
        if p.words[k] in p.lexicon.time_word:
            zone = places().get(" ".join(p.words[i:k]))
            if zone is None:
                return 0
            _move(p, zone)
            return k + 1
    return 0


@lru_cache(maxsize=1)
def abbreviations() -> dict[str, str]:
    found: dict[str, str] = _tables()["abbreviations"]
    return found


@lru_cache(maxsize=1)
def places() -> dict[str, str]:
    """Each city that names a zone, and the places of zones.toml."""
    lines = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    zones = [line.split("\t")[2] for line in lines if line and not line.startswith("#")]
    cities = {" ".join(tokens(zone.rpartition("/")[2].replace("_", " "))): zone for zone in zones}
    return cities | {"utc": "UTC"} | {" ".join(tokens(place)): zone for place, zone in _tables()["places"].items()}


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "zones.toml").read_text("utf-8"))


def _move(p: Phrase, zone: str) -> None:
    p.zone = zone
    p.here = p.now  # "tomorrow" is the person's own
    p.now = p.now.astimezone(ZoneInfo(zone))


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
