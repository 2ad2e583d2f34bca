"""The watch stands still: nobody looks."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="watch-frozen",
    imitates="a paused virtual machine, a monitoring host that is forgotten",
    fault_class="process",
    blast_radius="nobody is warned of anything; the service itself is not affected",
    shows="nothing fires any more, whatever happens; the pages say since when nobody has looked",
    undone="SIGCONT, children first.",
    targets=("watch",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
)
