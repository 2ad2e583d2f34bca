"""The database engine: Django's own, whose pool tells by the socket whether a connection may be handed out.

A server that ended a connection has closed its socket, or has written its last words to it; both make an idle
socket readable. Only then is the server asked (Django asks at each checkout, which was a fifth of an intake). A link
that went silent is found by the statement's own deadline.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


def check(connection: "psycopg.Connection[Any]") -> None:
    """Raise psycopg.OperationalError where an idle connection has ended; called by the pool at each checkout."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend; only the pool's check is ours."""

    @property
    def pool(self) -> Any:
        """Django's pool for this alias. Django names its check itself, and takes no other by an option."""
        pool = super().pool
        if pool is not None:
            pool._check = check  # noqa: SLF001  # see above
        return pool
