"""Every point at which a process may die: each statement, each commit, each network call; before, after, reply lost."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from billing import database
from billing.database import Rows, Statements


class Crash(BaseException):
    """The process dies here. Nothing in the product may catch it."""


class Points:
    """Counts the points that a history passes, and kills its process at one of them."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.crash_at: int | None = None
        self.dead = False
        self._lock = threading.Lock()

    def reach(self, label: str, *, raising: bool = True) -> bool:
        """Pass a point. Raises Crash where the process dies here, or is dead; True for a lost reply."""
        with self._lock:
            if self.dead:
                raise Crash(label)
            position = len(self.passed)
            self.passed.append(label)
            if position != self.crash_at:
                return False
            if raising:
                self.dead = True
                raise Crash(label)
            return True

    def again(self, crash_at: int | None) -> None:
        """Count from the start."""
        self.passed, self.crash_at, self.dead = [], crash_at, False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in front of every statement and every commit of the product."""
        run, commit = Statements.run, BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

        def run_(statements: Statements, name: str, params: Mapping[str, Any]) -> Rows:
            self.reach(f"{name} before")
            rows = run(statements, name, params)
            self.reach(f"{name} after")
            return rows

        def commit_(wrapper: BaseDatabaseWrapper) -> None:
            self.reach("commit before")
            commit(wrapper)
            self.reach("commit after")

        monkeypatch.setattr(database.Statements, "run", run_)
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_)
