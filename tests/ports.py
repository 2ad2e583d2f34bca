"""Ports for what a test starts: below the range that the kernel hands out, and locked while they are wanted.

A port that the kernel gave and took back may be another connection's a moment later, also while a server that had it
is started again. Each user of this module has a range of its own.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

SERVERS: Final = range(17_600, 17_700)  # tests/servers.py: Postgres and Redis, one next to the other
CARRIERS: Final = range(17_700, 17_800)  # simulated carriers in processes of their own, and what checks them
SUPERVISED: Final = range(17_800, 18_200, 50)  # tests/integration/local: small systems
REPLICAS: Final = range(18_200, 18_300, 10)  # tests/replicas.py: some servers of one database
PROXIES: Final = range(18_300, 18_380)  # tests/integration/lab: links of a fault proxy
DECISIONS: Final = range(18_380, 18_400, 10)  # tests/integration/local: what keeps a cluster's decisions
# Whole systems take every port from PORT to PORT+59, and to PORT+99 with the fault proxy and its links: none is shared,
# or one system's instance answers where another's should, and is taken for it.
SYSTEMS: Final = range(18_400, 19_600, 60)
LAB_SYSTEMS: Final = range(19_600, 19_900, 100)


class Ports:
    """A port, and those that follow from it, until it is closed."""

    def __init__(self, port: int, lock: IO[str]) -> None:
        self.port = port
        self._lock = lock

    def close(self) -> None:
        """Let others have them."""
        self._lock.close()


def take(*, among: Iterable[int], followers: Iterable[int] = (0,)) -> Ports:
    """The first of `among` whose followers are all free. AssertionError where there is none."""
    offsets = tuple(followers)
    for port in among:
        lock = (Path(tempfile.gettempdir()) / f"ringback-ports-{os.getuid()}-{port}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for offset in offsets:
                _refuse_taken(port + offset)
        except OSError:
            lock.close()
            continue
        return Ports(port, lock)
    raise AssertionError(f"no free port among {list(among)}")


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
