"""Every flush of the database takes longer."""

from deploy.lab.injection import measures, shim
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, path=str(scene.home.postgres_of(scene.target)), sync_delay_ms=int(scene.options["milliseconds"]))


def bites(scene: Scene) -> Bite:
    """How long a commit takes, which must be on the disk before it is answered; best of three."""
    seconds = min(measures.commit_seconds(scene.home, scene.target) for _ in range(3))
    return Bite(
        bites=seconds * 1000 >= float(scene.options["milliseconds"]) * 0.9, measured=f"a commit took {seconds:.3f} s"
    )


FAULT = Fault(
    name="postgres-disk-slow",
    imitates="a disk that is worn, throttled by its provider, or shared with a backup",
    fault_class="disk",
    blast_radius="every commit; reads do not notice",
    shows="slow answers and full pools; nothing fails until deadlines do",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("postgres-*",),
    ways=(
        Way(
            name="shim",
            how="The shim makes fsync and fdatasync in the data directory take `milliseconds` longer.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
    options={"milliseconds": 300},
)
