"""Something else takes all processors."""

import os
import time

from deploy.lab.injection import held
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    wanted = int(scene.options["per_processor"]) * (os.cpu_count() or 1)
    held.hold(scene, "burn", processes_wanted=wanted, nice=-5 if os.getuid() == 0 else 0)


def bites(scene: Scene) -> Bite:
    """How much of half a second those who burn it have used."""
    burners = held.pids(scene)
    before = held.cpu_seconds(burners)
    time.sleep(0.5)
    used = held.cpu_seconds(burners) - before
    return Bite(bites=used > 0.1, measured=f"{len(burners)} processes burn {used * 2:.1f} processors")


FAULT = Fault(
    name="cpu-starved",
    imitates="a noisy neighbour, a runaway report, a cryptominer",
    fault_class="cpu",
    blast_radius="everything on this machine gets its share later",
    shows="everything is slower, nothing fails; lateness grows",
    undone="The burning processes end.",
    targets=("machine",),
    options={"per_processor": 4},
    ways=(
        Way(
            name="burn",
            how="Busy loops, `per_processor` for each processor; before ours in line where we are root.",
            inject=inject,
            needs=("linux",),
        ),
    ),
    bites=bites,
)
