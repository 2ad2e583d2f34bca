"""The carrier tells what became of a call much later."""

from deploy.lab.injection.carrier import calls_back, misbehaving, said_of
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """One reminder's call: whether we are told that it rings, and that it has ended."""
    came = calls_back(scene, during_seconds=3, after_seconds=4)
    return Bite(bites=came == (False, False), measured=said_of(came))


FAULT = Fault(
    name="callbacks-delayed",
    imitates="a callback queue of the carrier that is behind",
    fault_class="freshness",
    blast_radius="calls in flight: concluded late, and by look-up first",
    shows="callbacks come for what was already concluded",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"delay_seconds": 20.0},
    ways=(misbehaving("delay_seconds", "callbacks_delay_seconds"),),
    bites=bites,
)
