"""A dispatcher dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="dispatcher-killed",
    imitates="a crash between claiming and ringing the doorbell",
    fault_class="process",
    blast_radius="timers that it had claimed: they wait for their lease",
    shows="nothing is claimed until another dispatcher, or its successor, looks",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("dispatch-*",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
