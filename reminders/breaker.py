"""A breaker: after failures in a row nothing more is asked of what fails, but for one probe at a time. Pure.

Closed, everything passes. Open, nothing does. After a while one probe is let through: its success closes the breaker,
its failure opens it for longer. Time is an argument: monotonic seconds.
"""

import threading
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Breaker:
    """One breaker, shared by the threads of a process."""

    failures_max: int  # in a row: the last of them opens it
    open_seconds: float  # until the first probe
    open_seconds_max: float  # each failed probe doubles the wait up to this
    _failures: int = field(default=0, repr=False)
    _opened_at: float | None = field(default=None, repr=False)
    _wait_seconds: float = field(default=0.0, repr=False)
    _probing_since: float | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def closed(self) -> bool:
        """Whether everything passes."""
        return self._opened_at is None

    def allows(self, *, monotonic: float) -> bool:
        """Whether a request may pass now. The one that passes an open breaker is its probe, and must report."""
        with self._lock:
            if self._opened_at is None:
                return True
            if monotonic - self._opened_at < self._wait_seconds:
                return False
            # A probe that never reported (its thread died) holds the others back for as long as the longest wait.
            if self._probing_since is not None and monotonic - self._probing_since < self.open_seconds_max:
                return False
            self._probing_since = monotonic
            return True

    def succeeded(self) -> None:
        """A request was answered: the breaker is closed."""
        with self._lock:
            self._failures, self._opened_at, self._probing_since, self._wait_seconds = 0, None, None, 0.0

    def failed(self, *, monotonic: float) -> None:
        """A request failed in a way that says something about the other side."""
        with self._lock:
            self._failures += 1
            if self._opened_at is not None:
                if self._probing_since is not None:
                    self._wait_seconds = min(2 * self._wait_seconds, self.open_seconds_max)
                    self._opened_at, self._probing_since = monotonic, None
            elif self._failures >= self.failures_max:
                self._opened_at, self._wait_seconds = monotonic, self.open_seconds
