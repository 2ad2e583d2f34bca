"""The disk fails when the database flushes."""

import errno

from deploy.lab.injection import measures, shim
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=str(scene.home.postgres_of(scene.target)), sync_errno=errno.EIO)


def bites(scene: Scene) -> Bite:
    """A commit, which must be on the disk before it is answered."""
    try:
        seconds = measures.commit_seconds(scene.home, scene.target)
    except FaultError as problem:
        return Bite(bites=True, measured=str(problem).splitlines()[0])
    return Bite(bites=False, measured=f"a commit took {seconds:.3f} s")


FAULT = Fault(
    name="postgres-disk-errors",
    imitates="a dying disk: after a failed fsync nobody knows what is stored",
    fault_class="disk",
    blast_radius="the node: Postgres stops rather than believe such a disk, and starts again only once it works",
    shows="PANIC: could not fsync; the node is gone until it is healed",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("postgres-*",),
    ways=(
        Way(
            name="shim",
            how="The shim answers EIO to fsync and fdatasync in the data directory.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
)
