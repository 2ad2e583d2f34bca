"""What the watch asks for itself: Redis, the carrier's address, the disk. Each within a second, each a figure."""

import http.client
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

SECONDS_MAX: Final = 2.0  # one that is busy is late, not away


def doorbells() -> int | None:
    """How many doorbells wait; None where Redis does not answer."""
    try:
        return int(_redis().llen(limits.DOORBELL_QUEUE))
    except (RedisError, OSError):
        return None


def answers(base: str) -> bool:
    """Whether the host of an address takes a connection; without TLS, also whether it answers a request, however.

    A process that stands still takes connections as long as the kernel keeps them for it. Somebody else's carrier,
    which speaks TLS, is spared the requests.
    """
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        if parts.scheme == "https":
            socket.create_connection((host, port), timeout=SECONDS_MAX).close()
            return True
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS_MAX)
        try:
            connection.request("HEAD", "/2010-04-01/")
            connection.getresponse().read()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
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
