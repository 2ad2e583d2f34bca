"""Every write of Redis takes longer."""

import time

from deploy.lab.injection import measures, shim
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=str(scene.home.redis), write_delay_ms=int(scene.options["milliseconds"]))


def bites(scene: Scene) -> Bite:
    """How long a write takes, as a doorbell is one; best of three."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        measures.redis(scene.home, "SET", "lab:probe", "1", "EX", "5", seconds=5)
        taken.append(time.monotonic() - began)
    late = min(taken) * 1000 >= float(scene.options["milliseconds"]) * 0.9
    return Bite(bites=late, measured=f"a write took {min(taken):.3f} s")


FAULT = Fault(
    name="redis-disk-slow",
    imitates="a broker on a disk that is worn or shared",
    fault_class="disk",
    blast_radius="doorbells: Redis answers everybody after its write; publishing may run into its second",
    shows="round trips of Redis grow; lateness grows a little",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("redis",),
    ways=(
        Way(
            name="shim",
            how="The shim makes every write to a file of Redis take `milliseconds` longer.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
    options={"milliseconds": 200},
)
