"""The primary's whole node dies."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault
from deploy.lab.injection.targets import primaries

FAULT = Fault(
    name="postgres-primary-killed",
    imitates="a host that loses its power",
    fault_class="database",
    blast_radius="every write until it is back, or until a standby is promoted",
    shows="connections end; in-doubt commits; /readyz says no, or spool",
    undone="The supervisor starts it again.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(struck.KILL,),
    bites=struck.is_gone,
    pick=primaries,
    heal_seconds=90,
)
