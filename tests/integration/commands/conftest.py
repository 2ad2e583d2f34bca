"""A history to command over: played, and cloned for each test."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from reminders import wiring
from tests import databases, servers
from tests.integration.commands.played import POLICY, BookedCarrier, played


@pytest.fixture
def world(django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[servers.Database, BookedCarrier]]:
    """The history's database, used as the application's role, and the carrier's books."""
    with django_db_blocker.unblock(), played() as world:
        yield world


@pytest.fixture
def carrier(world: tuple[servers.Database, BookedCarrier], monkeypatch: pytest.MonkeyPatch) -> BookedCarrier:
    """The carrier, also for the commands."""
    monkeypatch.setattr(wiring, "carrier", lambda: world[1])
    monkeypatch.setattr(wiring, "policy", lambda: POLICY)
    return world[1]


@pytest.fixture
def planter(world: tuple[servers.Database, BookedCarrier]) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A superuser whom no trigger and no foreign key stops: what a break needs that the database would refuse."""
    with databases.connected(databases.superuser_url(world[0])) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection
