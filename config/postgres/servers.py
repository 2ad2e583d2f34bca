"""Which of several servers is asked first: the one that took writes last, and last of all one that was just silent.

Frozen and cut-off servers cost two seconds of connecting each; nobody pays that twice where another one answers.
"""

import threading
import time
from typing import Final

Server = tuple[str, str]

LATER_SECONDS: Final = 30.0

_lock: Final = threading.Lock()
_silent_at: dict[Server, float] = {}
_writer: list[Server] = []


def split(hosts: str, ports: str) -> list[Server]:
    """`a,b` and `1,2` (or one port for all) as pairs, as libpq reads them."""
    names, numbers = hosts.split(","), ports.split(",")
    if len(numbers) == 1:
        numbers *= len(names)
    return list(zip(names, numbers, strict=True))


def in_order(servers: list[Server]) -> list[Server]:
    """The same servers, the most promising first."""
    now = time.monotonic()
    with _lock:
        silent = {server for server, at in _silent_at.items() if now - at < LATER_SECONDS}
        writer = tuple(_writer)
    return sorted(servers, key=lambda server: (server in silent, server not in writer))


def wrote(server: Server) -> None:
    """This one takes writes."""
    with _lock:
        _silent_at.pop(server, None)
        _writer[:] = [server]


def was_silent(server: Server) -> None:
    """This one did not answer."""
    with _lock:
        _silent_at[server] = time.monotonic()
        if server in _writer:
            _writer.clear()
