"""The lowest door to Postgres: named statements, pipelines, proofs, ids and guards, for every app above.

A statement is a file `<package>/sql/<name>.sql`. It runs with server-side binding and is prepared once
per connection, on Django's own connection and inside Django's own transaction.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from django.db import InterfaceError, InternalError, OperationalError, connections
from psycopg.pq import TransactionStatus
from psycopg.types.json import JsonbLoader

Rows: TypeAlias = psycopg.Cursor[tuple[Any, ...]]
PREPARED_STATEMENTS_PER_CONNECTION_MAX = 200
STREAMED_ROWS_PER_FETCH = 2000


# What says that the database is away, or too slow, and nothing of what it was given.
AWAY: Final = (OperationalError, InterfaceError, InternalError)


class GuardFailed(Exception):
    """A guarded statement met another number of rows than it must: somebody else moved the state first."""


class _Route(threading.local):
    """Which of Django's databases this thread's statements go to."""

    alias = "default"


route = _Route()
observed: Callable[[str], AbstractContextManager[object]] | None = None
"""What goes around each named statement, by its name, where somebody looks so closely; in a pipeline: its sending."""


class Statements:
    """The named SQL statements of one package.

    `run` raises Django's own database errors outside a pipeline; inside one, an error that Postgres tells
    later is raised as psycopg's by the fetch that meets it, and as Django's once it leaves `pipeline()`.
    """

    def __init__(self, package: str) -> None:
        """Load every `sql/*.sql` of `package` once."""
        folder = resources.files(package) / "sql"
        self._texts: dict[str, bytes] = {
            file.name.removesuffix(".sql"): file.read_bytes() for file in folder.iterdir() if file.name.endswith(".sql")
        }

    def run(self, name: str, params: Mapping[str, Any]) -> Rows:
        """Run one statement on this thread's connection; in a pipeline its result is fetched later."""
        return self._observed(name, params, binary=False)

    def read(self, name: str, params: Mapping[str, Any]) -> Rows:
        """`run`, for many rows: they come as the server keeps them, which costs half of what text does here."""
        return self._observed(name, params, binary=True)

    def _observed(self, name: str, params: Mapping[str, Any], *, binary: bool) -> Rows:
        if observed is None:
            return self._execute(name, params, binary)
        with observed(name):
            return self._execute(name, params, binary)

    def _execute(self, name: str, params: Mapping[str, Any], binary: bool) -> Rows:
        cursor = psycopg.Cursor(_raw())
        _read_json(cursor)
        with _connection().wrap_database_errors:
            return cursor.execute(self._texts[name], params, prepare=True, binary=binary)

    def text(self, name: str) -> bytes:
        """The statement itself, for a connection that is not Django's."""
        return self._texts[name]

    def stream(self, name: str, params: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """The rows of a read too large to hold, through a server's cursor; inside a transaction only."""
        with (
            _connection().wrap_database_errors,
            psycopg.ServerCursor(_raw(), f"stream_{name}") as cursor,
        ):
            _read_json(cursor)
            cursor.itersize = STREAMED_ROWS_PER_FETCH
            yield from cursor.execute(self._texts[name], params)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements inside without waiting for each answer: one round trip, errors at the end.

    `with transaction.atomic(), pipeline():` waits once for the statements and once for the commit.
    """
    raw = _raw()
    # psycopg would send its BEGIN alone, and wait. It leaves that to us where it thinks that it commits by itself;
    # the commit stays Django's.
    begins = _connection().in_atomic_block and raw.info.transaction_status == TransactionStatus.IDLE
    if begins:
        raw.autocommit = True
    with _connection().wrap_database_errors, raw.pipeline():
        if begins:
            psycopg.Cursor(raw).execute(b"BEGIN", prepare=False)
        yield


def prove() -> None:
    """Prove that what this thread has just read is on a second node too: commit a write of our own after it.

    A row that is found may stand on this server alone, its commit in doubt; a commit that only read waits for no
    standby. So every answer or act that rests on a row found, with no write of its own after it, calls this first.
    Where there is no standby to wait for, nothing is written. Raises the database's errors: then nothing is proved.
    """
    connection = _connection()
    if connection.connection is None or connection.connection.closed:
        raise OperationalError("the connection that read is gone: nothing is proved")
    _own.run("prove", {})


def named(cursor: psycopg.Cursor[Any]) -> list[dict[str, Any]]:
    """Every row of a result, by column name."""
    names = _column_names(cursor)
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def first(cursor: psycopg.Cursor[Any]) -> dict[str, Any] | None:
    """The first row of a result, by column name, or None."""
    row = cursor.fetchone()
    return None if row is None else dict(zip(_column_names(cursor), row, strict=True))


def _column_names(cursor: psycopg.Cursor[Any]) -> list[str]:
    """`cursor.description` has them too, with an object for each that takes ten times as long."""
    result = cursor.pgresult
    return [] if result is None else [(result.fname(at) or b"").decode() for at in range(result.nfields)]


def expect(cursor: psycopg.Cursor[Any], rows: int) -> None:
    """Raise GuardFailed unless the statement met exactly `rows` rows (in a pipeline this waits for it)."""
    if cursor.rowcount < 0:
        _settle(cursor)
    if cursor.rowcount != rows:
        raise GuardFailed(f"expected {rows} rows, met {cursor.rowcount}")


class _Clock:
    """The last (milliseconds, counter) given out, so that ids of one process rise strictly; and randomness ahead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = 0
        self._counter = 0
        self.forget()

    def forget(self) -> None:
        """A child must not give out what its parent has."""
        self._random, self._taken = b"", 0

    def next(self) -> tuple[int, int, int]:
        """Milliseconds, counter, and 48 random bits."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            return self._rise(now_ms)

    def several(self, count: int) -> list[tuple[int, int, int]]:
        """As many of them, in their order."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            return [self._rise(now_ms) for _ in range(count)]

    def _rise(self, now_ms: int) -> tuple[int, int, int]:
        at = self._taken
        if at >= len(self._random):
            self._random, at = os.urandom(_RANDOM_BYTES), 0
        self._taken = at + 6
        chance = int.from_bytes(self._random[at : at + 6], "big")
        if now_ms > self._ms:
            self._ms, self._counter = now_ms, int.from_bytes(os.urandom(4)) & _COUNTER_SEED_MASK
        elif self._counter < _COUNTER_MAX:
            self._counter += 1
        else:
            self._ms, self._counter = self._ms + 1, 0
        return self._ms, self._counter, chance


_COUNTER_MAX = (1 << 26) - 1
_COUNTER_SEED_MASK = (1 << 25) - 1
_RANDOM_BYTES = 6 * 512  # asked for once for so many ids: the system call costs as much as the rest of an id
_clock = _Clock()
os.register_at_fork(after_in_child=_clock.forget)


def uuid7() -> UUID:
    """A UUIDv7 of RFC 9562: 48 bits of Unix milliseconds, a counter of 26 bits, 48 random bits.

    Ids of one process rise strictly (section 6.2, method 1), also when its clock steps back.
    """
    return UUID(int=_number(*_clock.next()))


def uuid7_at(*, one: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((one.int >> 80) / 1000, UTC)


def uuid7_texts(*, count: int) -> list[str]:
    """`uuid7`, as many as 32 hex digits each, for a document: a UUID object costs as much as its number."""
    return [f"{_number(*parts):032x}" for parts in _clock.several(count)]


def _number(ms: int, counter: int, chance: int) -> int:
    return ms << 80 | 0x7 << 76 | (counter >> 14) << 64 | 0b10 << 62 | (counter & 0x3FFF) << 48 | chance


_own: Final = Statements("billing")


def _connection() -> Any:
    return connections[route.alias]


def _raw() -> psycopg.Connection[tuple[Any, ...]]:
    connection = _connection()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw: psycopg.Connection[tuple[Any, ...]] = connection.connection
    if raw.prepare_threshold is None:
        # Django switches preparing off; its own cursors bind on the client and are never prepared anyway.
        raw.prepare_threshold = 5
        raw.prepared_max = PREPARED_STATEMENTS_PER_CONNECTION_MAX
    return raw


def _read_json(cursor: psycopg.Cursor[Any]) -> None:
    # Django makes its connections hand out jsonb as text, for fields of its own to decode.
    cursor.adapters.register_loader("jsonb", JsonbLoader)


def _settle(cursor: psycopg.Cursor[Any]) -> None:
    with cursor.connection.pipeline():
        pass  # entering a pipeline that runs already fetches everything that was sent
