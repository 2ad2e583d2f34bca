"""One number texts without end."""

from deploy.lab.injection import drive, flood
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    flood.begin(scene, senders=[drive.number()])


FAULT = Fault(
    name="flood-one-number",
    imitates="a loop between two machines, a bored teenager, a broken phone",
    fault_class="flood",
    blast_radius="that person's limits; everybody else must not notice",
    shows="many texts of one subscriber; shedding of what is over its limit",
    undone=flood.UNDONE,
    targets=("machine",),
    needs=("simulated-carrier",),
    options=flood.OPTIONS,
    ways=(Way(name="texts", how=flood.HOW, inject=inject),),
    bites=flood.bites,
    heal_seconds=60,
)
