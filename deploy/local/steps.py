"""What is done once at a start, between the programs that stay: each is waited for by whoever needs it."""

from typing import Final

from deploy.local import etcd, ports, replicated
from deploy.local.decisions import MEMBERS
from deploy.local.etcd import Etcd
from deploy.local.home import REPOSITORY
from deploy.local.place import alone, python
from deploy.local.program import Program
from deploy.local.settings import System

PASSWORD: Final = "etcd-password"  # noqa: S105  # a step's name
DATABASE: Final = ("postgres-1", "cluster")  # whichever there is says that the database takes writes


def cluster(system: System) -> Program:
    """The step that ends when something can be committed; not before that anybody may ask for it."""
    place = alone(system, "cluster")
    nodes = [str(system.ports.patroni + number) for number in range(replicated.NODES)]
    return Program(
        name="cluster",
        command=python("-m", "deploy.local.cluster_wait", *nodes),
        environment={**place.identity(), "PYTHONUNBUFFERED": "1"},
        directory=REPOSITORY,
        once=True,
        ready_seconds=120,
    )


def migrations(system: System) -> Program:
    """The step that makes the tables, and the staff's sign-in."""
    place = alone(system, "migrations")
    return Program(
        name="migrations",
        command=python("manage.py", "prepare"),
        environment=place.environment(
            {
                "RINGBACK_STAFF_PASSWORD_FILE": str(system.home.secrets / "staff_password"),
                "OTEL_EXPORTER_OTLP_ENDPOINT": "",  # before its tables stand nothing can say who is under watch
            }
        ),
        directory=REPOSITORY,
        needs=DATABASE,
        once=True,
        ready_seconds=120,
    )


def heal(system: System, *, needs: tuple[str, ...]) -> Program:
    """The last run was broken on purpose and never healed: done once everything serves."""
    place = alone(system, "lab-heal")
    return Program(
        name=place.name,
        command=python("-m", "deploy.lab.injection.later", str(system.home.root), "", "0"),
        environment=place.identity(),
        directory=REPOSITORY,
        needs=needs,
        once=True,
    )


def etcd_password(system: System) -> Program:
    """The step after which etcd answers nobody who does not know the password."""
    place = alone(system, PASSWORD)
    secret = system.home.secrets / etcd.SECRET
    system.home.secret(etcd.SECRET)
    return Program(
        name=PASSWORD,
        command=python("-m", "deploy.local.etcd_password", f"{ports.HOST}:{system.ports.etcd}", str(secret)),
        environment={**place.identity(), "PYTHONUNBUFFERED": "1"},
        directory=REPOSITORY,
        needs=tuple(f"{Etcd.kind}-{number}" for number in range(1, MEMBERS + 1)),
        once=True,
        ready_seconds=60,
    )
