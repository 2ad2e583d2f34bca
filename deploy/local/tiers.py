"""Reads deploy/tiers/<name>.toml: what runs, how many of it, with which settings."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.local.problems import CannotStartError

TIERS: Final = Path(__file__).resolve().parents[1] / "tiers"
LADDER: Final = ("naive", "durable", "redundant", "replicated", "isolated")  # each adds a nine to the one before
_COUNT_MAX: Final = 9
_PROCESS_KEYS: Final = ("count", "settings", "command", "needs", "ready_words")
_KEYS: Final = ("adds", "survives", "settings", "processes")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of process of a tier. Without a `command` it is one that `deploy.local.plan` knows."""

    name: str
    count: int
    settings: Mapping[str, str]
    command: tuple[str, ...]
    needs: tuple[str, ...]
    ready_words: str


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A rung of the ladder: what it adds to the one below, what it survives, what it runs."""

    name: str
    adds: str
    survives: str
    settings: Mapping[str, str]
    kinds: tuple[Kind, ...]

    def count(self, kind: str) -> int:
        """How many of a kind it runs."""
        return sum(one.count for one in self.kinds if one.name == kind)


def names(directory: Path = TIERS) -> list[str]:
    """The tiers that there are."""
    return sorted(place.stem for place in directory.glob("*.toml"))


def read(name: str, *, directory: Path = TIERS) -> Tier:
    """The tier of that name, or of a file of one's own that is named in full (`mine/try.toml`).

    Raises CannotStartError where there is none, or its file is wrong.
    """
    place = Path(name) if name.endswith(".toml") else directory / f"{name}.toml"
    if not place.is_file():
        known = ", ".join(names(directory))
        raise CannotStartError(f"There is no tier {name!r}: choose one of {known} with TIER=name.", code=2)
    try:
        with place.open("rb") as file:
            return _tier(place.stem, tomllib.load(file))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise CannotStartError(f"The tier's file {place} cannot be read: {problem}.", code=2) from None


def _tier(name: str, found: dict[str, Any]) -> Tier:
    _refuse_unknown(found, _KEYS, "the file")
    kinds = tuple(_kind(kind, words) for kind, words in found["processes"].items())
    return Tier(
        name=name,
        adds=str(found["adds"]),
        survives=str(found["survives"]),
        settings=_settings(found.get("settings", {})),
        kinds=kinds,
    )


def _kind(name: str, words: dict[str, Any]) -> Kind:
    _refuse_unknown(words, _PROCESS_KEYS, f"processes.{name}")
    count = int(words.get("count", 1))
    if not 0 <= count <= _COUNT_MAX:
        raise ValueError(f"processes.{name}.count must be 0 to {_COUNT_MAX}")
    return Kind(
        name=name,
        count=count,
        settings=_settings(words.get("settings", {})),
        command=tuple(str(word) for word in words.get("command", ())),
        needs=tuple(str(word) for word in words.get("needs", ())),
        ready_words=str(words.get("ready_words", "")),
    )


def _settings(found: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()}


def _refuse_unknown(found: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise ValueError(f"{where} has an unknown key {unknown[0]!r}")
