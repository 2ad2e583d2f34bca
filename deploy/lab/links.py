"""Drives the fault proxy (`lab-proxy`) through its Unix socket: rules by link, each with the token of its fault."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.lab.injection.fault import UP, FaultError
from deploy.local import records
from deploy.local.home import Home

_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What happens on a link. `direction`: `up` (to the server), `down` (from it) or `both`.

    Seconds and bytes per second; `lose` is the share of new connections that are cut in the middle.
    """

    direction: str = "both"
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    rate_bytes: float = 0.0  # 0: no bound
    blackhole: bool = False  # nothing passes, nothing ends: what was sent waits
    half_open: bool = False  # the end of one side is never told to the other
    reset: bool = False  # open connections and new ones end with RST
    refuse: bool = False  # nothing listens
    lose: float = 0.0


def strike(home: Home, token: str, pattern: str, rule: Rule) -> None:
    """Put a rule on every link that the pattern names. FaultError where the proxy does not run."""
    said = _asked(home, {"do": "set", "token": token, "links": pattern, "rule": asdict(rule)})
    if not said["links"]:
        raise FaultError(f"There is no link {pattern}.")


def drop(home: Home, token: str) -> None:
    """Take a fault's rules back; where the proxy does not run there are none."""
    found = records.read(home).get("lab-proxy")
    if found is not None and found.lives():
        _asked(home, {"do": "drop", "token": token})


def shown(home: Home) -> list[dict[str, Any]]:
    """Every link with its rules, its open connections and what has passed."""
    found: list[dict[str, Any]] = _asked(home, {"do": "show"})["links"]
    return found


def address(run: Path) -> tuple[str, int | None]:
    """The socket's path, short enough for a socket; with the directory's open file that it needs, to be closed."""
    place = str(run / "lab-proxy.sock")
    if len(place.encode()) < 100 or not sys.platform.startswith("linux"):
        return place, None
    handle = os.open(run, os.O_RDONLY)
    return f"/proc/self/fd/{handle}/lab-proxy.sock", handle


def _asked(home: Home, words: dict[str, Any]) -> dict[str, Any]:
    place, handle = address(home.run)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(place)
            connection.sendall(json.dumps(words).encode() + b"\n")
            with connection.makefile("rb") as answer:
                said: dict[str, Any] = json.loads(answer.readline() or b"{}")
    except (OSError, ValueError) as problem:
        raise FaultError(f"The fault proxy does not answer ({problem}): it runs with {UP}.") from None
    finally:
        if handle is not None:
            os.close(handle)
    if "error" in said:
        raise FaultError(f"The fault proxy refuses that: {said['error']}.")
    return said
