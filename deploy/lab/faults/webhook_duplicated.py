"""The carrier delivers every text twice."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """A phone texts HELP: what its webhooks brought."""
    brought = [one["status"] for one in drive.text(scene, drive.number(), "HELP")]
    return Bite(bites=len(brought) > 1, measured=f"a text's webhooks were answered {brought}")


FAULT = Fault(
    name="webhook-duplicated",
    imitates="a carrier that repeats a webhook although it was answered",
    fault_class="correctness",
    blast_radius="every text: one reminder, one charge, one confirmation all the same",
    shows="the same message id twice; the second changes nothing",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "webhook_twice"),),
    bites=bites,
)
