"""Reads that may lag go to a replica, once it has replayed everything that the primary had written by then.

For reports to people only: nothing about money or delivery is decided here. The import linter names who may read so.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.db import Error as DatabaseError
from django.db import connections

from billing import breaker, deadline
from billing.database import route

ALIAS: Final = "replica"
REPLAY_SECONDS: Final = 0.05  # how long a replica may take to catch up before the primary is read
PRIMARY_SECONDS: Final = 1.0  # how long the primary may take to say how far it is
POLL_SECONDS: Final = 0.001
WRITTEN: Final = "SELECT pg_current_wal_insert_lsn()::text"
REPLAYED: Final = "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= %s::pg_lsn"
REACHED: Final = "SELECT true"


class Router:
    """Django's own queries follow the route of this thread."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:  # noqa: ARG002  # Django's signature
        return None if route.alias == "default" else route.alias

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:  # noqa: ARG002  # Django's signature
        return False if db == ALIAS else None


@contextmanager
def reading() -> Iterator[str]:
    """Send this thread's reads to a replica that shows every write committed before now, or else to the primary.

    Yields Django's alias for it. Where no primary answers, the replica is read as it is: late, and better than nothing.
    """
    before = route.alias
    route.alias = _choose()
    try:
        yield route.alias
    finally:
        route.alias = before


def _choose() -> str:
    if ALIAS not in connections.settings:
        return "default"
    written = _written()
    if _has_replayed(written):
        return ALIAS
    return "default"


def _written() -> str | None:
    """How far the primary has written; None where it does not say."""
    if breaker.is_open():
        return None
    with suppress(DatabaseError), deadline.within(seconds=PRIMARY_SECONDS), connections["default"].cursor() as cursor:
        cursor.execute(WRITTEN)
        row = cursor.fetchone()
        return str(row[0]) if row else None
    return None


def _has_replayed(written: str | None) -> bool:
    ends_at = time.monotonic() + REPLAY_SECONDS
    try:
        with connections[ALIAS].cursor() as cursor:
            while True:
                if written is None:
                    cursor.execute(REACHED)
                else:
                    cursor.execute(REPLAYED, [written])
                row = cursor.fetchone()
                if row is not None and row[0]:
                    return True
                if time.monotonic() >= ends_at:
                    return False
                time.sleep(POLL_SECONDS)
    except DatabaseError:
        connections[ALIAS].close()
        return False
