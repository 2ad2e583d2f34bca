"""Prometheus stands still: its rules are evaluated no more."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="prometheus-frozen",
    imitates="a monitoring host that is out of memory, or paused",
    fault_class="process",
    blast_radius="alerts for half a minute; then the watch decides alone, and the service itself is not affected",
    shows="`./manage.py alerts --json` says by whom it was decided what fires: prometheus, and then watch",
    undone="SIGCONT, children first.",
    targets=("prometheus",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
)
