"""Redis stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="redis-frozen",
    imitates="a broker that swaps, forks or is paused",
    fault_class="process",
    blast_radius="every ring waits for its doorbell; intake goes on",
    shows="publishing runs into its timeout of a second",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("redis",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
