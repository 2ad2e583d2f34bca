"""An older copy of the data is put in its place, by other means than ours, while everything runs."""

from deploy.lab.injection import swapped
from deploy.lab.injection.fault import Fault, Way

FAULT = Fault(
    name="data-swapped",
    imitates="an older disk, a snapshot of the machine, a copy that somebody put back and told nobody of",
    fault_class="correctness",
    blast_radius="everybody: opened as it is, it would ring, charge and text people a second time",
    shows="every process refuses the database; texts wait in the spool, or are refused where there is none",
    undone="`./manage.py release`, unless somebody called it: what is missing is rebuilt from the carrier's books.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(
        Way(
            name="copy",
            how="kill -9 of the server, and a copy of its data; when it has committed again, kill -9, and the copy in"
            " the place of the data.",
            inject=swapped.swap,
        ),
    ),
    bites=swapped.is_closed,
    pick=swapped.alone,
    heal_seconds=120,
)
