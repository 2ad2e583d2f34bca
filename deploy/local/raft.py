"""The cluster's decisions kept by Raft, of Patroni's own packages: nothing has to be installed for it."""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.local import platform
from deploy.local.decisions import SCOPE, addresses
from deploy.local.home import REPOSITORY, Home, write_private
from deploy.local.ports import Ports, listens

_MEMBER: Final = "from patroni.raft_controller import main; main()"  # it is no module that can be run


class Raft:
    """Decisions (deploy/local/decisions.py) by three processes of Python."""

    kind: Final = "raft"

    def member(self, home: Home, number: int, *, ports: Ports) -> list[str]:
        """The command of one of the three; its settings are written."""
        place = home.root / f"raft-{number}"
        place.mkdir(mode=0o700, exist_ok=True)
        mine = addresses(ports.raft)[number - 1]
        settings = {
            "scope": SCOPE,
            "name": f"raft-{number}",
            "raft": {
                "self_addr": mine,
                "partner_addrs": [one for one in addresses(ports.raft) if one != mine],
                "data_dir": str(place),
                "password": home.secret("raft_password"),
            },
            "log": {"level": "WARNING", "format": "%(levelname)s: %(message)s"},
        }
        told = place / "raft.json"
        write_private(told, json.dumps(settings, indent=1) + "\n")  # every JSON is YAML
        return platform.launched([sys.executable, "-c", _MEMBER, str(told)], dies_with_parent=signal.SIGKILL)

    def directory(self, home: Home) -> Path:  # noqa: ARG002  # another program's is of the home
        """Where the three work: anywhere."""
        return REPOSITORY

    def client(self, home: Home, *, ports: Ports) -> Mapping[str, Any]:
        """What Patroni is told who asks the three and is none of them."""
        asked = {"partner_addrs": addresses(ports.raft), "data_dir": "", "password": home.secret("raft_password")}
        return {self.kind: asked}

    def is_ready(self, port: int) -> bool:
        """Whether it listens; it answers once two of them do."""
        return listens(port)

    def has_kept(self, home: Home) -> bool:
        """Whether a cluster of this data directory was founded on it."""
        return (home.root / "raft-1").exists()
