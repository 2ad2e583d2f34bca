"""How each recorded step is undone, by its name, from what the journal holds: in any process, any number of times.

A deed that cannot be done yet (its process does not answer) raises FaultError, and its entry stays open.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy.lab import links
from deploy.lab.injection import carrier, cgroups, measures, processes, shim, swapped
from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import listeners
from deploy.lab.injection.targets import superuser_url
from deploy.local import records
from deploy.local.home import Home

_SQL_SECONDS: Final = 5


def undo(home: Home, deed: str, facts: dict[str, Any]) -> None:
    """Undo one step. FaultError where it cannot be done now."""
    _DEEDS[deed](home, **facts)


def _thaw(home: Home, *, name: str, pids: list[list[Any]], waits: bool = True) -> None:
    """Children first: a parent that wakes alone would take them for dead. `waits` until the instance serves again."""
    processes.send([(pid, started) for pid, started in reversed(pids)], signal.SIGCONT)
    if waits:
        _serves(home, name=name, killed=None)


def _serves(home: Home, *, name: str, killed: list[Any] | None) -> None:
    """Wait until the instance serves again, as another process than the one that was killed."""
    if killed is not None:
        processes.await_that(
            lambda: not processes.same((killed[0], killed[1])) or not _was_struck(home, name, killed),
            seconds=5,
            what=f"pid {killed[0]} ends",
        )
    if records.supervisor(home) is None or (home.run / "held" / name).exists():
        return
    processes.await_that(
        lambda: records.supervisor(home) is None or measures.answers(home, name),
        seconds=processes.SERVES_SECONDS,
        what=f"{name} serves again",
    )


def _was_struck(home: Home, name: str, killed: list[Any]) -> bool:
    """False where the kill never came: the lab died between writing it down and doing it."""
    found = records.read(home).get(name)
    return found is None or found.pid != killed[0] or not measures.answers(home, name)


def _release(home: Home, *, name: str) -> None:
    (home.run / "held" / name).unlink(missing_ok=True)


def _overrides_off(home: Home, *, name: str, token: str) -> None:
    """Take back what an instance was told, and start it anew without that. A name of its own says how far we came."""
    place = home.run / "overrides" / name / token
    gone = home.run / "overrides" / f"gone-{name}" / token
    if place.exists():
        gone.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.replace(gone)
    if gone.exists():
        found = records.read(home).get(name)
        processes.restart(home, name)
        _serves(home, name=name, killed=[found.pid, found.started] if found is not None else None)
        gone.unlink()
    else:
        _serves(home, name=name, killed=None)


def _end(home: Home, *, token: str) -> None:
    processes.end_told(token)


def _link_off(home: Home, *, token: str) -> None:
    links.drop(home, token)


def _behave(home: Home, *, base: str, previous: dict[str, Any]) -> None:
    if records.supervisor(home) is None:
        raise FaultError("The carrier keeps its behaviour and does not run: it is put right at the next `up`.")
    carrier.behave(base, previous)


def _limit(home: Home, *, name: str, pids: list[list[Any]], which: str, soft: int, hard: int) -> None:
    for pid, started in pids:
        if processes.same((pid, started)):
            with suppress(ProcessLookupError):
                resource.prlimit(pid, getattr(resource, which), (soft, hard))
    _serves(home, name=name, killed=None)


def _cgroup_off(home: Home, *, path: str, back: str) -> None:
    cgroups.remove(Path(path), back=Path(back))


def _renice(home: Home, *, pids: list[list[Any]], nice: int) -> None:
    for pid, started in pids:
        if processes.same((pid, started)):
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, pid, nice)


def _unlink(home: Home, *, path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _redis(home: Home, *, words: list[str]) -> None:
    if records.supervisor(home) is not None:
        measures.redis(home, *words)


def _sql(home: Home, *, node: str, statement: str) -> None:
    port = listeners(home).get(node)
    if port is None or records.supervisor(home) is None:
        return
    try:
        with psycopg.connect(superuser_url(home, port), autocommit=True, connect_timeout=_SQL_SECONDS) as connection:
            connection.execute(statement)
    except psycopg.Error as problem:
        raise FaultError(f"{node} does not take the statement that heals it ({problem}).") from None


def _shim_off(home: Home, *, path: str) -> None:
    shim.rest(Path(path))


_DEEDS: Final[dict[str, Callable[..., None]]] = {
    "thaw": _thaw,
    "serves": _serves,
    "release": _release,
    "overrides-off": _overrides_off,
    "end": _end,
    "link-off": _link_off,
    "behave": _behave,
    "limit": _limit,
    "cgroup-off": _cgroup_off,
    "renice": _renice,
    "unlink": _unlink,
    "redis": _redis,
    "sql": _sql,
    "shim-off": _shim_off,
    **swapped.DEEDS,
}
