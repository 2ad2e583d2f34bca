"""Where a fault is injected and measured: the system, the target, and the journal entry to write before acting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deploy.lab.injection import journal
from deploy.lab.injection.fault import FaultError
from deploy.local import records
from deploy.local.home import Home, read_environment


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One fault at one target. `entry` is None where it is measured without being in force."""

    home: Home
    target: str
    options: dict[str, Any]
    entry: journal.Entry | None

    def will(self, deed: str, **facts: Any) -> None:
        """Record what undoes the next step, on disk, before that step is taken."""
        entry = self._entry()
        entry.undo.append({"deed": deed, "facts": facts})
        journal.save(self.home, entry)

    def note(self, **facts: Any) -> None:
        """Record what a measurement or a report needs to know."""
        entry = self._entry()
        entry.facts.update(facts)
        journal.save(self.home, entry)

    def fact(self, name: str) -> Any:
        """What was noted; None where nothing was, or the fault is not in force."""
        return None if self.entry is None else self.entry.facts.get(name)

    @property
    def token(self) -> str:
        """By this word in their environment the processes that this fault started are known."""
        return self._entry().id

    @cached_property
    def process(self) -> records.Process:
        """The process that serves as the target now. FaultError where none does."""
        return process(self.home, self.target)

    @cached_property
    def settings(self) -> dict[str, str]:
        """What the running system was started with."""
        return read_environment(self.home.run / "env")

    @cached_property
    def interface(self) -> dict[str, str]:
        """Its public face: addresses and the carrier's credentials."""
        found: dict[str, str] = json.loads((self.home.run / "interface.json").read_text())
        return found

    def _entry(self) -> journal.Entry:
        if self.entry is None:
            raise FaultError("There is no fault in force here.")
        return self.entry


def process(home: Home, name: str) -> records.Process:
    """The process that serves as `name`, which lives. FaultError where there is none."""
    found = records.read(home).get(name)
    if found is None or not found.lives():
        raise FaultError(f"{name} does not run here: ./manage.py doctor says what does.")
    return found


def listeners(home: Home) -> dict[str, int]:
    """Where each instance listens, as the plan wrote it."""
    try:
        found: dict[str, int] = json.loads((home.run / "listeners.json").read_text())
    except OSError:
        return {}
    return found
