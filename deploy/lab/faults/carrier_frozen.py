"""The carrier stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-frozen",
    imitates="a carrier that accepts connections and answers nothing",
    fault_class="process",
    blast_radius="every call and text; workers wait for their request timeout",
    shows="requests to the carrier time out, so their outcomes are unknown",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("carrier*",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
