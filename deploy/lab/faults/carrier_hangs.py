"""The carrier accepts the request, places the call, and never answers."""

from deploy.lab.injection.carrier import leaves_unknown, misbehaving
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-hangs",
    imitates="a carrier with a stuck front end",
    fault_class="degradation",
    blast_radius="calls and texts that are being created; each holds a worker until its deadline",
    shows="requests time out for calls that ring",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"hang_seconds": 60.0},
    ways=(misbehaving("hang_seconds", "create_hang_seconds"),),
    bites=leaves_unknown,
)
