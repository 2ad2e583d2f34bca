"""The proxy before the web instances dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="proxy-killed",
    imitates="a load balancer that crashes",
    fault_class="process",
    blast_radius="every request from outside until it is back",
    shows="connections to PORT are refused",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("proxy*",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
