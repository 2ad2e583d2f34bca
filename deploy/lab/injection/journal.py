"""The undo journal: `$RINGBACK_HOME/lab/journal/<id>.json`, one file for each fault that is in force.

What undoes a step is written, with fsync of the file and of its directory, before the step is taken. So after
a kill -9 at any moment a new process can undo everything that may have been done; undoing what was never done
does nothing. A file goes once all of it is undone; a line of `history.jsonl` remains.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.lab.injection.fault import FaultError, Injected
from deploy.local import platform
from deploy.local.home import Home


@dataclass(kw_only=True)
class Entry:
    """One fault in force. `owner` is the process whose end ends the fault; None: it stays until it is healed.

    While it is being injected it always has one: a half-injected fault ends with whoever was at it.
    """

    id: str
    fault: str
    target: str
    way: str
    at: str
    heals_at: str | None
    owner: dict[str, Any] | None
    state: str = "injecting"
    undo: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> Injected:
        """As the callers of the lab see it."""
        return Injected(
            id=self.id,
            fault=self.fault,
            target=self.target,
            way=self.way,
            at=self.at,
            heals_at=self.heals_at,
            state=self.state,
            facts=dict(self.facts),
        )

    def is_due(self) -> bool:
        """Whether it is to be healed by whoever comes next: its time is over, or its owner has died."""
        if self.heals_at is not None and datetime.fromisoformat(self.heals_at) <= datetime.now(UTC):
            return True
        return self.owner is not None and not _lives(self.owner)


def open_entry(home: Home, *, fault: str, target: str, way: str, seconds: float | None, facts: dict[str, Any]) -> Entry:
    """Begin an entry, owned by this process. FaultError where the same fault is in force there."""
    for other in entries(home):
        if (other.fault, other.target) == (fault, target):
            raise FaultError(f"{fault} is in force at {target} since {other.at}: heal it first.")
    now = datetime.now(UTC)
    entry = Entry(
        id=f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{time.monotonic_ns() % 1_000_000:06}-{fault}",
        fault=fault,
        target=target,
        way=way,
        at=now.isoformat(timespec="milliseconds"),
        heals_at=None if seconds is None else (now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"),
        owner=_me(),
        facts=facts,
    )
    _directory(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(home, entry)
    return entry


def save(home: Home, entry: Entry) -> None:
    """Write the entry as it is now. FaultError where somebody has healed it meanwhile."""
    if not _place(home, entry.id).exists():
        raise FaultError(f"{entry.fault} was healed while it was being injected.")
    _write(home, entry)


def close(home: Home, entry: Entry) -> None:
    """Everything of it is undone: only the history remembers it."""
    line = json.dumps({**asdict(entry), "healed_at": datetime.now(UTC).isoformat(timespec="milliseconds")})
    with (_directory(home).parent / "history.jsonl").open("a") as history:
        history.write(line + "\n")
    _place(home, entry.id).unlink(missing_ok=True)
    _sync(_directory(home))


def entries(home: Home) -> list[Entry]:
    """What is in force, oldest first. A file that cannot be read is named by the FaultError."""
    found = []
    for place in sorted(_directory(home).glob("*.json")):
        try:
            found.append(Entry(**json.loads(place.read_text())))
        except FileNotFoundError:
            continue  # healed by somebody else just now
        except (OSError, ValueError, TypeError) as problem:
            raise FaultError(f"The journal's {place} cannot be read ({problem}): look at it, then delete it.") from None
    return sorted(found, key=lambda entry: entry.at)


@contextmanager
def healing(home: Home) -> Iterator[None]:
    """Held by who heals: two of them would undo the same step twice."""
    _directory(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    with (_directory(home).parent / "heal.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _me() -> dict[str, Any]:
    return {"pid": os.getpid(), "started": platform.started(os.getpid()), "boot": platform.boot_id()}


def _lives(owner: dict[str, Any]) -> bool:
    return bool(owner["boot"] == platform.boot_id() and platform.started(owner["pid"]) == owner["started"])


def _directory(home: Home) -> Path:
    return home.root / "lab" / "journal"


def _place(home: Home, name: str) -> Path:
    return _directory(home) / f"{name}.json"


def _write(home: Home, entry: Entry) -> None:
    place = _place(home, entry.id)
    new = place.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(entry), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(place)
    _sync(place.parent)


def _sync(directory: Path) -> None:
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
