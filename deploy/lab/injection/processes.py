"""Signals and limits for processes of the system, each named by pid and start time: nobody else's is ever struck."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.lab.injection import scene
from deploy.lab.injection.fault import FaultError
from deploy.local import platform, records
from deploy.local.home import Home

Named = tuple[int, str]  # a pid and when it started
SERVES_SECONDS: Final = 90.0


def tree(home: Home, name: str) -> list[Named]:
    """An instance's process and everything that it has begun, parents first. FaultError where it does not run.

    Patroni lets go of its Postgres: what works in a node's directory is the node's as well.
    """
    process = scene.process(home, name)
    found: list[Named] = [(process.pid, process.started)]
    pids = _working_in(home, home.root / name) if name.startswith("postgres") else []
    for pid in [*pids, *platform.descendants(process.pid, *pids)]:
        _add(found, pid)
    return found


def patronis(home: Home, name: str) -> list[Named]:
    """Of a node's processes those that speak for it in the cluster; none where there is no cluster."""
    return [named for named in tree(home, name) if b"patroni.json" in _command(named[0])]


def replaying(home: Home, name: str) -> list[Named]:
    """Of a standby's processes the one that replays what it receives."""
    return [named for named in tree(home, name) if b" startup recovering" in _command(named[0])]


def _add(found: list[Named], pid: int) -> None:
    started = platform.started(pid)
    if started is not None and (pid, started) not in found:
        found.append((pid, started))


def _working_in(home: Home, directory: Path) -> list[int]:
    """Descendants of the supervisor only: somebody's shell may be there too."""
    supervisor = records.supervisor(home)
    ours = platform.descendants(supervisor) if supervisor is not None else []
    return sorted(pid for pid in ours if platform.works_in(pid, directory))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def same(named: Named) -> bool:
    """Whether it is still that process."""
    return platform.started(named[0]) == named[1]


def send(processes: list[Named], number: int) -> int:
    """Signal those that are still the same; how many were."""
    sent = 0
    for named in processes:
        if same(named):
            with suppress(ProcessLookupError):
                os.kill(named[0], number)
                sent += 1
    return sent


def end_told(token: str) -> None:
    """End every process that was started with this token in its environment."""
    word = f"RINGBACK_LAB_FAULT={token}"
    for _ in range(3):
        pids = [pid for pid in platform.told(word) if pid != os.getpid()]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            return
        await_that(lambda: not [p for p in platform.told(word) if p != os.getpid()], seconds=5, what=word)


def is_stopped(pid: int) -> bool:
    """Whether it was stopped by a signal and does nothing."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] == "T"


def environment(pid: int) -> dict[str, str]:
    """What a process of ours was started with. FaultError where that cannot be read."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError as problem:
        raise FaultError(f"The environment of pid {pid} cannot be read ({problem.strerror}).") from None
    return dict(word.split("=", 1) for word in words if "=" in word)


def await_that(truth: Callable[[], object], *, seconds: float, what: str) -> None:
    """Wait until it is so. FaultError after `seconds`."""
    until = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > until:
            raise FaultError(f"Not within {seconds:g} s: {what}.")
        time.sleep(0.05)


def restart(home: Home, name: str) -> None:
    """End an instance, so that the supervisor starts it anew with what it is to be told now."""
    found = records.read(home).get(name)
    if found is None or not found.lives():
        return  # the supervisor is about to start it anyway
    # A server that is killed at once recovers; one that is asked nicely may take its time.
    send(tree(home, name), signal.SIGKILL)
