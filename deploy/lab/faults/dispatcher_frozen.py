"""A dispatcher stands still and keeps its connections."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="dispatcher-frozen",
    imitates="a paused virtual machine that wakes up with old claims",
    fault_class="process",
    blast_radius="timers that it had claimed; where it is the only one, every ring",
    shows="lateness grows and no error is counted anywhere",
    undone="SIGCONT, children first; healing waits until it serves.",
    targets=("dispatch-*",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    heal_seconds=60,
)
