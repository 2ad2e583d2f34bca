"""The breaker of the database: while it is open, no connection is handed out, so nothing is sent to that server.

It opens after a write in doubt, a server that stayed silent, no server that takes writes, or a database in
quarantine; one probe in the background shuts it (`config/postgres/probe.py`). Whoever has another way, such as the
spool, asks `is_open()` first. One per process; it stays shut in a process that keeps no pool.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

IN_DOUBT: Final = "in_doubt"  # committed here, and perhaps nowhere else
SILENT: Final = "silent"  # it did not answer within its time: frozen, cut off, or waiting for its standby
AWAY: Final = "away"  # no server takes writes
QUARANTINED: Final = "quarantined"  # it lacks commits that were acknowledged: ./manage.py release


class _Breaker:
    """Why it is open (None: it is shut), since when, and who wants to know."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reason: str | None = None
        self.opened_at = 0.0
        self.watchers: list[Callable[[str | None], None]] = []


_breaker: Final = _Breaker()


def is_open() -> bool:
    """Whether statements are refused at once; costs nothing."""
    return _breaker.reason is not None


def reason() -> str | None:
    """Why it is open: `in_doubt`, `silent`, `away`, `quarantined`; None where it is shut."""
    return _breaker.reason


def trip(*, why: str) -> None:
    """Open it, or keep it open: what was begun before this moment cannot shut it."""
    with _breaker.lock:
        newly, _breaker.reason, _breaker.opened_at = _breaker.reason is None, why, time.monotonic()
    if newly:
        _tell(why)


def shut(*, proved_since: float) -> bool:
    """Shut it, where the write that proves the server was begun (monotonic) after it had opened; whether it is shut."""
    with _breaker.lock:
        if _breaker.reason is None:
            return True
        if proved_since < _breaker.opened_at:
            return False
        _breaker.reason = None
    _tell(None)
    return True


def watch(watcher: Callable[[str | None], None]) -> None:
    """Call `watcher` with the reason at each opening, and with None at each shutting; it must not wait."""
    if watcher not in _breaker.watchers:
        _breaker.watchers.append(watcher)


def _tell(why: str | None) -> None:
    for watcher in _breaker.watchers:
        watcher(why)
