"""The dispatcher: claims what is due and rings the workers' doorbells, until it is told to stop."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from prometheus_client import start_http_server

from reminders import dispatch, drainer, housekeeping, limits, metrics, tasks, tracing, wiring, witness
from reminders.spending import Watch

log = structlog.get_logger()

WAIT_AFTER_ERROR_SECONDS = 0.5


class Command(BaseCommand):
    help = "Claim what is due and hand it to the workers, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        import_string(settings.RINGBACK_CELERY_APP)  # the composition root's, which becomes the current app
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if settings.RINGBACK_METRICS_PORT:
            start_http_server(settings.RINGBACK_METRICS_PORT, addr="127.0.0.1")
        drainer.watch()
        claimer = dispatch.Claimer(
            pacing=wiring.pacing(),
            lease_seconds=settings.RINGBACK_LEASE_SECONDS,
            spending=Watch(bounds=wiring.bounds()),
        )
        log.info("dispatch.started", instance=settings.RINGBACK_INSTANCE)
        while not stop.is_set():
            try:
                with _listening() as bell:
                    _prepare()
                    while not stop.is_set():
                        busy = _turn(claimer)
                        if not busy:
                            _sleep(claimer, bell, stop)
            except (DatabaseError, psycopg.Error) as error:
                log.warning("dispatch.database_away", error=type(error).__name__)
                connection.close()
                stop.wait(WAIT_AFTER_ERROR_SECONDS)
        log.info("dispatch.stopped")


def _prepare() -> None:
    dispatch.open_account(account=wiring.pacing().account)
    housekeeping.plan()


def _turn(claimer: dispatch.Claimer) -> bool:
    """One claim and its doorbells; whether there may be more at once."""
    metrics.DISPATCH_LOOPS.inc()
    connection.ensure_connection()
    witness.turn(connection.connection)  # before a claim: nothing rings from a database that lacks something
    if tasks.waiting() > limits.DOORBELLS_WAITING_MAX:
        time.sleep(limits.BACKPRESSURE_SECONDS)
        return True
    was_spent = claimer.spent
    token, claimed = claimer.claim(monotonic=time.monotonic())
    metrics.OLDEST_DUE_SECONDS.set(claimer.oldest_due_seconds or 0)
    _tell_spent(claimer, was_spent=was_spent)
    if not claimed:
        return False
    several = len(claimed)
    for row in claimed:
        metrics.CLAIMED.labels(row.kind.value).inc()
    buried = dispatch.bury(claimed=claimed, token=token, now=timezone.now())
    if buried:
        metrics.DEAD_LETTERS.inc(len(buried))
        log.error("reminder.dead_lettered", count=len(buried))
        claimed = [row for row in claimed if row.id not in buried]
    with tracing.span("dispatch", about={"claimed": len(claimed)}) as trace_context:
        bells = list(dispatch.doorbells(claimed=claimed, token=token))
        sent = dispatch.ring(bells=bells, send=lambda bell: tasks.knock(bell, trace_context), failed=tasks.DoorbellLost)
    if sent < len(bells):
        metrics.DOORBELLS_FAILED.inc(len(bells) - sent)
        log.warning("doorbells.lost", lost=len(bells) - sent)
        return False
    return several >= limits.CLAIM_MAX


def _tell_spent(claimer: dispatch.Claimer, *, was_spent: bool) -> None:
    metrics.SPEND_BREAKER_OPEN.set(claimer.spent)
    if claimer.spent and not was_spent:
        log.error("dispatch.spent")  # a person decides: ./manage.py spend


@contextmanager
def _listening() -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own that hears notices."""
    apart = connection.connect_apart  # type: ignore[attr-defined]  # of config.postgres, which no app may import
    with connection.wrap_database_errors, apart(**connection.get_connection_params(), autocommit=True) as bell:
        bell.execute("LISTEN ringback_timers")
        yield bell


def _sleep(claimer: dispatch.Claimer, bell: "psycopg.Connection[Any]", stop: Event) -> None:
    """Until the next timer, a notice, or the next poll, whichever is first."""
    wait = dispatch.next_wake_seconds(claimer=claimer)
    if wait > 0 and not stop.is_set():
        for _ in bell.notifies(timeout=wait, stop_after=1):
            pass
