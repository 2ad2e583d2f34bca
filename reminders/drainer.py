"""The spool's edge: which way a text goes, and the thread that drains when the database is back.

Where the spool is off, nothing here does anything.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from billing import breaker
from reminders import dispatch, drain, limits, metrics
from reminders.drain import Drained, Stuck
from reminders.spool import Full, Spool, Spooled

log = structlog.get_logger()


@dataclass
class _Seen:
    """Whether the disk took something when it was tried last; `at` is monotonic."""

    takes: bool = False
    at: float = float("-inf")


_seen: Final = _Seen()
_started: Final = threading.Event()
_tries: Final[dict[str, int]] = {}


@cache
def spool() -> Spool | None:
    """This host's spool, made where it is missing; None where it is off."""
    if not settings.RINGBACK_SPOOL:
        return None
    made = Spool(
        root=settings.RINGBACK_SPOOL_DIR,
        bytes_max=settings.RINGBACK_SPOOL_BYTES,
        age_seconds_max=settings.RINGBACK_SPOOL_AGE_SECONDS,
    )
    made.prepare()
    return made


def keep(*, text: Spooled, why: str) -> None:
    """Store one text; it is accepted then, and answered by the drain. Raises Full."""
    found = spool()
    if found is None:
        raise Full("off")
    try:
        found.put(text=text, now=timezone.now())
    except Full as error:
        metrics.SPOOL_REFUSED.labels(error.reason if error.reason in metrics.SPOOL_REASONS else "disk").inc()
        log.error("spool.full", reason=error.reason)
        raise
    metrics.SPOOLED.labels(why).inc()


def takes() -> bool:
    """Whether the spool would take a text, as the thread that drains saw last. Asks nobody."""
    return _seen.takes and time.monotonic() - _seen.at < limits.SPOOL_STALE_SECONDS


def watch() -> None:
    """Start the thread that drains, once per process, where there is a spool."""
    if spool() is not None and not _started.is_set():
        _started.set()
        threading.Thread(target=_run, name="drain", daemon=True).start()


def turn() -> int:
    """One look: whether the disk takes texts, and what waits, where the database is there. How many were taken."""
    found = spool()
    if found is None:
        return 0
    _look(found)
    try:
        return 0 if breaker.is_open() else _drain(found)
    finally:
        connection.close()
        _tell(found)


def _look(found: Spool) -> None:
    """Try the disk: each time while it is needed, seldom else."""
    now = time.monotonic()
    if breaker.is_open() or now - _seen.at > limits.SPOOL_TRIED_SECONDS:
        _seen.takes, _seen.at = found.takes(now=timezone.now()), now


def _run() -> None:
    while True:
        _turn_and_tell()
        time.sleep(limits.DRAIN_POLL_SECONDS)


def _turn_and_tell() -> None:
    """One turn; whatever it met, there is a next one: nobody else takes what waits on this host's disk."""
    try:
        turn()
    except OSError as error:
        log.error("spool.unreadable", error=type(error).__name__)
    except Exception:
        log.exception("spool.not_drained")


def _drain(found: Spool) -> int:
    taken = 0
    names = found.waiting()
    if not names:
        return 0
    with found.draining() as mine:
        if not mine:
            return 0
        for name in names:
            try:
                drained = drain.drain(
                    spool=found,
                    name=name,
                    snooze_seconds=settings.RINGBACK_SNOOZE_SECONDS,
                    each_seconds=limits.CALLBACK_SECONDS,
                    now=timezone.now(),
                )
            except drain.TOO_EARLY as error:
                if drain.is_away(error):
                    return taken
                continue
            except Stuck as stuck:
                _set_aside(found, name, stuck)
                continue
            except OSError as error:  # this file: the others are read all the same
                log.error("spool.unreadable", error=type(error).__name__)
                continue
            _tries.pop(name, None)
            taken += len(drained.outcomes)
            _told(drained)
    return taken


def _told(drained: Drained) -> None:
    for outcome in drained.outcomes:
        metrics.DRAINED.labels(outcome).inc()
        metrics.INTAKE.labels(outcome).inc()
    if drained.damaged:
        metrics.SPOOL_DAMAGED.inc(drained.damaged)
        log.error("spool.damaged", frames=drained.damaged)
    if drained.soonest_at is not None and dispatch.needs_notice(due_at=drained.soonest_at, now=timezone.now()):
        with suppress(DatabaseError):  # away again: the dispatchers poll
            dispatch.notify()


def _set_aside(found: Spool, name: str, stuck: Stuck) -> None:
    """Try again a few times, then keep the text for a person to look at, so that what is behind it goes on."""
    _tries[name] = _tries.get(name, 0) + 1
    log.error("spool.stuck", tries=_tries[name], error=type(stuck.__cause__).__name__)
    if _tries[name] >= limits.DRAIN_TRIES_MAX:
        found.leave_out(name=name, carrier_sid=stuck.text.message.carrier_sid)
        metrics.SPOOL_STUCK.inc()
        del _tries[name]


def _tell(found: Spool) -> None:
    standing = found.standing()
    metrics.SPOOL_FILES.set(standing.files)
    metrics.SPOOL_BYTES.set(standing.bytes)
    metrics.SPOOL_ASIDE.set(standing.aside)
    oldest = standing.oldest_at
    metrics.SPOOL_OLDEST_SECONDS.set(max(0.0, timezone.now().timestamp() - oldest) if oldest is not None else 0)
