"""What happened to the processes, for the timeline: deploys, restarts, and the faults of the lab. Reads files only.

The truth is elsewhere: who runs is in the supervisor's pid files, what the lab broke in its journal. Where there is no
supervisor and no lab there is nothing to tell but the version.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

HISTORY_BYTES_MAX: Final = 256 << 10
DEPLOY: Final = "deploy"
FAULT: Final = "fault"

Mark = tuple[datetime, str, str]
"""At, kind, what a person reads."""


@dataclass
class Happened:
    """Remembers what it told. What the lab did is told again by the next one: who stores it takes each once."""

    home: Path
    version: str
    _pids: dict[str, str] = field(default_factory=dict)
    _told: set[Mark] = field(default_factory=set)
    _history_size: int = -1
    _began: bool = False

    def look(self, now: datetime) -> list[Mark]:
        """What is new since the last look. Never raises."""
        new = [*self._restarts(now), *(one for one in self._lab() if one not in self._told)]
        self._told.update(new)
        self._began = True
        return new

    def deployed(self, *, before: str | None, now: datetime) -> list[Mark]:
        """The version that runs, where the mark of the last deploy names another one."""
        says = f"version {self.version} runs"
        return [(now, DEPLOY, says)] if self.version and says != before else []

    def _restarts(self, now: datetime) -> list[Mark]:
        pids = {}
        for place in (self.home / "run").glob("*.pid"):
            try:
                pids[place.stem] = place.read_text().strip()
            except OSError:
                continue
        known = self._pids
        self._pids = {**known, **pids}
        if not self._began:
            return []
        return [
            (now, FAULT, f"{name} was started anew")
            for name, pid in sorted(pids.items())
            if name in known and known[name] != pid
        ]

    def _lab(self) -> Iterable[Mark]:
        for place in sorted((self.home / "lab" / "journal").glob("*.json")):
            try:
                yield from _marks(json.loads(place.read_text()))
            except (OSError, ValueError):
                continue  # it is being written, or healed
        for line in self._history():
            try:
                yield from _marks(json.loads(line))
            except ValueError:
                continue  # the first line that was read may be the end of one

    def _history(self) -> list[str]:
        """The last lines of the lab's history; none where it has not grown."""
        try:
            with (self.home / "lab" / "history.jsonl").open("rb") as history:
                size = history.seek(0, 2)
                if size == self._history_size:
                    return []
                self._history_size = size
                history.seek(max(0, size - HISTORY_BYTES_MAX))
                return history.read(HISTORY_BYTES_MAX).decode(errors="replace").splitlines()
        except OSError:
            return []


def _marks(entry: Any) -> Iterable[Mark]:
    """A fault of the lab as its journal holds it: its beginning, and its end where it has one."""
    if not isinstance(entry, dict) or entry.get("state") != "injected":
        return
    try:
        said = f"{entry['fault']} at {entry['target']}"
        yield datetime.fromisoformat(entry["at"]), FAULT, f"{said} begins"
        if healed := entry.get("healed_at"):
            yield datetime.fromisoformat(healed), FAULT, f"{said} is healed"
    except (KeyError, TypeError, ValueError):
        return
