"""The carrier tells nothing of what became of a call."""

from deploy.lab.injection.carrier import calls_back, misbehaving, said_of
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """One reminder's call: whether we are told that it rings, and that it has ended."""
    came = calls_back(scene, during_seconds=3, after_seconds=4)
    return Bite(bites=came == (False, False), measured=said_of(came))


FAULT = Fault(
    name="callbacks-dropped",
    imitates="a callback queue of the carrier that is lost",
    fault_class="correctness",
    blast_radius="calls in flight: their end is learnt by looking up only",
    shows="attempts stay in their state until recovery asks the carrier",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "callbacks_drop"),),
    bites=bites,
)
