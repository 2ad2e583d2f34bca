"""Somebody runs heavy reports on the primary."""

from deploy.lab.injection import held, measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import primaries, superuser_url

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lab-report'"


def inject(scene: Scene) -> None:
    url = superuser_url(scene.home, listeners(scene.home)[scene.target])
    report = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
    # A server that computes does not notice that its client has gone.
    scene.will("sql", node=scene.target, statement=_END)
    held.hold(
        scene, "sql", url=url, name="lab-report", statements=[report], connections=int(scene.options["connections"])
    )


def bites(scene: Scene) -> Bite:
    """How many reports have been running for more than half a second."""
    query = """
        SELECT count(*) FROM pg_stat_activity
         WHERE application_name = 'lab-report' AND state = 'active' AND now() - query_start > interval '0.5 s'
    """
    (running,) = measures.sql(scene.home, query, node=scene.target)[0]
    return Bite(bites=running > 0, measured=f"{running} reports run on {scene.target}")


FAULT = Fault(
    name="slow-query",
    imitates="an analyst with production access, a missing index",
    fault_class="latency",
    blast_radius="the database's processors, and whoever waits for them",
    shows="every statement is slower; long entries in pg_stat_activity",
    undone="The sessions are ended, by pg_terminate_backend too.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    options={"connections": 2},
    ways=(Way(name="report", how="`connections` sessions count a product of a billion billion rows.", inject=inject),),
    bites=bites,
    pick=primaries,
    heal_seconds=60,
)
