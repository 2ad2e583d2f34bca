"""No file of the database can grow."""

import errno
from typing import Final

from deploy.lab.injection import measures, shim
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=str(scene.home.postgres_of(scene.target)), write_errno=errno.ENOSPC)


_GROW: Final = (
    "CREATE TEMPORARY TABLE lab AS SELECT repeat(md5(n::text), 30) AS words FROM generate_series(1, 1000) n; SELECT 1"
)


def bites(scene: Scene) -> Bite:
    """A scratch table of 1 MB: whether the server finds room for it."""
    try:
        measures.sql(scene.home, _GROW, node=scene.target)
    except FaultError as problem:
        return Bite(bites=True, measured=str(problem).splitlines()[0])
    return Bite(bites=False, measured="a scratch table of 1 MB was written")


FAULT = Fault(
    name="postgres-disk-full",
    imitates="a volume that is full: logs, a forgotten replication slot, growth that nobody watched",
    fault_class="disk",
    blast_radius="every write that needs room; what is allocated goes on for a while",
    shows="could not extend file: No space left on device; a WAL segment that cannot be made stops the server",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("postgres-*",),
    ways=(
        Way(
            name="shim",
            how="The shim answers ENOSPC to every write that would make a file of the data directory longer.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
)
