"""The cluster's decisions kept by etcd, where it is installed: what production uses for it.

The three speak to each other by sockets in a directory that only their user may enter, and to Patroni on the loopback,
where who does not know the password may read nothing and change nothing: a step before the nodes sees to that
(etcd_password.py).
"""

import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from deploy.local import installed, platform
from deploy.local.decisions import MEMBERS, addresses
from deploy.local.home import Home
from deploy.local.ports import Ports, is_alive

SETTING: Final = "RINGBACK_ETCD"
PACKAGE: Final = "etcd-server"  # Debian's
USER: Final = "root"  # etcd's own word for who may do everything
SECRET: Final = "etcd_password"  # noqa: S105  # a file's name
_VERSION_LEAST: Final = (3, 4)  # the first that speaks its present API over HTTP
_HEARTBEAT_MS: Final = 100
_ELECTION_MS: Final = 1000


def lack() -> str:
    """Why etcd cannot keep the decisions here; empty where it can."""
    program = shutil.which("etcd")
    if program is None:
        return f"etcd is not installed (Debian: apt install {PACKAGE})"
    if find_spec("etcd") is None:
        return "Patroni's client of etcd is not installed: `TIER=replicated make up` installs it"
    found = installed.version(program)
    if found < _VERSION_LEAST:
        least = installed.told(_VERSION_LEAST)
        return f"etcd is {installed.told(found)}, and {least} is the oldest that is spoken to"
    return ""


class Etcd:
    """Decisions (deploy/local/decisions.py) by three processes of etcd."""

    kind: Final = "etcd"

    def member(self, home: Home, number: int, *, ports: Ports) -> list[str]:
        """The command of one of the three."""
        place = self.directory(home)
        place.mkdir(mode=0o700, exist_ok=True)
        place.chmod(0o700)  # who may enter could speak to them as one of the three
        peers = {f"etcd-{one}": f"unix://etcd-{one}:0" for one in range(1, MEMBERS + 1)}
        mine = f"etcd-{number}"
        address = f"http://{addresses(ports.etcd)[number - 1]}"
        words = [
            str(shutil.which("etcd")),
            f"--name={mine}",
            f"--data-dir={place / mine}",
            f"--listen-peer-urls={peers[mine]}",
            f"--initial-advertise-peer-urls={peers[mine]}",
            f"--initial-cluster={','.join(f'{name}={url}' for name, url in peers.items())}",
            f"--listen-client-urls={address}",
            f"--advertise-client-urls={address}",
            f"--heartbeat-interval={_HEARTBEAT_MS}",
            f"--election-timeout={_ELECTION_MS}",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=1h",
            "--logger=zap",
            "--log-level=error",
        ]
        return platform.launched(words, dies_with_parent=signal.SIGKILL)

    def directory(self, home: Home) -> Path:
        """Where the three work: their sockets are there."""
        return home.root / self.kind

    def client(self, home: Home, *, ports: Ports) -> Mapping[str, Any]:
        """What Patroni is told who asks the three."""
        return {"etcd3": {"hosts": addresses(ports.etcd), "username": USER, "password": home.secret(SECRET)}}

    def is_ready(self, port: int) -> bool:
        """Whether the member that listens there belongs to a majority."""
        return is_alive(port, "/health")

    def has_kept(self, home: Home) -> bool:
        """Whether a cluster of this data directory was founded on it."""
        return self.directory(home).exists()
