"""The primary's whole node stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault
from deploy.lab.injection.targets import primaries

FAULT = Fault(
    name="postgres-primary-frozen",
    imitates="a host that swaps, a paused virtual machine: the kernel still answers for it",
    fault_class="database",
    blast_radius="every write: nothing is refused, everything waits for its deadline",
    shows="requests run into deadlines; keepalives do not notice",
    undone="SIGCONT, children first.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    pick=primaries,
    heal_seconds=90,
)
