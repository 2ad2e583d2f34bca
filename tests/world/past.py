"""A world whose database can be put back: to a copy that was made of it at an earlier moment."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection, connections

from tests import databases, servers
from tests.world.world import World


class Past:
    """Copies of one world's database."""

    def __init__(self, world: World, database: servers.Database) -> None:
        self._world = world
        self._present = database
        self.copies: list[servers.Database] = []
        self.moment = world.clock.now  # what the present database was put back to
        self._moments: dict[str, datetime] = {}

    def keep(self, *, moment: datetime | None = None) -> servers.Database:
        """A copy of everything as it is now; `moment`: what it was put back to, if nothing has happened since."""
        copy = servers.running().database(f"test_{secrets.token_hex(8)}")
        self._leave()
        with psycopg.connect(self._present.admin_url, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{copy.name}" TEMPLATE "{self._present.name}"')
            # What the clock of the world set on the database itself is not copied with it.
            admin.execute(f'ALTER DATABASE "{copy.name}" SET search_path = stopped, pg_catalog, public')
        self.copies.append(copy)
        self._moments[copy.name] = moment or self._world.clock.now
        self._look_at(self._present)
        return copy

    def restore(self, copy: servers.Database) -> None:
        """The world goes on with the copy; its clock and its carrier do not go back."""
        self._leave()
        connections["default"].settings_dict["NAME"] = copy.name
        self._present = copy
        self.moment = self._moments[copy.name]
        self._look_at(copy)
        self._world.clock.set(self._world.clock.now)

    def _leave(self) -> None:
        connection.close()
        self._world.see.close()

    def _look_at(self, database: servers.Database) -> None:
        see: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(databases.superuser_url(database), autocommit=True)
        self._world.see = self._world.clock.superuser = see


@contextmanager
def kept(world: World, database: servers.Database) -> Iterator[Past]:
    """A past for a test; its copies are dropped at the end."""
    past = Past(world, database)
    try:
        yield past
    finally:
        world.see.close()
        connection.close()
        for copy in past.copies:
            copy.drop()
