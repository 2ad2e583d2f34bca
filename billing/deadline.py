"""How long the database may keep a thread waiting. A server that says nothing for longer is given up.

Every connection has a time for one statement; what is larger, or must be over sooner, says so around itself.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Budget(threading.local):
    """This thread's: the moment by which everything is over, and the time that one statement may take."""

    ends_at: float | None = None  # monotonic
    each_seconds: float | None = None


_budget = _Budget()


@contextmanager
def within(*, seconds: float) -> Iterator[None]:
    """Everything in this block, connecting included, is over after so many seconds, or raises OperationalError.

    Inside another such block the nearer end holds.
    """
    outer = _budget.ends_at
    ends_at = time.monotonic() + seconds
    _budget.ends_at = ends_at if outer is None else min(outer, ends_at)
    try:
        yield
    finally:
        _budget.ends_at = outer


@contextmanager
def patiently(*, seconds: float) -> Iterator[None]:
    """Each statement in this block may take so many seconds: a report, an audit."""
    outer, _budget.each_seconds = _budget.each_seconds, seconds
    try:
        yield
    finally:
        _budget.each_seconds = outer


def left(usual_seconds: float | None) -> float | None:
    """How long the next statement of this thread may take: seconds (0: its time is over), or None for ever."""
    each = _budget.each_seconds
    if each is None:
        each = usual_seconds
    if _budget.ends_at is None:
        return each
    rest = max(0.0, _budget.ends_at - time.monotonic())
    return rest if each is None else min(rest, each)
