"""A worker stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="worker-frozen",
    imitates="a paused virtual machine, a garbage-collected minute, a stuck resolver",
    fault_class="process",
    blast_radius="the calls that it was placing; woken, it may hold spent tokens",
    shows="doorbells are taken and nothing rings until the lease is over",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("worker-*",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
