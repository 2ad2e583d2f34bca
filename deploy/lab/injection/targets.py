"""What a fault can strike in a running system: its instances, the links between them, and the machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Final

import psycopg

from deploy.lab.injection.scene import listeners
from deploy.local import postgres, records
from deploy.local.home import Home

MACHINE: Final = "machine"
_CONNECT_SECONDS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Link:
    """One way from a process to another, through the fault proxy."""

    name: str
    port: int  # where the proxy listens
    upstream: int  # where it leads


def targets(home: Home) -> list[str]:
    """Everything that runs now, in the order of names; links where the system was started with the proxy."""
    running = [name for name, process in sorted(records.read(home).items()) if process.lives()]
    return [*running, *(link.name for link in links(home)), MACHINE]


def links(home: Home) -> list[Link]:
    """The links of the running system; none without `up --lab`."""
    try:
        found = json.loads((home.run / "links.json").read_text())
    except OSError:
        return []
    return [Link(**one) for one in found]


def postgres_nodes(home: Home) -> dict[str, str]:
    """Each Postgres that answers, with its role: primary or standby."""
    nodes = {}
    for name, port in listeners(home).items():
        if name.startswith("postgres-"):
            role = _role(superuser_url(home, port))
            if role is not None:
                nodes[name] = role
    return nodes


def primaries(home: Home, found: list[str]) -> list[str]:
    """Of these nodes, the primary; where none answers, the first, which was it."""
    roles = postgres_nodes(home)
    return [name for name in found if roles.get(name) == "primary"] or found[:1]


def standbys(home: Home, found: list[str]) -> list[str]:
    """Of these nodes, the standbys."""
    roles = postgres_nodes(home)
    return [name for name in found if roles.get(name) == "standby"]


def superuser_url(home: Home, port: int) -> str:
    """The lab's own way into a database: what a person at the machine could do."""
    return postgres.url(postgres.SUPERUSER, _password(home), port=port)


@cache
def _password(home: Home) -> str:
    return home.secret("postgres_superuser_password")


def _role(url: str) -> str | None:
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    except psycopg.Error:
        return None
    return "standby" if row and row[0] else "primary"
