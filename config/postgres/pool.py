"""The connections of one process: made where they are needed, kept idle, and all dropped when their server is lost.

No threads and no retries: a connection is made by the thread that wants it, which hears at once where that fails, and
the breaker keeps everybody else from trying. A server that ended a connection has closed its socket, or has written
its last words to it; both make an idle socket readable, so handing one out costs no round trip.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import psycopg

from billing import breaker, deadline
from config.postgres.connection import Guarded
from reminders.lineage import Quarantined

LIFE_SECONDS: Final = 3600.0  # what a server's process has gathered by then is given back


class Busy(psycopg.OperationalError):
    """Every connection was in use for as long as this thread could wait."""


class Refused(psycopg.OperationalError):
    """The breaker is open: nothing was sent, nothing was changed."""


class Pool:
    """At most `size` connections at once; who finds none free waits `wait_seconds`."""

    close_returns = False  # psycopg asks: closing a connection closes it

    def __init__(self, *, connect: Callable[[], Guarded], size: int, wait_seconds: float) -> None:
        self.size = size
        self._connect = connect
        self._wait_seconds = wait_seconds
        self._free = threading.BoundedSemaphore(size)
        self._idle: deque[Guarded] = deque()
        self._generation = 0

    def getconn(self) -> Guarded:
        """A connection to a server that takes writes. Raises Refused, Busy, and what connecting raises."""
        if breaker.is_open():
            raise Refused(f"the database's breaker is open ({breaker.reason()}): nothing was sent")
        if not self._free.acquire(timeout=deadline.left(self._wait_seconds) or 0.0):
            raise Busy(f"all {self.size} connections were in use for {self._wait_seconds:g} s")
        try:
            return self._kept() or self._new()
        except BaseException:
            self._free.release()
            raise

    def putconn(self, connection: Guarded) -> None:
        """Take it back; one that is not idle, or not of the present server, is closed."""
        try:
            if self._is_fit(connection):
                self._idle.append(connection)
            else:
                connection.close()
        finally:
            self._free.release()

    def drain(self) -> None:
        """Drop every idle connection, and each that is in use once it comes back: their server is lost."""
        self._generation += 1
        while (connection := self._pop()) is not None:
            connection.close()

    def open(self) -> None:
        """Django asks for it; there is nothing to open."""

    def close(self) -> None:
        """Drop every idle connection."""
        self.drain()

    def _kept(self) -> Guarded | None:
        while (connection := self._pop()) is not None:
            if self._is_fit(connection) and not _is_readable(connection):
                return connection
            connection.close()
        return None

    def _new(self) -> Guarded:
        generation = self._generation
        try:
            connection = self._connect()
        except psycopg.OperationalError as error:
            breaker.trip(why=breaker.QUARANTINED if isinstance(error, Quarantined) else breaker.AWAY)
            raise
        connection.generation = generation
        connection.born_at = time.monotonic()
        connection.trips = True
        connection.lost = self.drain
        connection._pool = self  # type: ignore[assignment]  # noqa: SLF001  # where Django looks for it
        return connection

    def _is_fit(self, connection: Guarded) -> bool:
        return (
            connection.generation == self._generation
            and connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
            and time.monotonic() - connection.born_at < LIFE_SECONDS
        )

    def _pop(self) -> Guarded | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _is_readable(connection: Guarded) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
