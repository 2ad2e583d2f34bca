"""The carrier tells the end of a call before its beginning."""

from deploy.lab.injection.carrier import calls_back, misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """One reminder's call: how many callbacks came while it rang, and after its end."""
    came = calls_back(scene, during_seconds=3, after_seconds=8)
    if came is None:
        return Bite(bites=False, measured="no call rang within 10 s")
    during, after = came
    return Bite(
        bites=not during and bool(after), measured=f"{during:g} callbacks while it rang, {after:g} after its end"
    )


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
