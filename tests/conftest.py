"""Fixtures of every test: a fresh database that commits, who may see into it, a carrier that obeys, a world to drive.

Nothing here starts a server for tests that ask for none. Django's own test database is never made.
"""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import psycopg
import pytest

from tests import environment

environment.load()

from pytest_django import DjangoDbBlocker  # noqa: E402

from tests import databases, servers  # noqa: E402
from tests.acceptance.system import Systems  # noqa: E402
from tests.world.world import World  # noqa: E402

# How long an example takes says how busy the machine is. Where CI says so, the examples are the same each time.
hypothesis.settings.register_profile(
    "ringback",
    parent=hypothesis.settings.get_profile("ci" if "CI" in os.environ else "default"),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ringback")

ASK_FOR_DATABASE = "ask for the fixture `database`: a fresh one that commits; Django's own test database is never made"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=0, help="how many more histories the simulation walks")
    parser.addoption("--history", type=int, default=None, help="the seed of the one history to walk")


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """In place of pytest-django's: its database is not used."""
    pytest.fail(ASK_FOR_DATABASE)


@pytest.fixture(scope="session")
def systems() -> Iterator[Systems]:
    """The whole systems that run, by name; none until a test asks for one."""
    running = Systems()
    yield running
    running.close()


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[servers.Database]:
    """A fresh migrated database, used as the application's role; what is committed is dropped with it."""
    with django_db_blocker.unblock(), databases.fresh_database() as fresh:
        yield fresh


@pytest.fixture
def owner(database: servers.Database) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """The owner's connection to the same database, in autocommit: to plant and to look."""
    with databases.connected(database.owner_url) as connection:
        yield connection


@pytest.fixture
def superuser(database: servers.Database) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """The superuser's connection to the same database, in autocommit: for what not even the owner may."""
    with databases.connected(databases.superuser_url(database)) as connection:
        yield connection


@pytest.fixture
def redis_url() -> str:
    """The Redis database of this worker of the run."""
    return servers.running().redis_url_of_worker()


@pytest.fixture
def world(superuser: psycopg.Connection[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> World:
    """The product in this process, driven by hand: a stopped clock, an obedient carrier, points to die at."""
    return World(superuser, monkeypatch)
