"""A fresh migrated database behind Django's default connection, as the application's role, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.management import call_command
from django.db import connections

from tests import servers


@contextmanager
def fresh_database() -> Iterator[servers.Database]:
    """Clone the migrated template and point the default connection at it; drop it afterwards."""
    pair = servers.running()
    pair.template("migrated", _migrate)
    database = pair.clone("migrated")
    try:
        with _pointed_at(database.app_url):
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


def _migrate(database: servers.Database) -> None:
    with _pointed_at(database.owner_url):
        call_command("migrate", verbosity=0)


@contextmanager
def _pointed_at(url: str) -> Iterator[None]:
    settings = connections["default"].settings_dict
    before = dict(settings)
    parts = urlsplit(url)
    connections["default"].close()
    settings.update(
        NAME=parts.path.lstrip("/"),
        USER=unquote(parts.username or ""),
        PASSWORD=unquote(parts.password or ""),
        HOST=parts.hostname,
        PORT=str(parts.port),
        OPTIONS={name: value for name, value in before["OPTIONS"].items() if name != "pool"},
    )
    try:
        yield
    finally:
        connections["default"].close()
        settings.clear()
        settings.update(before)
