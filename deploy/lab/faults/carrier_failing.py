"""The carrier places the call and answers 500."""

from deploy.lab.injection.carrier import leaves_unknown, misbehaving
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-failing",
    imitates="a carrier whose last step fails after the call is under way",
    fault_class="degradation",
    blast_radius="calls and texts that are being created",
    shows="500 for calls that ring; attempts become unknown and are looked up",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "create_5xx_after_placing"),),
    bites=leaves_unknown,
)
