"""Starts a process that holds a fault, and knows it again."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Final

from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import Scene
from deploy.local import platform
from deploy.local.home import REPOSITORY

_SECONDS: Final = 30.0


def hold(scene: Scene, kind: str, **facts: Any) -> None:
    """Start a holder; it holds when this returns. How it ends is in the journal before it lives."""
    scene.will("end", token=scene.token)
    reading = start(scene, kind, **facts)
    with reading as said:
        ready, _, _ = select.select([said], [], [], _SECONDS)
        if not ready or said.readline() != b"holds\n":
            raise FaultError(f"What holds {kind} does not hold within {_SECONDS:g} s.")


def start(scene: Scene, kind: str, **facts: Any) -> IO[bytes]:
    """Start a holder; it says when it holds. Its end is to be in the journal already."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.lab.injection.holder", kind, str(scene.home.root), json.dumps(facts)],
        cwd=REPOSITORY,
        env={**os.environ, "RINGBACK_LAB_FAULT": scene.token, "RINGBACK_HOME": str(scene.home.root)},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(writing)
    process.returncode = 0  # it is not ours to wait for: it outlives this command
    return os.fdopen(reading, "rb")


def pids(scene: Scene) -> list[int]:
    """The processes that hold the fault now."""
    return [] if scene.entry is None else platform.told(f"RINGBACK_LAB_FAULT={scene.token}")


def cpu_seconds(held: list[int]) -> float:
    """The processor time that they have used so far."""
    ticks = 0
    for pid in held:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
