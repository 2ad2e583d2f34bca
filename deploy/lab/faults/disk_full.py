"""The disk of the data directory is really full."""

import os

from deploy.lab.injection import held
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    place = scene.home.root / "lab" / "filler"
    scene.will("unlink", path=str(place))
    place.parent.mkdir(mode=0o711, exist_ok=True)
    # It begins once the journal says that the fault is in force: a full disk takes no more of that.
    held.hold(scene, "fill", path=str(place), token=scene.token, leaves_share=float(scene.options["leaves_share"]))


def bites(scene: Scene) -> Bite:
    """How much room an ordinary user has left."""
    found = os.statvfs(scene.home.root)
    free = found.f_bavail * found.f_frsize
    left = float(scene.options["leaves_share"]) * found.f_blocks * found.f_frsize
    return Bite(bites=free < left + (64 << 10), measured=f"{free >> 10} KiB are free")


FAULT = Fault(
    name="disk-full",
    imitates="a volume that everything shares and nobody watches",
    fault_class="disk",
    blast_radius="everything that writes: database, Redis, carrier, spool, logs",
    shows="No space left on device, everywhere at once",
    undone="The filler is deleted.",
    targets=("machine",),
    ways=(
        Way(
            name="filler",
            how="A file takes every byte of the data directory's own small file system, and what becomes free.",
            inject=inject,
            needs=("small-disk",),
        ),
    ),
    bites=bites,
    options={"leaves_share": 0.0},
    heal_seconds=90,
)
