"""Poison: whether a row is to blame for its failures, or the worker that meets it. Pure.

A worker may witness against a row only while it is well itself: it got another row through that was taken up since
this one first failed, and has failed nobody else since then. Such a failure is a strike. Where everything fails (a bad
deploy, a ledger that refuses every write) no worker is well, and nobody is struck, however often it fails. A row that
fails alone for long, while nobody else is due, is struck by what got through before it: one such row for each time.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from reminders import limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a worker can say as it takes up a claim.

    `may`: whether at most one row has failed since it got something through. `suspect`: that row, against which alone
    it can witness; None: against any. `well_at`: when the newest work that it got through was taken up, by the
    database's clock; None where there is none.
    """

    may: bool
    suspect: UUID | None = None
    well_at: datetime | None = None


NOBODY: Final = Health(may=False)


class Record:
    """What a process knows of its own work of one kind, shared by its threads. It dies with the process: a new one
    has to get something through first. Time is an argument: monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._well_at: datetime | None = None
        self._failed: OrderedDict[UUID, float] = OrderedDict()

    def got_through(self, *, opened_at: datetime | None, began: float) -> None:
        """Work that was taken up at `opened_at` (the database's clock, None: not asked) and `began` came to its end."""
        with self._lock:
            if opened_at is not None and (self._well_at is None or self._well_at < opened_at):
                self._well_at = opened_at
            for row in [row for row, at in self._failed.items() if at < began]:
                del self._failed[row]

    def failed(self, *, rows: Iterable[UUID], monotonic: float) -> None:
        """These rows met an error."""
        with self._lock:
            for row in rows:
                self._failed[row] = monotonic
                self._failed.move_to_end(row)
            while len(self._failed) > limits.SUSPECTS_MAX:
                self._failed.popitem(last=False)

    def witness(self, *, monotonic: float) -> Health:
        """What can be said now. Who failed long ago and not since has been done elsewhere."""
        with self._lock:
            oldest = monotonic - limits.SUSPECT_SECONDS
            while self._failed and next(iter(self._failed.values())) < oldest:
                self._failed.popitem(last=False)
            if len(self._failed) > 1:
                return NOBODY
            return Health(may=True, suspect=next(iter(self._failed), None), well_at=self._well_at)


def is_poison(*, claims: int, strikes: int) -> bool:
    """Whether to bury a row: opened limits.CLAIMS_MAX times without a settle, at least once by its own fault."""
    return claims >= limits.CLAIMS_MAX and strikes > 0
