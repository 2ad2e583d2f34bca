"""The carrier answers 429."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """A create that must be refused for its missing number: whether it is refused for being too much instead."""
    status, _ = drive.rest(scene, "POST", "Calls.json", {"From": scene.interface["service_number"]})
    return Bite(bites=status == 429, measured=f"an empty create was answered {status}")


FAULT = Fault(
    name="carrier-too-many-requests",
    imitates="a rate limit of the carrier, lowered without notice",
    fault_class="degradation",
    blast_radius="every call and text: none is placed, none is unknown",
    shows="429; attempts are not sent and come again later",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "create_429"),),
    bites=bites,
)
