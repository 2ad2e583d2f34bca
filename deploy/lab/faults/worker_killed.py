"""A worker dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="worker-killed",
    imitates="a crash between the carrier's reply and our commit",
    fault_class="process",
    blast_radius="the calls that it was placing: their outcome is unknown until it is looked up",
    shows="attempts stay intended until recovery looks them up",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("worker-*",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
