"""Three Postgres nodes under Patroni: their settings, addresses, commands, and what readiness of one means.

Patroni comes from Python packages, Postgres is the embedded one, and the cluster's decisions are kept by three small
processes (deploy/local/decisions.py). They are apart from the nodes, so that a node's death costs no election.
What the settings are for, and what was measured: docs/explanation/replicated-postgres.md.
"""

import http.client
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from deploy.local import archive, platform, postgres
from deploy.local.decisions import MEMBERS, SCOPE, Decisions
from deploy.local.home import Home, write_private
from deploy.local.ports import HOST, Ports
from deploy.local.problems import CannotStartError

NODES: Final = MEMBERS
NAMESPACE: Final = "/ringback/"
TTL_SECONDS: Final = 20  # Patroni's floor. A shorter one leans on synchronous replication alone.
LOOP_SECONDS: Final = 1
RETRY_SECONDS: Final = 3
_ANSWER_SECONDS: Final = 0.3
_SYNC: Final = "syncfs"

# What Patroni takes from the cluster's own settings only, and what decides about a failover.
_CLUSTER: Final[Mapping[str, Any]] = {
    "ttl": TTL_SECONDS,
    "loop_wait": LOOP_SECONDS,
    "retry_timeout": RETRY_SECONDS,
    "primary_start_timeout": 0,  # a primary that died is replaced, not waited for
    "primary_stop_timeout": 2,
    "maximum_lag_on_failover": 0,
    "synchronous_mode": "quorum",
    "synchronous_mode_strict": True,  # no standby, no commit: rather refused than on one disk
    "synchronous_node_count": 1,
    "failsafe_mode": True,
    "postgresql": {
        "use_pg_rewind": True,
        "use_slots": True,
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
        "parameters": {
            "max_connections": "100",
            "max_worker_processes": "8",
            "max_wal_senders": "10",
            "max_replication_slots": "10",
            "wal_level": "replica",
            "wal_log_hints": "on",
        },
    },
}
_PARAMETERS: Final[Mapping[str, str]] = {
    "wal_keep_size": "128MB",
    "max_slot_wal_keep_size": "1GB",  # a standby that stays away may not fill the disk
    "wal_sender_timeout": "3s",
    "wal_receiver_timeout": "3s",
    "wal_retrieve_retry_interval": "100ms",  # the default, 5 s, can add 5 s to a promotion
    "wal_receiver_status_interval": "1s",
    "tcp_user_timeout": "3s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "1s",
    "hot_standby_feedback": "off",  # an old snapshot on a standby may not hold back the primary's vacuum
}
_SET_BY_PATRONI: Final = ("listen_addresses", "max_connections")
# A primary that died reconnects by the loopback too: without the replication line it never comes back.
_WHO_MAY_CONNECT: Final = (
    "host all         all 127.0.0.1/32 scram-sha-256",
    "host replication all 127.0.0.1/32 scram-sha-256",
)


def refuse_absent() -> None:
    """Raise CannotStartError where the packages for several nodes are not installed."""
    if find_spec("patroni") is None or find_spec("pysyncobj") is None:
        raise CannotStartError(
            "Three Postgres nodes need more packages: `TIER=replicated make up` installs them.", code=2
        )


def name(number: int) -> str:
    """The name of a node, which is its member's name too."""
    return f"postgres-{number}"


def directory(home: Home, number: int) -> Path:
    """Everything of a node is under it, and each of its processes works in it: so they are told apart."""
    return home.root / name(number)


def data(home: Home, number: int) -> Path:
    """A node's cluster."""
    return directory(home, number) / "data"


def url(role: str, password: str, *, ports: Ports, target: str) -> str:
    """The address of all three; `target` says which of them is wanted (target_session_attrs)."""
    hosts = ",".join(f"{HOST}:{ports.postgres + number}" for number in range(NODES))
    return f"postgresql://{role}:{password}@{hosts}/{postgres.DATABASE}?target_session_attrs={target}&connect_timeout=2"


