"""A standby's whole node stands still."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault
from deploy.lab.injection.targets import standbys

FAULT = Fault(
    name="standby-frozen",
    imitates="a paused virtual machine",
    fault_class="database",
    blast_radius="commits that wait for it, until the other standby confirms",
    shows="commits go on by the other standby; the slot keeps WAL",
    undone="SIGCONT, children first.",
    targets=("postgres-*",),
    needs=("standbys",),
    ways=(struck.FREEZE,),
    bites=struck.is_silent,
    pick=standbys,
    heal_seconds=120,
)
