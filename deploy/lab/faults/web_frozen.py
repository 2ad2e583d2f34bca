"""A web instance stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="web-frozen",
    imitates="a paused virtual machine, a process that waits for a dead disk",
    fault_class="process",
    blast_radius="requests to this instance; its database connections stay open",
    shows="requests to it time out and nothing refuses them",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("web-*",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
