"""A standby's whole node dies."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault
from deploy.lab.injection.targets import standbys

FAULT = Fault(
    name="standby-killed",
    imitates="a host that loses its power",
    fault_class="database",
    blast_radius="reads of that standby; with another one commits go on",
    shows="one synchronous candidate less",
    undone="The supervisor starts it again.",
    targets=("postgres-*",),
    needs=("standbys",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    pick=standbys,
    heal_seconds=120,
)
