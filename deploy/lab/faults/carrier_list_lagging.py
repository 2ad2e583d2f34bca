"""The carrier's lists know of calls and messages only later."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """A call rings: whether the carrier's own list of calls to that number knows it."""
    call = drive.ring(scene, seconds=10)
    if call is None:
        return Bite(bites=False, measured="no call rang within 10 s")
    known = drive.listed(scene, call)
    drive.hang_up(scene, call)
    return Bite(bites=not known, measured=f"a call that rings is {'' if known else 'not '}in the carrier's list")


FAULT = Fault(
    name="carrier-list-lagging",
    imitates="a carrier's list from a replica that lags",
    fault_class="freshness",
    blast_radius="look-ups and reconciliation: what is not listed yet must not count as not placed",
    shows="unknown outcomes stay unknown until the list has caught up",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"lag_seconds": 30.0},
    ways=(misbehaving("lag_seconds", "list_lag_seconds"),),
    bites=bites,
)
