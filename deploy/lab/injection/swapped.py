"""The data directory of a running server is exchanged for an older copy of itself, and opened again after that."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from deploy.lab.injection import measures, processes
from deploy.lab.injection.fault import Bite, FaultError
from deploy.lab.injection.scene import Scene, listeners
from deploy.local import records
from deploy.local.home import REPOSITORY, Home

ACKNOWLEDGED: Final = 3  # so many commits of each witness the older copy lacks: more than can be on their way
RELEASE_SECONDS: Final = 300.0
_WITNESSED: Final = "SELECT coalesce(min(number), 0) FROM reminders_witness WHERE moved_at > now() - interval '3 s'"
_CLOSED: Final = "SELECT kind = 'lost' FROM reminders_lineage ORDER BY position DESC LIMIT 1"


def swap(scene: Scene) -> None:
    """Copy the data of the dead server, let it serve and commit, end it, and put the copy in the data's place."""
    data = scene.home.postgres_of(scene.target)
    older, newer = (data.with_name(f"data.{word}-{scene.token}") for word in ("older", "newer"))
    scene.will("removed", paths=[str(older), str(newer)])
    scene.will("opened", name=scene.target)
    scene.will("serves", name=scene.target, killed=None)
    scene.will("release", name=scene.target)
    scene.will("data-back", data=str(data), newer=str(newer))
    with _dead(scene):
        subprocess.run(["cp", "-a", str(data), str(older)], check=True, capture_output=True)
    _await_commits(scene)
    with _dead(scene):
        data.rename(newer)
        older.rename(data)


def is_closed(scene: Scene) -> Bite:
    """What the database itself says of its past."""
    closed = _is_closed(scene.home, scene.target)
    return Bite(bites=closed, measured="it is closed: commits are missing" if closed else "it is open")


def _is_closed(home: Home, name: str) -> bool:
    rows = measures.sql(home, _CLOSED, node=name)
    return bool(rows and rows[0][0])


def data_back(home: Home, *, data: str, newer: str) -> None:  # noqa: ARG001 (every deed is told where)
    """Where the exchange stopped half way, the data is what it was."""
    if not Path(data).exists() and Path(newer).exists():
        Path(newer).rename(data)


def opened(home: Home, *, name: str) -> None:
    """Rebuild what it lacks and open it, as the runbook does; nothing where somebody did so already."""
    if records.supervisor(home) is None or not _is_closed(home, name):
        return
    done = subprocess.run(
        [sys.executable, "manage.py", "release"],
        cwd=REPOSITORY,
        env={**os.environ, "RINGBACK_HOME": str(home.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RELEASE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise FaultError(f"release ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")


def removed(home: Home, *, paths: list[str]) -> None:  # noqa: ARG001 (as above)
    """Nothing is left of the copies."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def alone(home: Home, found: list[str]) -> list[str]:
    """A server that nobody follows: a cluster would go on with one that has not lost anything."""
    return found if sum(name.startswith("postgres-") for name in listeners(home)) == 1 else []


@contextmanager
def _dead(scene: Scene) -> Iterator[None]:
    """kill -9 of the server, which stays dead meanwhile."""
    held = scene.home.run / "held" / scene.target
    held.parent.mkdir(mode=0o700, exist_ok=True)
    held.touch()
    named = processes.tree(scene.home, scene.target)
    processes.send(named, signal.SIGKILL)
    processes.await_that(
        lambda: not any(processes.same(one) for one in named), seconds=30, what=f"{scene.target} is dead"
    )
    yield
    held.unlink(missing_ok=True)


def _await_commits(scene: Scene) -> None:
    def witnessed() -> int:
        try:
            return int(measures.sql(scene.home, _WITNESSED, node=scene.target)[0][0])
        except FaultError:
            return 0  # it recovers

    processes.await_that(witnessed, seconds=processes.SERVES_SECONDS, what=f"{scene.target} serves again")
    began = witnessed()
    processes.await_that(
        lambda: witnessed() >= began + ACKNOWLEDGED, seconds=60, what="what witnesses the database commits"
    )


DEEDS: Final[dict[str, Any]] = {"data-back": data_back, "opened": opened, "removed": removed}
