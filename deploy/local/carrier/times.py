"""The two ways in which the carrier writes an instant. Instants are seconds since the epoch, UTC."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache


@lru_cache(maxsize=4096)
def _whole_second_2822(second: int) -> str:
    return formatdate(second, usegmt=False, localtime=False).replace("-0000", "+0000")


def rfc2822(at: float | None) -> str | None:
    """Twilio's form: "Sun, 22 Nov 2026 17:14:04 +0000"."""
    return None if at is None else _whole_second_2822(int(at))


@lru_cache(maxsize=4096)
def _whole_second_3339(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def rfc3339(at: float | None) -> str | None:
    """The control interface's form: "2026-11-22T17:14:04.123Z"."""
    if at is None:
        return None
    milliseconds = int(at * 1000 + 0.5)
    return f"{_whole_second_3339(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"
