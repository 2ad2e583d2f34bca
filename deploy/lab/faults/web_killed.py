"""A web instance dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="web-killed",
    imitates="a crash, a kernel's OOM kill, a node that goes away",
    fault_class="process",
    blast_radius="requests that this instance was answering; where it is the only one, every webhook until it is back",
    shows="connections are reset, then refused; the carrier repeats its webhook",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("web-*",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
