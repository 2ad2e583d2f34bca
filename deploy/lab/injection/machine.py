"""What this machine and this system have for faults. Each probe tries; it never assumes, and says what lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from deploy.lab.injection import cgroups
from deploy.lab.injection.fault import UP
from deploy.lab.injection.targets import links, postgres_nodes
from deploy.local import platform
from deploy.local.home import Home, read_environment

_PROBE_SECONDS: Final = 10


def lack(home: Home, need: str) -> str | None:
    """What is missing for `need`, as words that follow a colon; None where nothing is."""
    if need in _OF_THE_SYSTEM:
        return _OF_THE_SYSTEM[need](home)
    return _OF_THE_MACHINE[need]()


def found() -> dict[str, str | None]:
    """Every probe of the machine, and what it lacks."""
    return {need: probe() for need, probe in _OF_THE_MACHINE.items()}


@cache
def _linux() -> str | None:
    return None if platform.LINUX else f"it needs Linux, and this is {sys.platform}"


@cache
def _root() -> str | None:
    return None if os.getuid() == 0 else "it needs root"


@cache
def _gcc() -> str | None:
    return None if platform.LINUX and shutil.which("gcc") else "no gcc on this Linux machine to build the shim with"


@cache
def _prlimit() -> str | None:
    return None if platform.LINUX else "no prlimit on this system"


@cache
def _cgroup_cpu() -> str | None:
    return cgroups.lack("cpu")


@cache
def _cgroup_memory() -> str | None:
    return cgroups.lack("memory")


@cache
def _netem() -> str | None:
    """Latency by the kernel, in a network namespace that is thrown away."""
    command = ["unshare", "-rn", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    return _tried(command, "no netem in this kernel (tc qdisc … netem in a namespace)")


@cache
def _user_namespaces() -> str | None:
    return _tried(["unshare", "-Ur", "true"], "no user namespaces here (unshare -Ur)")


@cache
def _tmpfs() -> str | None:
    with tempfile.TemporaryDirectory() as place:
        command = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "none", place]
        return _tried(command, "no tmpfs can be mounted (needs root, or unshare -Urm)")


def _tried(command: list[str], otherwise: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return otherwise
    return None if done.returncode == 0 else otherwise


def _links(home: Home) -> str | None:
    return None if links(home) else f"no fault proxy runs: start the system with {UP}"


def _standbys(home: Home) -> str | None:
    return None if "standby" in postgres_nodes(home).values() else "this tier has no standby (TIER=replicated)"


def _simulated(home: Home) -> str | None:
    return None if (home.run / "carrier.pid").exists() else "the simulated carrier does not run here"


def _own_postgres(home: Home) -> str | None:
    return None if postgres_nodes(home) else "no embedded Postgres runs here"


def _own_redis(home: Home) -> str | None:
    return None if (home.run / "redis.pid").exists() else "no embedded Redis runs here"


def _spool(home: Home) -> str | None:
    has_one = read_environment(home.run / "env").get("RINGBACK_SPOOL", "0") in ("1", "true", "yes")
    return None if has_one else "this system has no spool (TIER=isolated, or RINGBACK_SPOOL=1)"


def _small_disk(home: Home) -> str | None:
    """A disk that may be filled without harm to anybody else: its own file system, of at most 4 GB."""
    found = os.statvfs(home.root)
    is_own = home.root.stat().st_dev != Path("/").stat().st_dev and home.root.stat().st_dev != _tmp_device()
    if is_own and found.f_blocks * found.f_frsize <= 4 << 30:
        return None
    return "RINGBACK_HOME is not on a small file system of its own (mount -t tmpfs -o size=1g none DIR)"


def _tmp_device() -> int:
    return Path(tempfile.gettempdir()).stat().st_dev


_OF_THE_MACHINE: Final[dict[str, Callable[[], str | None]]] = {
    "linux": _linux,
    "root": _root,
    "gcc": _gcc,
    "prlimit": _prlimit,
    "cgroup-cpu": _cgroup_cpu,
    "cgroup-memory": _cgroup_memory,
    "netem": _netem,
    "user-namespaces": _user_namespaces,
    "tmpfs": _tmpfs,
}
_OF_THE_SYSTEM: Final[dict[str, Callable[[Home], str | None]]] = {
    "links": _links,
    "standbys": _standbys,
    "simulated-carrier": _simulated,
    "own-postgres": _own_postgres,
    "own-redis": _own_redis,
    "small-disk": _small_disk,
    "spool": _spool,
}
