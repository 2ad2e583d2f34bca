"""Somebody holds a table's strongest lock and goes to lunch."""

from deploy.lab.injection import held, measures
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import primaries, superuser_url


def inject(scene: Scene) -> None:
    table = str(scene.options["table"])
    if not table.replace("_", "").isalnum():
        raise FaultError(f"{table!r} is no table of ours.")
    url = superuser_url(scene.home, listeners(scene.home)[scene.target])
    held.hold(
        scene,
        "sql",
        url=url,
        name="lab-lock",
        statements=[f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", "SELECT 1"],
        connections=1,
    )


def bites(scene: Scene) -> Bite:
    """Whether the weakest lock on that table can be had within 0.3 s."""
    table = str(scene.options["table"])
    try:
        measures.sql(
            scene.home,
            f"SET lock_timeout = '300ms'; LOCK TABLE {table} IN ACCESS SHARE MODE; SELECT 1",
            node=scene.target,
        )
    except FaultError as problem:
        return Bite(bites="lock timeout" in str(problem), measured=str(problem).splitlines()[0])
    return Bite(bites=False, measured=f"{table} can be read")


FAULT = Fault(
    name="lock-convoy",
    imitates="a migration without a lock timeout, a forgotten psql",
    fault_class="latency",
    blast_radius="every statement on that table: they queue behind each other",
    shows="lock timeouts after 2 s; pools fill with those who wait",
    undone="The session that holds the lock is ended.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    options={"table": "reminders_timer"},
    ways=(Way(name="lock", how="A session takes ACCESS EXCLUSIVE on `table` and keeps it.", inject=inject),),
    bites=bites,
    pick=primaries,
)
