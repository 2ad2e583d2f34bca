"""The lab's links: every connection between two processes leads through a port of the fault proxy.

`up --lab` (or RINGBACK_LAB=1) starts the proxy and tells each process the link's address instead of the
server's. Without it nothing here is used, and no process is told anything else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from deploy.local.problems import CannotStartError
from deploy.local.program import Program

PROXY: Final = "lab-proxy"
FIRST: Final = 60  # of the ports that follow PORT
_COUNT_MAX: Final = 40
_ADDRESS: Final = re.compile(r"127\.0\.0\.1:(\d+)\b")
# Who speaks to whom, by kind. A web instance behind a proxy is spoken to by that, else by the carrier.
_SPEAK: Final[Mapping[str, tuple[str, ...]]] = {
    "web": ("postgres",),  # it rings no doorbell and dials nobody
    "dispatch": ("postgres", "redis"),
    "worker": ("postgres", "redis", "carrier"),
    "proxy": ("web",),
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """One way through the proxy: `web-1→postgres-1` listens on `port` and leads to `upstream`."""

    name: str
    port: int
    upstream: int


def links(*, listeners: Mapping[str, int], web: int) -> tuple[Link, ...]:
    """The links of a system whose instances listen there; `web` is PORT. CannotStartError where they do not fit."""
    pairs = [
        (client, server)
        for client in listeners
        for kind in _SPEAK.get(_kind(client), ())
        for server in listeners
        if _kind(server) == kind
    ]
    upstreams = [(f"{client}→{server}", listeners[server]) for client, server in pairs]
    if "carrier" in listeners:
        upstreams.insert(0, ("carrier→web", web))
    if len(upstreams) > _COUNT_MAX:
        raise CannotStartError(f"The lab has {_COUNT_MAX} ports for links, and this tier needs {len(upstreams)}.")
    return tuple(
        Link(name=name, port=web + FIRST + place, upstream=port) for place, (name, port) in enumerate(upstreams)
    )


def through(program: Program, found: tuple[Link, ...]) -> Program:
    """The program with each server's address replaced by that of its own link to it."""
    own = {one.upstream: one.port for one in found if one.name.startswith(program.name + "→")}
    return replace(
        program,
        environment={name: _replaced(value, own) for name, value in program.environment.items()},
        command=tuple(_replaced(word, own) for word in program.command),
        needs=(*program.needs, PROXY) if own else program.needs,
    )


def written(found: tuple[Link, ...]) -> str:
    """As the proxy and the lab read them."""
    return json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False) + "\n"


def _replaced(text: str, ports: Mapping[int, int]) -> str:
    return _ADDRESS.sub(lambda found: f"127.0.0.1:{ports.get(int(found[1]), int(found[1]))}", text)


def _kind(name: str) -> str:
    return name.rpartition("-")[0] if name.rpartition("-")[2].isdigit() else name
