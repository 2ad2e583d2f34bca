"""The carrier tells the end of a call before its beginning."""

from deploy.lab.injection.carrier import calls_back, misbehaving, said_of
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """One reminder's call: whether we are told that it rings, and that it has ended."""
    came = calls_back(scene, during_seconds=3, after_seconds=8)
    return Bite(bites=came == (False, True), measured=said_of(came))


FAULT = Fault(
    name="callbacks-reversed",
    imitates="callbacks that are delivered in parallel",
    fault_class="correctness",
    blast_radius="calls in flight: evidence must fold in any order",
    shows="nothing while it rings, then everything, last first",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "callbacks_reverse"),),
    bites=bites,
)
