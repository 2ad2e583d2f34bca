"""A fresh migrated database behind Django's default connection, as the application's role, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections

from config import address
from tests import servers


@contextmanager
def fresh_database() -> Iterator[servers.Database]:
    """Clone the migrated template and point the default connection at it; drop it afterwards."""
    pair = servers.running()
    pair.template("migrated", lambda template: migrate(template.owner_url))
    database = pair.clone("migrated")
    try:
        with pointed_at(database.app_url):
            yield database
    finally:
        database.drop()


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A plain connection, in autocommit, to see and to tamper with."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def superuser_url(database: servers.Database) -> str:
    """The superuser's address of the same database."""
    return servers.running().superuser_url(database.name)


def migrate(url: str) -> None:
    """Make the tables, as the owner."""
    with pointed_at(url):
        call_command("migrate", verbosity=0)


@contextmanager
def pointed_at(url: str, *, pool: int = 0, statement_seconds: float = 30.0) -> Iterator[None]:
    """Django's default connection goes there, in this and every new thread."""
    settings = connections["default"].settings_dict
    before = dict(settings)
    parts = address.parse("url", url)
    connections["default"].close()
    settings.update(
        NAME=parts.name,
        USER=parts.user,
        PASSWORD=parts.password,
        HOST=parts.hosts,
        PORT=parts.ports,
        STATEMENT_SECONDS=statement_seconds,
        OPTIONS={**before["OPTIONS"], **parts.options, "pool": {"size": pool, "wait_seconds": 1.0} if pool else None},
    )
    try:
        yield
    finally:
        connections["default"].close()
        if pool:
            connections["default"].close_pool()  # type: ignore[attr-defined]  # of config.postgres
        settings.clear()
        settings.update(before)
