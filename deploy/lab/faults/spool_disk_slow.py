"""Every flush of the spool takes longer."""

from deploy.lab.injection import shim, spooled
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=spooled.directory(scene), sync_delay_ms=int(scene.options["milliseconds"]))


def bites(scene: Scene) -> Bite:
    """A text that must go to the spool: how long its webhook takes."""
    statuses, seconds = spooled.text(scene)
    late = seconds * 1000 >= float(scene.options["milliseconds"])
    return Bite(bites=late, measured=f"a text that cannot reach its row was answered {statuses} after {seconds:.2f} s")


FAULT = Fault(
    name="spool-disk-slow",
    imitates="a spool on a disk that is shared with what it is to survive",
    fault_class="disk",
    blast_radius="texts while the database is away: each waits for its flush",
    shows="webhooks take seconds; the carrier may give up on them",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("web-*",),
    ways=(
        Way(
            name="shim",
            how="The shim makes fsync in the spool take `milliseconds` longer, in a web instance.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
    options={"milliseconds": 3000},
    needs=("spool", "own-postgres", "simulated-carrier"),
)
