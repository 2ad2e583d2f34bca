"""The shim: a small library, preloaded into one instance, that moves its clock and spoils its disk and names.

It is built by gcc where there is one. The instance is started anew with it, inert; then the control
file strikes it live: the shim reads that file again ten times a second.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

from deploy.lab.injection import measures, processes, told
from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import Scene
from deploy.local.home import Home

SOURCE: Final = Path(__file__).with_name("shim.c")
_BUILD_SECONDS: Final = 60


def library(home: Home) -> Path:
    """The built shim. FaultError where it cannot be built."""
    source = SOURCE.read_bytes()
    place = home.root / "lab" / f"shim-{hashlib.sha256(source).hexdigest()[:12]}.so"
    if not place.exists():
        place.parent.mkdir(mode=0o711, exist_ok=True)
        new = place.with_suffix(f".{os.getpid()}")
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(new), str(SOURCE), "-ldl", "-lpthread"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
        if done.returncode != 0:
            raise FaultError(f"gcc does not build the shim: {done.stderr.strip().splitlines()[-1:]}.")
        new.chmod(0o755)
        new.replace(place)
    return place


def control(home: Home, name: str) -> Path:
    """The file that tells the shim of one instance what to do: `key=value` lines; empty is nothing."""
    return home.root / "lab" / f"shim-{name}.control"


def strike(scene: Scene, words: dict[str, str] | None = None, **keys: str | int) -> None:
    """Start the instance anew with the shim (and told `words`), and then make it suffer this."""
    place = control(scene.home, scene.target)
    if place.exists() and place.read_text():
        raise FaultError(f"{scene.target} suffers from the shim already: heal that first.")
    place.parent.mkdir(mode=0o711, exist_ok=True)
    rest(place)
    _preload(scene, place, words or {})
    scene.will("shim-off", path=str(place))
    _write(place, "".join(f"{name}={value}\n" for name, value in keys.items()))


def rest(place: Path) -> None:
    """Tell the shim to do nothing."""
    _write(place, "")


def _preload(scene: Scene, place: Path, words: dict[str, str]) -> None:
    before = scene.process
    told.tell(scene, {"LD_PRELOAD": str(library(scene.home)), "RINGBACK_LAB_SHIM": str(place), **words})
    processes.await_that(
        lambda: not processes.same((before.pid, before.started)) and measures.answers(scene.home, scene.target),
        seconds=processes.SERVES_SECONDS,
        what=f"{scene.target} serves with the shim",
    )


def _write(place: Path, text: str) -> None:
    new = place.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o644)  # where Postgres is another user it must read it
    new.replace(place)
