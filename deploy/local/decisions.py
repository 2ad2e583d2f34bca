"""What the Postgres nodes agree by: three small processes that keep who leads, and which standbys a commit waits for.

Two programs can do it: Raft from Patroni's own packages (raft.py), which runs everywhere, and etcd (etcd.py), which is
what production uses, where it is installed. What one of them has kept the other does not read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from deploy.local.home import Home
from deploy.local.ports import HOST, Ports

MEMBERS: Final = 3
SCOPE: Final = "ringback"


class Decisions(Protocol):
    """One of the programs that keep a cluster's decisions."""

    @property
    def kind(self) -> str:
        """What its processes are called: `raft-1`, `raft-2`, …"""
        ...

    def member(self, home: Home, number: int, *, ports: Ports) -> list[str]:
        """The command of one of the three; its settings are written."""
        ...

    def directory(self, home: Home) -> Path:
        """Where the three work."""
        ...

    def client(self, home: Home, *, ports: Ports) -> Mapping[str, Any]:
        """What Patroni is told who asks the three and is none of them."""
        ...

    def is_ready(self, port: int) -> bool:
        """Whether the member that listens there may be asked."""
        ...

    def has_kept(self, home: Home) -> bool:
        """Whether a cluster of this data directory was founded on it."""
        ...


def addresses(first: int) -> list[str]:
    """Where the three listen: one address, and ports of their own.

    Three loopback addresses never elected a leader when Raft was tried so.
    """
    return [f"{HOST}:{first + number}" for number in range(MEMBERS)]
