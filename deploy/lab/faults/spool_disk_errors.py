"""The disk of the spool fails."""

import errno

from deploy.lab.injection import shim, spooled
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=spooled.directory(scene), sync_errno=errno.EIO)


FAULT = Fault(
    name="spool-disk-errors",
    imitates="a dying disk under the spool",
    fault_class="disk",
    blast_radius="texts while the database is away",
    shows="503 where 200 was",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("web-*",),
    ways=(
        Way(
            name="shim",
            how="The shim answers EIO to fsync in the spool, in a web instance.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=spooled.refuses,
    heal_seconds=90,
    needs=("spool", "own-postgres", "simulated-carrier"),
)
