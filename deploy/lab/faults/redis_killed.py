"""Redis dies at once."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="redis-killed",
    imitates="a crash of the broker",
    fault_class="process",
    blast_radius="doorbells under way; nothing that was accepted",
    shows="publishing fails within its bound; timers are claimed again after their lease",
    undone="The supervisor starts it again; healing waits until it serves.",
    targets=("redis",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    heal_seconds=60,
)
