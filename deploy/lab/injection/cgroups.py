"""Control groups, version 1 or 2: one of ours for each fault, with the target's processes moved into it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.lab.injection.fault import FaultError

_ROOT: Final = Path("/sys/fs/cgroup")
# What is written per controller and version: the file of the limit, and the file that counts what it cost.
_LIMITS: Final = {
    ("cpu", 1): "cpu.cfs_quota_us",
    ("cpu", 2): "cpu.max",
    ("memory", 1): "memory.limit_in_bytes",
    ("memory", 2): "memory.max",
}
CPU_PERIOD_US: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the groups of one controller are, and in which version."""

    directory: Path
    version: int


def place(controller: str) -> Place | None:
    """Where a group with that controller can be made; None where none can."""
    v1 = _ROOT / controller
    if (v1 / "cgroup.procs").exists() and os.access(v1, os.W_OK):
        return Place(directory=v1, version=1)
    with suppress(OSError):
        if controller in (_ROOT / "cgroup.subtree_control").read_text().split() and os.access(_ROOT, os.W_OK):
            return Place(directory=_ROOT, version=2)
    return None


def lack(controller: str) -> str | None:
    """Why no group with that controller can be made: it is tried."""
    where = place(controller)
    if where is None:
        return f"no cgroup {controller} controller that we may use (v1 or v2)"
    probe = where.directory / f"ringback-probe-{os.getpid()}"
    try:
        probe.mkdir()
        exists = (probe / _LIMITS[controller, where.version]).exists()
        probe.rmdir()
    except OSError as problem:
        return f"no cgroup can be made in {where.directory} ({problem.strerror})"
    return None if exists else f"the cgroup {controller} controller has no limits here"


def group(controller: str, token: str) -> Path:
    """The path of a fault's own group, which may not exist yet."""
    where = place(controller)
    if where is None:
        raise FaultError(f"There is no cgroup {controller} controller here.")
    return where.directory / f"ringback-{token}"


def limit_cpu(path: Path, *, percent: float) -> None:
    """Bound what the group may compute to a share of one processor."""
    quota = max(1_000, int(CPU_PERIOD_US * percent / 100))
    if (path / "cpu.max").exists():
        (path / "cpu.max").write_text(f"{quota} {CPU_PERIOD_US}")
    else:
        (path / "cpu.cfs_period_us").write_text(str(CPU_PERIOD_US))
        (path / "cpu.cfs_quota_us").write_text(str(quota))


def limit_memory(path: Path, *, limit_bytes: int) -> None:
    """Bound the group's memory, swap included where it counts that."""
    name = "memory.max" if (path / "memory.max").exists() else "memory.limit_in_bytes"
    (path / name).write_text(str(limit_bytes))


def throttled(path: Path) -> int:
    """How many periods the group was held back."""
    words = dict(line.split() for line in (path / "cpu.stat").read_text().splitlines())
    return int(words["nr_throttled"])


def killed(path: Path) -> int:
    """How many processes of the group the kernel has killed for want of memory."""
    for name in ("memory.events", "memory.oom_control"):
        if (path / name).exists():
            words = dict(line.split() for line in (path / name).read_text().splitlines())
            return int(words.get("oom_kill", 0))
    return 0


def move(pids: list[int], path: Path) -> None:
    """Move processes into a group; those that have ended meanwhile are left out."""
    for pid in pids:
        with suppress(ProcessLookupError):
            (path / "cgroup.procs").write_text(str(pid))


def of(pid: int, controller: str) -> Path:
    """The group that a process is in, so that it can be moved back."""
    where = place(controller)
    if where is None:
        raise FaultError(f"There is no cgroup {controller} controller here.")
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if (where.version == 1 and controller in controllers.split(",")) or (where.version == 2 and not controllers):
            return where.directory / path.lstrip("/")
    return where.directory


def remove(path: Path, *, back: Path) -> None:
    """Move what is left in the group back, and remove it."""
    if not path.exists():
        return
    move([int(pid) for pid in (path / "cgroup.procs").read_text().split()], back)
    try:
        path.rmdir()
    except OSError as problem:
        raise FaultError(f"The cgroup {path} cannot be removed ({problem.strerror}).") from None
