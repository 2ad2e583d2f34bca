"""Every standby is dead, and stays dead until it is healed."""

from dataclasses import replace

from deploy.lab.injection import measures, struck
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import standbys


def inject(scene: Scene) -> None:
    names = standbys(scene.home, sorted(listeners(scene.home)))
    scene.note(names=names)
    for name in names:
        struck.hold_dead(replace(scene, target=name))


def bites(scene: Scene) -> Bite:
    """Whether any standby answers."""
    names = scene.fact("names") or standbys(scene.home, sorted(listeners(scene.home)))
    answering = [name for name in names if measures.answers(scene.home, name)]
    return Bite(
        bites=bool(names) and not answering,
        measured=f"of the standbys {', '.join(names)} answer: {', '.join(answering) or 'none'}",
    )


FAULT = Fault(
    name="standbys-gone",
    imitates="an outage of the other data centre",
    fault_class="database",
    blast_radius="every write: a commit that nobody confirms waits (that is the promise)",
    shows="commits wait; the breaker opens; messages go to the spool where there is one",
    undone="The holds are taken off and the supervisor starts them again.",
    targets=("postgres-*",),
    needs=("standbys",),
    ways=(
        Way(
            name="hold-dead",
            how="kill -9 of each standby's node, and a hold that keeps the supervisor from starting it.",
            inject=inject,
        ),
    ),
    bites=bites,
    pick=standbys,
    heal_seconds=150,
)
