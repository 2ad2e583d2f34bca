"""The probe: one thread of a process asks, on a connection of its own, whether the database takes a write.

A web instance asks all the time, for /readyz; any other process only while its breaker is open, which a probe's write
shuts. At most one write of it waits at a server: where that server commits nothing, the same write goes on waiting
while, once a second, the others are asked whether one of them has become the primary.
"""

import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog
from psycopg import pq

from billing import breaker
from config.postgres import servers
from config.postgres.connection import Guarded
from config.postgres.servers import Server
from reminders import metrics, witness
from reminders.lineage import Quarantined

log = structlog.get_logger()

EVERY_SECONDS: Final = 0.5
AGAIN_SECONDS: Final = 0.2  # while no server takes writes: a connection that is refused leaves nothing behind
PATIENT_AFTER_SECONDS: Final = 10.0
PATIENTLY_SECONDS: Final = 1.0
ELSEWHERE_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.05
STALE_SECONDS: Final = 3.0
# A write where there is a standby to wait for; where there is none, asking is enough.
WRITE: Final = b"""
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off',
       CASE WHEN current_setting('synchronous_standby_names') <> ''
            THEN pg_logical_emit_message(true, 'ringback', 'probe') END
"""


# A connection to a server that takes writes, but to that one where there are others.
Connect = Callable[[Server | None], Guarded]
# An address may lead to another server than before: whoever stands behind it says since when it runs.
WHO: Final = "SELECT pg_postmaster_start_time()"


class Probe:
    """What it is asked with, and what it saw last."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: Guarded | None = None
        self._who: Any = None  # the server behind it
        self._always = False
        self._ended = False
        self._wake = threading.Event()
        self._started = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wrote_at = 0.0  # monotonic
        self._failing_since: float | None = None

    def start(self, *, always: bool) -> None:
        """Begin, or go on at once."""
        with self._started:
            self._always = self._always or always
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="database-probe", daemon=True)
                self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """End, and give up what it waits for."""
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def accepts(self) -> bool:
        """Whether a write was taken a moment ago, and nothing has gone wrong since."""
        return not breaker.is_open() and time.monotonic() - self._wrote_at < STALE_SECONDS

    def _run(self) -> None:
        while not self._ended:
            self._ask()
            if self._always or breaker.is_open():
                self._wake.wait(self._pause())
            else:
                self._drop()
                self._wake.wait()
            self._wake.clear()
        self._drop()

    def _pause(self) -> float:
        if self._failing_since is None:
            return EVERY_SECONDS
        return AGAIN_SECONDS if time.monotonic() - self._failing_since < PATIENT_AFTER_SECONDS else PATIENTLY_SECONDS

    def _ask(self) -> None:
        why = breaker.AWAY
        try:
            if self._connection is None:
                self._adopt(self._connect(None))
            began = self._write()
            if began is not None and self._always and self._connection is not None:
                witness.turn(self._connection)  # who takes texts knows what it took
        except psycopg.Error as error:
            began, why = None, breaker.QUARANTINED if isinstance(error, Quarantined) else breaker.AWAY
        except Exception:  # nobody else shuts the breaker: this thread outlives whatever it meets
            log.exception("probe.failed")
            began = None
        if began is None:
            if self._connection is None or why == breaker.QUARANTINED:
                breaker.trip(why=why)  # nobody needs to try what has just failed
            self._drop()
            self._wrote_at = 0.0
            self._failing_since = self._failing_since or time.monotonic()
            return
        self._failing_since = None
        self._wrote_at = time.monotonic()
        if not breaker.shut(proved_since=began):
            self._wake.set()  # it opened meanwhile: another write, at once

    def _write(self) -> float | None:
        """When the write was begun (monotonic) that was taken; None where it was refused."""
        assert self._connection is not None
        began, connection = time.monotonic(), self._connection
        connection.pgconn.send_query(WRITE)
        connection.pgconn.flush()
        patience = connection.statement_seconds or STALE_SECONDS
        look_at = began + ELSEWHERE_SECONDS
        while not _answered(connection):
            if self._ended:
                return None
            now = time.monotonic()
            if now - began > patience and not breaker.is_open():
                servers.was_silent(connection.server)
                breaker.trip(why=breaker.SILENT)
            if breaker.is_open() and now >= look_at:
                look_at = now + ELSEWHERE_SECONDS
                found = self._elsewhere(connection)
                if found is not None:
                    connection.close()
                    self._adopt(found)
                    return self._write()
        return began if _took(connection) else None

    def _elsewhere(self, silent: Guarded) -> Guarded | None:
        """A connection to another server that takes writes, if there is one."""
        servers.was_silent(silent.server)
        found = None
        with suppress(psycopg.Error):
            found = self._connect(silent.server)
            if found.execute(WHO).fetchone() != self._who:
                return found
        if found is not None:
            found.close()  # it lives, and commits nothing: one write of ours waits there already
        return None

    def _adopt(self, found: Guarded) -> None:
        self._connection = found
        self._who = found.execute(WHO).fetchone()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_probes: Final[list[Probe]] = []


def begin(*, connect: Connect) -> None:
    """Have a probe for this process, which asks whenever the breaker opens."""
    if not _probes:
        _probes.append(Probe(connect))
        breaker.watch(_told)


def watch() -> None:
    """Ask all the time from now on."""
    _probes[0].start(always=True)


def accepts() -> bool:
    """Whether the database takes writes, as the probe saw last. Asks nobody."""
    return bool(_probes) and _probes[0].accepts()


def _told(why: str | None) -> None:
    metrics.DATABASE_BREAKER_OPEN.set(why is not None)
    if why is None:
        log.info("database.breaker_shut")
        return
    metrics.DATABASE_BREAKER_TRIPS.labels(why).inc()
    log.warning("database.breaker_opened", why=why)
    _probes[0].start(always=False)


def _answered(connection: Guarded) -> bool:
    """Wait a moment for the answer; whether it is there. Raises psycopg.OperationalError where the link broke."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(POLL_SECONDS * 1000):
        connection.pgconn.consume_input()
    return not connection.pgconn.is_busy()


def _took(connection: Guarded) -> bool:
    answer = connection.pgconn.get_result()
    while connection.pgconn.get_result() is not None:
        pass
    if answer is None or answer.status != pq.ExecStatus.TUPLES_OK or connection.in_doubt:
        return False
    return answer.get_value(0, 0) == b"t"
