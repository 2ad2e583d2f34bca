"""One way to wait: look again and again until it is so, or say what was not."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Final, TypeVar

POLL_SECONDS: Final = 0.03
# Longer than anything takes on a machine that is busy with other things: a wait that is over sooner costs nothing.
PATIENCE_SECONDS: Final = 90.0
_nothing: Final = Event()

Found = TypeVar("Found")


def until(truth: Callable[[], Found], *, what: str, seconds: float = PATIENCE_SECONDS) -> Found:
    """What `truth` says once it says something true. AssertionError after `seconds`; OSErrors count as not yet."""
    ends = time.monotonic() + seconds
    last: object = None
    is_over = False
    while not is_over:
        is_over = time.monotonic() >= ends  # one look more, where the look itself took that long
        with suppress(OSError):
            last = truth()
            if last:
                return last
        _nothing.wait(POLL_SECONDS)
    raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {last!r}")


def stays(truth: Callable[[], object], *, seconds: float, what: str) -> None:
    """AssertionError where it is not so at any moment of the next `seconds`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        seen = truth()
        if not seen:
            raise AssertionError(f"it did not stay: {what}; seen: {seen!r}")
        _nothing.wait(POLL_SECONDS)


def passed(monotonic: float) -> None:
    """Wait until this moment of the monotonic clock is over."""
    _nothing.wait(max(0.0, monotonic - time.monotonic()))
