"""The carrier tells everything twice."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """One reminder's call: whether the ringing was told twice (one callback that changes nothing)."""
    metric = 'ringback_callbacks_total{result="nothing"}'
    before = drive.total(scene, "web", metric)
    call = drive.ring(scene, seconds=10)
    if call is None:
        return Bite(bites=False, measured="no call rang within 10 s")
    risen = drive.rises(scene, "web", metric, before=before, seconds=4)
    drive.hang_up(scene, call)
    return Bite(bites=risen > 0, measured=f"{risen:g} callbacks told nothing new while it rang")


FAULT = Fault(
    name="callbacks-duplicated",
    imitates="a carrier that repeats a callback because our answer was slow",
    fault_class="correctness",
    blast_radius="calls in flight: nothing may be counted or charged twice",
    shows="callbacks that change nothing",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "callbacks_duplicate"),),
    bites=bites,
)
