"""What is meant where several meanings are usual: `conventions.toml`, for the zone that a person is in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

PARTS: Final = ("morning", "afternoon", "evening", "night")


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One country's reading of what is ambiguous. Hours are of 0-24."""

    default_hour: int
    afternoon_until: int
    wake_hour: int
    figures_are_24h: bool
    next_weekday: str
    parts: dict[str, int]
    part_ends: dict[str, int]
    night_until: int
    century: int
    holidays: dict[str, str]


@lru_cache(maxsize=1024)
def convention(zone: str) -> Convention:
    """What holds in a zone."""
    countries = []
    for at, country in enumerate(tables()["country"]):
        named = any(zone == z or (z.endswith("/") and zone.startswith(z)) for z in country["zones"])
        if named and zone not in country.get("except", ()):
            countries.append(at)
    return _of(tuple(countries))


@lru_cache(maxsize=64)
def _of(countries: tuple[int, ...]) -> Convention:
    """What holds where these entries do, the later ones over the earlier."""
    data = tables()
    values: dict[str, Any] = dict(data["default"])
    holidays: dict[str, str] = dict(data["holidays"]["all"])
    for at in countries:
        country = data["country"][at]
        values.update(country)
        holidays.update(data["holidays"].get(country.get("holidays", ""), {}))
    return Convention(
        default_hour=values["default_hour"],
        afternoon_until=values["afternoon_until"],
        wake_hour=values["wake_hour"],
        figures_are_24h=values["figures_are_24h"],
        next_weekday=values["next_weekday"],
        parts={part: values[part] for part in PARTS},
        part_ends={part: values[f"{part}_ends"] for part in PARTS},
        night_until=values["night_until"],
        century=values["century"],
        holidays=holidays,
    )


@lru_cache(maxsize=1)
def tables() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "conventions.toml").read_text("utf-8"))