def node(home: Home, number: int, *, ports: Ports, decisions: Decisions, makes: bool) -> list[str]:
    """The command that runs a node; its settings are written. `makes`: it may found the cluster."""
    place = directory(home, number)
    settings = {
        "scope": SCOPE,
        "namespace": NAMESPACE,
        "name": name(number),
        "restapi": _restapi(home, ports.patroni + number - 1),
        **decisions.client(home, ports=ports),
        "postgresql": _postgresql(home, number, ports=ports),
        "log": {"level": "INFO", "format": "%(levelname)s: %(message)s"},
        "tags": {},
        **({"bootstrap": {"dcs": _CLUSTER}} if makes else {}),
    }
    return _patroni(["-m", "deploy.local.patroni"], settings, place / "patroni.json", dies_by=signal.SIGTERM)


def leader_key(home: Home, *, ports: Ports, decisions: Decisions) -> list[str]:
    """The command of the process that deletes the leader key when the supervisor says so."""
    settings = {
        "scope": SCOPE,
        "namespace": NAMESPACE,
        "name": "leader-key",
        "patronictl": True,  # a client, no member
        "ttl": TTL_SECONDS,
        "loop_wait": LOOP_SECONDS,
        "retry_timeout": RETRY_SECONDS,
        **decisions.client(home, ports=ports),
    }
    place = home.run / "leader-key.json"
    write_private(place, json.dumps(settings, indent=1) + "\n")
    words = [sys.executable, "-m", "deploy.local.leader_key", str(place)]
    return platform.launched(words, dies_with_parent=signal.SIGKILL)


def is_ready(port: int) -> bool:
    """Whether the node whose Patroni answers there leads, or follows by streaming."""
    state = ask(port)
    if state.get("state") != "running":
        return False
    return state.get("role") in ("primary", "master") or state.get("replication_state") == "streaming"


def leads(port: int) -> bool:
    """Whether the node whose Patroni answers there leads."""
    state = ask(port)
    return state.get("state") == "running" and state.get("role") in ("primary", "master")


def ask(port: int) -> dict[str, Any]:
    """What Patroni says of its node; empty where it does not answer at once."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/patroni")
        found = json.loads(connection.getresponse().read(64 * 1024))
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return found if isinstance(found, dict) else {}


def _restapi(home: Home, port: int) -> dict[str, Any]:
    """Everybody here may look; only who knows the password may change anything."""
    return {
        "listen": f"{HOST}:{port}",
        "connect_address": f"{HOST}:{port}",
        "authentication": {"username": SCOPE, "password": home.secret("patroni_password")},
    }


def _postgresql(home: Home, number: int, *, ports: Ports) -> dict[str, Any]:
    address = f"{HOST}:{ports.postgres + number - 1}"
    place = directory(home, number)
    parameters = {name: value for name, value in postgres.SETTINGS.items() if name not in _SET_BY_PATRONI}
    superuser = {
        "username": postgres.SUPERUSER,
        "password": home.secret("postgres_superuser_password"),
    }
    replication = {
        "username": postgres.REPLICATION,
        "password": home.secret("postgres_replication_password"),
    }
    return {
        "listen": address,
        "connect_address": address,
        "data_dir": str(place / "data"),
        "bin_dir": str(postgres.binary("postgres").parent),
        "bin_name": {"pg_rewind": str(_rewind(place))},
        "pgpass": str(place / "pgpass"),
        "authentication": {"superuser": superuser, "rewind": superuser, "replication": replication},
        "parameters": {**parameters, **_PARAMETERS, **archive.settings(home.archive)},
        "pg_hba": list(_WHO_MAY_CONNECT),
        "create_replica_methods": ["basebackup"],
        "basebackup": [{"checkpoint": "fast"}, *([{"sync-method": _SYNC}] if platform.LINUX else [])],
    }


def _rewind(place: Path) -> Path:
    """The program that rewinds a node; Patroni knows no way to have it sync at once rather than file by file."""
    plain = postgres.binary("pg_rewind")
    if not platform.LINUX:
        return plain
    program = place / "pg_rewind"
    place.mkdir(mode=0o700, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(plain))} "$@" --sync-method={_SYNC}\n')
    program.chmod(0o755)
    return program


def _patroni(what: list[str], settings: Mapping[str, Any], place: Path, *, dies_by: int) -> list[str]:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(place, json.dumps(settings, indent=1) + "\n")  # every JSON is YAML
    uid = postgres.identity().uid
    if uid is not None:
        os.chown(place, uid, -1)
        os.chown(place.parent, uid, -1)
    words = [sys.executable, *what, str(place)]
    return platform.launched(words, dies_with_parent=dies_by, namespace_uid=postgres.identity().namespace_uid)
