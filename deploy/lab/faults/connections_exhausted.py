"""Every connection of the database is taken."""

import psycopg

from deploy.lab.injection import held
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import primaries
from deploy.local import postgres


def inject(scene: Scene) -> None:
    held.hold(scene, "connections", url=_url(scene))


def bites(scene: Scene) -> Bite:
    """Whether the application's role gets a new connection."""
    try:
        with psycopg.connect(_url(scene), connect_timeout=2):
            return Bite(bites=False, measured="a new connection was given")
    except psycopg.OperationalError as problem:
        return Bite(
            bites="slots" in str(problem) or "too many" in str(problem), measured=str(problem).strip().splitlines()[-1]
        )


def _url(scene: Scene) -> str:
    password = scene.home.secret("postgres_app_password")
    return postgres.url(postgres.APPLICATION, password, port=listeners(scene.home)[scene.target])


FAULT = Fault(
    name="connections-exhausted",
    imitates="a pool that leaks, a deploy that runs twice the instances",
    fault_class="database",
    blast_radius="whoever needs a new connection; pools that are filled go on; those reserved for operators remain",
    shows="remaining connection slots are reserved; pools that cannot grow",
    undone="Whoever holds them ends.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(
        Way(
            name="connections",
            how="A process takes every connection that the application's role can get.",
            inject=inject,
        ),
    ),
    bites=bites,
    pick=primaries,
    heal_seconds=60,
)
