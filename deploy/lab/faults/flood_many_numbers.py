"""Many numbers text at once."""

from deploy.lab.injection import flood
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    flood.begin(scene, senders=[])


FAULT = Fault(
    name="flood-many-numbers",
    imitates="a campaign, an attack by SMS pumping, New Year's Eve",
    fault_class="flood",
    blast_radius="everybody: the webs, the database, the carrier's pace",
    shows="latency grows; shedding by cost; global limits and their breaker",
    undone=flood.UNDONE,
    targets=("machine",),
    needs=("simulated-carrier",),
    options=flood.OPTIONS,
    ways=(Way(name="texts", how=flood.HOW, inject=inject),),
    bites=flood.bites,
    heal_seconds=60,
)
