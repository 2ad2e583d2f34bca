"""What runs, on disk: a pid file for each process, and who they are, so that nobody else's is ever killed.

`<name>.pid` holds the pid that serves and nothing more. `processes.json` beside them adds when each started
and the boot: a pid alone may be somebody else's by now. `supervisor.lock` is held by the supervisor for as
long as it lives, and holds its pid.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Final

from deploy.local import platform
from deploy.local.home import Home, read_environment, write_private

_GONE_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of ours: its pid, which is its group too, and when it started."""

    pid: int
    started: str

    def lives(self) -> bool:
        """Whether it is still the same process."""
        return platform.started(self.pid) == self.started


def take_lock(home: Home) -> IO[str] | None:
    """Become the supervisor of this data directory; None where another one is."""
    lock = (home.run / "supervisor.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def supervisor(home: Home) -> int | None:
    """The pid of the supervisor that runs this data directory, None where none does."""
    try:
        lock = (home.run / "supervisor.lock").open()
    except OSError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = lock.read().strip()
            return int(written) if written.isdigit() else None
    return None


def write(home: Home, processes: Mapping[str, Process]) -> None:
    """Replace what is recorded by what runs now; files of what no longer runs go."""
    described = {name: {"pid": one.pid, "started": one.started} for name, one in processes.items()}
    text = json.dumps({"boot": platform.boot_id(), "processes": described}, indent=1)
    write_private(home.run / "processes.json", text + "\n")


def write_pid(home: Home, name: str, pid: int) -> None:
    """Say which process serves as `name`, replacing the last at once."""
    write_private(home.run / f"{name}.pid", f"{pid}\n")


def forget_pid(home: Home, name: str) -> None:
    """Say that nobody serves as `name` now."""
    (home.run / f"{name}.pid").unlink(missing_ok=True)


def read(home: Home) -> dict[str, Process]:
    """What was recorded last and is of this boot; it may have died since."""
    try:
        recorded = json.loads((home.run / "processes.json").read_text())
        if recorded["boot"] != platform.boot_id():
            return {}
        return {name: Process(**one) for name, one in recorded["processes"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def forget(home: Home, *, keep: tuple[str, ...] = ()) -> None:
    """Remove what says that something runs."""
    for place in home.run.glob("*.pid"):
        if place.stem not in keep:
            place.unlink(missing_ok=True)
    for name in ("processes.json", "interface.json", "env"):
        (home.run / name).unlink(missing_ok=True)


def is_held(home: Home, name: str) -> bool:
    """Whether the lab wants this instance to stay dead: `run/held/<name>` exists."""
    return (home.run / "held" / name).exists()


def overrides(home: Home, name: str) -> dict[str, str]:
    """What the lab wants the next start of this instance to be told besides: each file of `run/overrides/<name>/`."""
    told: dict[str, str] = {}
    for place in sorted((home.run / "overrides" / name).glob("*")):
        told |= read_environment(place)
    return told


def forget_lab(home: Home) -> None:
    """Take away what would keep the next run from starting: holds, overrides, and what fills the disk."""
    for place in (home.run / "held", home.run / "overrides"):
        shutil.rmtree(place, ignore_errors=True)
    (home.root / "lab" / "filler").unlink(missing_ok=True)


def end_leftovers(home: Home) -> list[str]:
    """End what a supervisor that was killed left behind: the names of what still ran.

    To be called only by who holds the lock, or where nobody does. A process counts as ours by pid, start time
    and boot, or by the environment that only our instances are started with. Postgres is asked first (SIGQUIT
    takes its children along); then every group is killed.
    """
    left = {name: one.pid for name, one in read(home).items() if one.lives()}
    for name, group in left.items():
        _signal_group(group, signal.SIGQUIT if name.startswith("postgres") else signal.SIGTERM)
        _signal_group(group, signal.SIGCONT)
    _await(lambda: not any(platform.group_members(group) for group in left.values()), seconds=_GONE_SECONDS)
    for group in left.values():
        _signal_group(group, signal.SIGKILL)
    return sorted({*left, *_end_strays(home), *_end_servers(home)})


def _end_servers(home: Home) -> set[str]:
    """End a Postgres that outlived its Patroni: it works in a cluster of ours, whatever it is called by now."""
    ended = set()
    for data in home.root.glob("postgres-*/data"):
        for number in (signal.SIGQUIT, signal.SIGKILL):
            for pid in platform.serving(data):
                ended.add(data.parent.name)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            _await(lambda data=data: not platform.serving(data), seconds=_GONE_SECONDS)  # type: ignore[misc]
    return ended


def _end_strays(home: Home) -> set[str]:
    """Kill what left its group, or whose leader died: it works for our directory as an instance."""
    ended = set()
    for name in read(home):
        told = (f"RINGBACK_HOME={home.root}", f"RINGBACK_INSTANCE={name}")
        for pid in platform.told(*told):
            ended.add(name)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _await(lambda told=told: not platform.told(*told), seconds=1.0)  # type: ignore[misc]
    return ended


def _await(truth: Callable[[], bool], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not truth() and time.monotonic() < until:
        time.sleep(0.02)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
