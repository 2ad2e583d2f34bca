"""The disk fails when Redis writes."""

import errno

from deploy.lab.injection import shim, struck
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=str(scene.home.redis), write_errno=errno.EIO)


FAULT = Fault(
    name="redis-disk-errors",
    imitates="a dying disk under the broker",
    fault_class="disk",
    blast_radius="doorbells: Redis refuses writes; nothing that was accepted is lost",
    shows="MISCONF Errors writing to the AOF file; rings wait for their lease",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("redis",),
    ways=(
        Way(name="shim", how="The shim answers EIO to every write to a file of Redis.", inject=inject, needs=("gcc",)),
    ),
    bites=struck.redis_refuses,
    heal_seconds=90,
)
