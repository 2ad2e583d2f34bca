"""An old snapshot is held open, and no dead row can be cleaned up."""

from deploy.lab.injection import held, measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import primaries, superuser_url


def inject(scene: Scene) -> None:
    url = superuser_url(scene.home, listeners(scene.home)[scene.target])
    statements = ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM reminders_timer", "SELECT 1"]
    held.hold(scene, "sql", url=url, name="lab-snapshot", statements=statements, connections=1)


def bites(scene: Scene) -> Bite:
    """How old the snapshot of the lab's session is."""
    query = """
        SELECT count(*), coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8 FROM pg_stat_activity
         WHERE application_name = 'lab-snapshot' AND backend_xmin IS NOT NULL
    """
    (held_open, seconds) = measures.sql(scene.home, query, node=scene.target)[0]
    return Bite(bites=held_open > 0, measured=f"{held_open} old snapshots, the oldest of {seconds:.1f} s")


FAULT = Fault(
    name="snapshot-pinned",
    imitates="a forgotten transaction, a backup that takes all night, a standby's feedback",
    fault_class="latency",
    blast_radius="hot tables: dead rows pile up, and scans of them grow slower by the hour",
    shows="an old xmin in pg_stat_activity; claims that take longer and longer",
    undone="The session is ended.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(Way(name="snapshot", how="A session opens a REPEATABLE READ transaction, reads, and stays.", inject=inject),),
    bites=bites,
    pick=primaries,
)
