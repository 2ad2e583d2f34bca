"""The carrier dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-killed",
    imitates="the carrier's data centre restarts",
    fault_class="process",
    blast_radius="calls and texts in its memory are kept in its journal; requests in flight are unknown",
    shows="creates are refused; outcomes in flight are unknown",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("carrier*",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
