"""What the watch asks for itself: Redis, the carrier's address, the disk. Each within a second, each a figure."""

import shutil
import socket
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from reminders import limits

SECONDS_MAX: Final = 1.0


def doorbells() -> int | None:
    """How many doorbells wait; None where Redis does not answer."""
    try:
        return int(_redis().llen(limits.DOORBELL_QUEUE))
    except (RedisError, OSError):
        return None


def takes_connections(base: str) -> bool:
    """Whether the host of an address takes a connection."""
    parts = urlsplit(base)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=SECONDS_MAX).close()
    except OSError:
        return False
    return True


def disk_free_share(place: Path) -> float | None:
    """The free share of the disk where `place` is; None where it cannot be told."""
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return None
    return usage.free / usage.total


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=SECONDS_MAX, socket_connect_timeout=SECONDS_MAX, retry=None
    )
