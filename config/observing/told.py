"""What the watch tells: `run/alerts.json`, written by the watch alone and read by every page, command and drill.

No Django and no database: it is read where both are away.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from config.observing.prometheus import WATCH

ALERTS: Final = "alerts.json"
SILENT_SECONDS: Final = 50  # so long a watch may take that is started anew on a busy machine


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What a watch knew, in seconds ago: when each symptom fired last; where it was there until a moment ago also since
    when what fires does, and what of that somebody was told of.
    """

    fired: Mapping[str, float] = field(default_factory=dict)
    firing: Mapping[str, float] = field(default_factory=dict)
    paged: tuple[str, ...] = ()


def read(*, home: Path, at: datetime) -> dict[str, Any]:
    """What the watch said last (alerts, gauges, who is silent), and whether it still looks at `at`. Never raises."""
    try:
        found = json.loads((home / "run" / ALERTS).read_text())
        silent = (at - datetime.fromisoformat(found["at"])).total_seconds() > SILENT_SECONDS
        return {
            "looks": not silent,
            "looked_at": found["at"],
            "by": found.get("by", WATCH),
            "alerts": list(found["alerts"]),
            "gauges": dict(found["gauges"]),
            "silent": list(found.get("silent", [])),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"looks": False, "looked_at": None, "by": WATCH, "alerts": [], "gauges": {}, "silent": []}


def remembered(*, home: Path, at: datetime) -> Remembered:
    """What a watch that starts at `at` needs of the one before it. Never raises."""
    try:
        found = json.loads((home / "run" / ALERTS).read_text())
        ago = (at - datetime.fromisoformat(found["at"])).total_seconds()
        fired = {name: seconds + ago for name, seconds in found["fired"].items()}
        firing = {one["name"]: one["for_seconds"] + ago for one in found["alerts"]}
        paged = tuple(one["name"] for one in found["alerts"] if not one["silenced_by"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Remembered()
    if ago < 0:
        return Remembered()
    return Remembered(fired=fired, firing=firing, paged=paged) if ago <= SILENT_SECONDS else Remembered(fired=fired)


def write(*, home: Path, told: Mapping[str, Any]) -> None:
    """Replace what was told before, so that nobody reads half of it. Raises OSError."""
    place = home / "run" / ALERTS
    with tempfile.NamedTemporaryFile("w", dir=place.parent, prefix=f".{ALERTS}.", delete=False) as new:
        try:
            json.dump(told, new)
            new.flush()
        except OSError:
            Path(new.name).unlink(missing_ok=True)  # each look another, on a disk that is full
            raise
    Path(new.name).replace(place)
