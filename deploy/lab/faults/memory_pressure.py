"""Something else takes a large part of the memory."""

from pathlib import Path

from deploy.lab.injection import held
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene
from deploy.local import platform


def inject(scene: Scene) -> None:
    size = int(float(scene.options["megabytes"]) * (1 << 20))
    room = available() // 2
    if size > room:
        raise FaultError(f"Half of the memory that is left is {room >> 20} MB: ask for less.")
    scene.note(size=size)
    held.hold(scene, "hog", size=size)


def bites(scene: Scene) -> Bite:
    """How much of the machine's memory the hog holds."""
    taken = sum(platform.memory_kib(pid, alone=True) for pid in held.pids(scene)) * 1024
    wanted = scene.fact("size") or 1 << 60
    return Bite(bites=taken >= wanted * 0.9, measured=f"{taken >> 20} MB are held, {available() >> 20} MB are left")


def available() -> int:
    """What can still be had, by the kernel's own estimate."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    words = next(line for line in lines if line.startswith("MemAvailable:")).split()
    return int(words[1]) * 1024


FAULT = Fault(
    name="memory-pressure",
    imitates="a leak in a neighbour, a report that loads everything",
    fault_class="memory",
    blast_radius="the machine: caches shrink first; never more than half of what is left is taken",
    shows="less memory, more reads from the disk",
    undone="What holds it ends.",
    targets=("machine",),
    options={"megabytes": 512},
    ways=(
        Way(name="hog", how="A process touches `megabytes` of memory and keeps them.", inject=inject, needs=("linux",)),
    ),
    bites=bites,
)
