"""What the watch tells: `run/alerts.json`, written by the watch alone and read by every page, command and drill.

No Django and no database: it is read where both are away.
"""

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from config.observing.prometheus import WATCH

ALERTS: Final = "alerts.json"
SILENT_SECONDS: Final = 45  # so long a watch may take that is started anew on a busy machine


def read(*, home: Path, at: datetime) -> dict[str, Any]:
    """What the watch said last (alerts, gauges, who is silent), and whether it still looks at `at`. Never raises."""
    try:
        found = json.loads((home / "run" / ALERTS).read_text())
        looked_at = datetime.fromisoformat(found["at"])
    except (OSError, ValueError, KeyError):
        return {"looks": False, "looked_at": None, "by": WATCH, "alerts": [], "gauges": {}, "silent": []}
    silent = (at - looked_at).total_seconds() > SILENT_SECONDS
    return {
        "looks": not silent,
        "looked_at": found["at"],
        "by": found.get("by", WATCH),
        "alerts": found["alerts"],
        "gauges": found["gauges"],
        "silent": found.get("silent", []),
    }


def write(*, home: Path, told: Mapping[str, Any]) -> None:
    """Replace what was told before, so that nobody reads half of it. Raises OSError."""
    place = home / "run" / ALERTS
    with tempfile.NamedTemporaryFile("w", dir=place.parent, prefix=f".{ALERTS}.", delete=False) as new:
        json.dump(told, new)
    Path(new.name).replace(place)
