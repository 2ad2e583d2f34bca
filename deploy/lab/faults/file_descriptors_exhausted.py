"""An instance can open nothing more."""

import resource
from pathlib import Path

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    pid = scene.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    named = [[pid, scene.process.started]]
    scene.will("limit", name=scene.target, pids=named, which="RLIMIT_NOFILE", soft=soft, hard=hard)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (_first_free(pid), hard))


def _first_free(pid: int) -> int:
    """The number that the next file would get."""
    opened = {int(place.name) for place in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in range(len(opened) + 1) if number not in opened)


def bites(scene: Scene) -> Bite:
    """Whether it answers on a new connection."""
    taken = measures.round_trip_ms(scene.home, scene.target)
    return Bite(bites=taken is None, measured=f"{scene.target}: {measures.told(taken)} on a new connection")


FAULT = Fault(
    name="file-descriptors-exhausted",
    imitates="a leak of connections, a limit that was never raised",
    fault_class="process",
    blast_radius="new connections of and to that instance; open ones go on",
    shows="too many open files; connections are accepted by the kernel and by nobody else",
    undone="prlimit back to what it was.",
    targets=("web-*", "redis", "worker-*", "dispatch-*"),
    ways=(
        Way(
            name="prlimit",
            how="prlimit sets the instance's RLIMIT_NOFILE to what it has open.",
            inject=inject,
            needs=("prlimit",),
        ),
    ),
    bites=bites,
)
