"""Time that stands still until it is told to step, for Postgres and for Python at once.

`now()` of the statements is resolved through the search path: a schema of the test stands before `pg_catalog`. What is
stepped is the clock that leases, timers and dates compare on; nothing in the product knows of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from reminders.clock import Looker

START: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

_INSTALL: Final = (
    "CREATE SCHEMA stopped",
    "CREATE TABLE stopped.clock (at timestamptz NOT NULL)",
    """CREATE FUNCTION stopped.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
       AS 'SELECT at FROM stopped.clock'""",
    "GRANT USAGE ON SCHEMA stopped TO PUBLIC",
    "GRANT SELECT ON stopped.clock TO PUBLIC",
)


class Clock:
    """The one clock of a test: of the database, of the edges, and of the looker (whose boot may change)."""

    def __init__(self, superuser: psycopg.Connection[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
        self.superuser = superuser
        self.now = START
        self.boot = 1
        self.monotonic_offset_seconds = 0.0
        self.skew_seconds = 0.0  # how far the hosts' clocks are from the database's
        for statement in _INSTALL:
            superuser.execute(statement)
        superuser.execute("INSERT INTO stopped.clock VALUES (%s)", [self.now])
        name = superuser.info.dbname
        superuser.execute(f'ALTER DATABASE "{name}" SET search_path = stopped, pg_catalog, public')
        connection.close()  # the next one finds the new search path
        monkeypatch.setattr(timezone, "now", self.host_now)

    def step(self, seconds: float) -> None:
        """Move every clock on."""
        self.set(self.now + timedelta(seconds=seconds))

    def set(self, at: datetime) -> None:
        """Move every clock to an instant."""
        self.now = at
        self.superuser.execute("UPDATE stopped.clock SET at = %s", [at])

    def host_now(self) -> datetime:
        """What a process reads from its host's clock."""
        return self.now + timedelta(seconds=self.skew_seconds)

    def monotonic(self) -> float:
        """The looker's monotonic clock, in seconds since its boot."""
        return (self.now - START).total_seconds() + self.monotonic_offset_seconds

    def reboot(self) -> None:
        """Another boot: its monotonic clock starts anew."""
        self.boot += 1
        self.monotonic_offset_seconds = -(self.now - START).total_seconds()

    def looker(self) -> Looker:
        return Looker(boot=f"boot-{self.boot}", monotonic_ms=round(self.monotonic() * 1000))
