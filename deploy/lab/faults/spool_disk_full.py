"""The disk of the spool is full."""

import errno

from deploy.lab.injection import shim, spooled
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=spooled.directory(scene), write_errno=errno.ENOSPC)


FAULT = Fault(
    name="spool-disk-full",
    imitates="a spool that shares its volume with the logs",
    fault_class="disk",
    blast_radius="texts while the database is away: refused with 503, and the carrier tries again or gives up",
    shows="503 where 200 was; /readyz says null while the database is away",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("web-*",),
    ways=(
        Way(
            name="shim",
            how="The shim answers ENOSPC to every write of a web instance that would make a file of the spool longer.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=spooled.refuses,
    heal_seconds=90,
    needs=("spool", "own-postgres", "simulated-carrier"),
)
