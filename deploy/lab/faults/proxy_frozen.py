"""The proxy before the web instances stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="proxy-frozen",
    imitates="a load balancer that hangs",
    fault_class="process",
    blast_radius="every request from outside",
    shows="requests to PORT time out though every instance is well",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("proxy*",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
