"""A connection that knows when it is dead: it is given up after a silence, closed once its server cannot write, and
an answer that only this server has is an error.

psycopg waits in one place, `wait`, with a time-out of its own: no thread watches, and a statement costs a few
instructions more. Closing shuts the socket, so a server that was stopped, whose kernel still keeps its connections
alive, holds nobody.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.errors import Diagnostic

from billing import breaker, deadline
from config.postgres import servers
from config.postgres.servers import Server

# What a server says that is no primary any more, or that goes: 25006 it takes no writes, 57P01-05 and 25P03 it ended
# this connection, 08 the link broke.
DEAD: Final = frozenset({"25006", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03"})
WAITED: Final = "SyncRepWaitForLSN"  # the server's function that warns, whatever its language
WAITED_SAID: Final = "synchronous replication"
INTERVAL_SECONDS: Final = 0.1  # psycopg's own: how often a wait looks at its time


class Silent(psycopg.OperationalError):
    """The server said nothing within its time. Whether it has done what was asked is not known."""


class Late(psycopg.OperationalError):
    """This thread's time was over before anything was sent."""


class InDoubt(psycopg.OperationalError):
    """Committed on this server, but not known to be on another one: the server stopped waiting for its standby."""


class Guarded(psycopg.Connection[Any]):
    """One connection. `statement_seconds` is how long one statement may take, None for ever."""

    statement_seconds: float | None = None
    trips = False  # whether what it meets opens the process's breaker
    lost: Callable[[], None] | None = None  # called once when it is found dead
    server: Server = ("", "")
    generation = 0  # its pool's, and its age
    born_at = 0.0
    in_doubt = False  # its server has stopped waiting for a standby

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_notice_handler(self._notice)

    @classmethod
    def open(cls, *, statement_seconds: float | None, without: Server | None = None, **params: Any) -> "Guarded":
        """Connect to the first server that will do, the most promising first; `without` leaves one of several out.

        Raises psycopg.OperationalError.
        """
        found = servers.split(params.get("host", ""), str(params.get("port", "")))
        if len(found) > 1:
            found = [server for server in found if server != without]
        if "," not in params.get("host", "") or params.get("target_session_attrs") != "read-write":
            connection = cls.connect(**params)  # psycopg knows the other wishes, such as prefer-standby
        else:
            connection = cls._first(servers.in_order(found), params)
        connection.server = (connection.info.host, str(connection.info.port))
        connection.statement_seconds = statement_seconds
        return connection

    @classmethod
    def _first(cls, candidates: list[Server], params: dict[str, Any]) -> "Guarded":
        failures = []
        for server in candidates:
            host, port = server
            try:
                connection = cls.connect(**{**params, "host": host, "port": port})
            except psycopg.errors.ConnectionTimeout as error:
                servers.was_silent(server)
                failures.append(f"{host}:{port}: {error}")
            except psycopg.OperationalError as error:
                failures.append(f"{host}:{port}: {error}")
            else:
                servers.wrote(server)
                return connection
        raise psycopg.OperationalError("no server takes writes: " + "; ".join(failures))

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, "Guarded"]:
        """psycopg's connecting, which knows whole seconds from two on, within this thread's time besides."""
        rest = deadline.left(None)
        steps = super()._connect_gen(conninfo)
        if rest is None:
            return (yield from steps)
        ends_at = time.monotonic() + rest
        ready: Any = None
        while True:
            try:
                step = steps.send(ready)
            except StopIteration as done:
                connection: Guarded = done.value
                return connection
            if time.monotonic() >= ends_at:
                steps.close()
                raise psycopg.errors.ConnectionTimeout("this thread's time was over")
            ready = yield step

    def wait(self, gen: Any, interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Any:
        """Wait for the server as psycopg does, within this thread's time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)  # somebody who waits for notices, not for an answer
        left = deadline.left(self.statement_seconds)
        if left == 0.0:
            raise Late("this thread's time for the database was over")
        try:
            found = super().wait(gen, interval, left)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # psycopg: "convert it to a public one"
            servers.was_silent(self.server)
            self._die(breaker.SILENT)
            raise Silent("the server did not answer within its time; the connection was closed") from None
        except psycopg.Error as error:
            if self.pgconn.status == pq.ConnStatus.BAD or is_dead(error):
                self._die(None)
            raise
        if self.in_doubt:
            self._die(breaker.IN_DOUBT)
            raise InDoubt("committed on this server only: it stopped waiting for its standby")
        return found

    def _notice(self, said: Diagnostic) -> None:
        if said.source_function == WAITED or WAITED_SAID in (said.message_primary or ""):
            self.in_doubt = True

    def _die(self, why: str | None) -> None:
        """Close it, tell the pool once, and open the breaker where the server itself is in question."""
        self.close()
        lost, self.lost = self.lost, None
        if lost is not None:
            lost()
        if why is not None and self.trips:
            breaker.trip(why=why)


def is_dead(error: psycopg.Error) -> bool:
    """Whether this error means that the connection is of no more use for writing."""
    state = error.sqlstate or ""
    return state in DEAD or state.startswith("08")
