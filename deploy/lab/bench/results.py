"""What a run of the bench wants, and what it has found: kept as JSON, so that a report can be made of several runs."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How much is measured."""

    rounds: int
    seconds: float
    burst: int
    burst_talking: int
    steady_seconds: int
    pending: tuple[int, ...]
    held_seconds: tuple[int, ...]  # for each of `pending`
    kill: int
    processes: int
    scratch: Path
    seeded: bool


@dataclass(kw_only=True, slots=True)
class Results:
    """Figures by measure; the newest of a measure and a number of processes replaces the older."""

    place: Path
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, measure: str, *, processes: int, **figures: Any) -> None:
        """Keep the figures of one measure."""
        self.found[f"{measure}-{processes}"] = {"at": now(), "processes": processes, **_plain(figures)}
        self.place.parent.mkdir(parents=True, exist_ok=True)
        self.place.write_text(json.dumps({"machine": machine(), "found": self.found}, indent=1) + "\n")


def read(place: Path) -> Results:
    """What was found before."""
    try:
        return Results(place=place, found=json.loads(place.read_text())["found"])
    except (OSError, ValueError, KeyError):
        return Results(place=place)


def _plain(value: Any) -> Any:
    """Nothing but what JSON knows."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def now() -> str:
    """The minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True, file=sys.stderr)
