"""The carrier takes its time before it does anything."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """A create that must be refused for its missing number: how long the refusal takes."""
    status, seconds = drive.rest(scene, "POST", "Calls.json", {"From": scene.interface["service_number"]})
    late = seconds >= float(scene.options["hold_seconds"]) * 0.8
    return Bite(bites=late, measured=f"an empty create was answered {status} after {seconds:.2f} s")


FAULT = Fault(
    name="carrier-slow",
    imitates="a carrier under load, which is slow and right",
    fault_class="degradation",
    blast_radius="every call and text: workers are busy for longer, the queue grows",
    shows="creates take seconds; lateness grows when many are due",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"hold_seconds": 1.5},
    ways=(misbehaving("hold_seconds", "create_hold_seconds"),),
    bites=bites,
)
