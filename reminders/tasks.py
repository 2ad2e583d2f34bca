"""The Celery edge: doorbells. A message carries ids and a fencing token; losing it costs the rest of a lease."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore, Lock
from typing import Final
from uuid import UUID

import structlog
from celery import shared_task
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from billing.database import Statements, uuid7_at
from reminders import delivery, dispatch, housekeeping, limits, metrics, outcomes, poison, recovery, tracing, wiring
from reminders.carriers.account import choose, is_elsewhere
from reminders.carriers.base import Carrier
from reminders.poison import Record
from reminders.retry import Policy
from reminders.states import Kind

log = structlog.get_logger()

# Look-ups, replies and housekeeping never take a worker's last thread: where the carrier is slow they would hold all of
# them, and no phone would ring. What finds no thread is given back, and comes again in a moment.
_beside_rings: Final = BoundedSemaphore(max(1, settings.RINGBACK_WORKER_THREADS - 1))

# What this process got through and what it failed, of the kinds whose rows may be buried.
_records: Final = {Kind.RING: Record(), Kind.LOOK_UP: Record()}
_CONCLUDED: Final = frozenset({"over", "not_placed"})

# A pass over the carrier's books may outlast its lease: it is not begun again beside itself, thread after thread.
_at_work: Final = {kind: Lock() for kind in housekeeping.EVERY_SECONDS}

# What the broker's client raises where Redis is away, full, or slower than its socket's time-out.
_BROKER_ERRORS = (OperationalError, RedisError, OSError)


class DoorbellLost(Exception):
    """Redis did not take a doorbell within limits.PUBLISH_TIMEOUT_SECONDS."""


def knock(bell: dispatch.Doorbell, trace_context: str) -> None:
    """Hand a doorbell to the workers. One try, bounded by the broker's socket time-outs. Raises DoorbellLost."""
    arguments = (bell.kind.value, [str(i) for i in bell.ids], str(bell.token), trace_context)
    try:
        attend.apply_async(args=arguments, retry=False, ignore_result=True)
    except _BROKER_ERRORS as error:
        raise DoorbellLost(type(error).__name__) from error


def waiting() -> int:
    """Doorbells that no worker has taken yet; 0 where Redis does not say."""
    try:
        return int(_redis().llen(limits.DOORBELL_QUEUE))
    except _BROKER_ERRORS:
        return 0


@cache
def _redis() -> Redis:
    wait = limits.PUBLISH_TIMEOUT_SECONDS
    return Redis.from_url(settings.REDIS_URL, socket_timeout=wait, socket_connect_timeout=wait, retry=None)


statements = Statements("reminders")


@shared_task(name="ringback.attend", ignore_result=True, acks_late=False, max_retries=0)
def attend(kind: str, ids: list[str], token: str, trace_context: str) -> None:
    """Attend to one doorbell: rings as a batch, every other kind one by one."""
    work = {
        Kind.RING: _ring,
        Kind.LOOK_UP: _each,
        Kind.REPLY: _each,
        Kind.HANG_UP: _each,
        Kind.RECONCILE: _each,
        Kind.PARTITIONS: _each,
        Kind.SEAL: _each,
    }[Kind(kind)]
    bell = dispatch.Doorbell(kind=Kind(kind), ids=tuple(UUID(i) for i in ids), token=UUID(token))
    with tracing.span(f"attend {kind}", parent=trace_context, about={"batch": len(ids)}) as own:
        try:
            work(bell, own)
        except Exception as error:
            tracing.failed(reason=type(error).__name__)
            metrics.BATCHES_FAILED.labels(kind).inc()
            log.exception("batch.failed", kind=kind, ids=ids)
            with suppress(DatabaseError):  # the database is away: the lease ends by itself
                _give_back(bell)


def _give_back(bell: dispatch.Doorbell) -> None:
    """Work that ended in an error. A ring's count says how long it waits; what else was opened has its own."""
    if bell.kind is not Kind.RING:
        dispatch.release(bell=bell)
        return
    _records[Kind.RING].failed(rows=bell.ids, monotonic=time.monotonic())
    dispatch.failed(bell=bell)


def _ring(bell: dispatch.Doorbell, trace_context: str) -> None:
    began = time.monotonic()
    every = wiring.carriers()
    carrier = choose(every)
    delivered = delivery.deliver(
        timer_ids=bell.ids,
        token=bell.token,
        carrier=carrier,
        elsewhere=lambda: is_elsewhere(every, than=carrier),
        policy=wiring.policy(),
        worker=settings.RINGBACK_INSTANCE,
        looker=wiring.looker(),
        witness=_records[Kind.RING].witness(monotonic=began),
        trace_context=trace_context,
    )
    if delivered.placed:
        _records[Kind.RING].got_through(opened_at=delivered.opened_at, began=began)
    if delivered.refused_us:
        log.warning("carrier.refused_us", account=carrier.name, reason=delivered.refused_us)
    for state in ("placed", "unknown", "not_sent", "parked"):
        metrics.ATTEMPTS.labels(state).inc(getattr(delivered, state))
    for lateness in delivered.lateness_seconds:
        metrics.START_LATENESS_SECONDS.observe(lateness)
    log.info("batch.delivered", placed=delivered.placed, unknown=delivered.unknown, not_sent=delivered.not_sent)


def _each(bell: dispatch.Doorbell, trace_context: str) -> None:
    if not _beside_rings.acquire(blocking=False):
        metrics.DOORBELLS_GIVEN_BACK.labels(bell.kind.value).inc()
        tracing.note(given_back=True)
        dispatch.release(bell=bell)
        return
    try:
        _one_by_one(bell, trace_context)
    finally:
        _beside_rings.release()


def _one_by_one(bell: dispatch.Doorbell, trace_context: str) -> None:
    record = _records.get(bell.kind, Record())
    taken_up = time.monotonic()
    witness = record.witness(monotonic=taken_up)
    claim = {"ids": list(bell.ids), "token": bell.token, "may_witness": witness.may, "suspect": witness.suspect}
    opened, concluded = statements.run("open_timers", claim).fetchall(), False
    for timer_id, kind, key, claims, strikes, made_by, reminder, left_seconds in opened:
        began = time.monotonic()
        if began - taken_up >= left_seconds:
            break  # where the carrier is slow: what is left is somebody else's by now, and each comes alone
        try:
            with tracing.span(kind, linked=(made_by, trace_context), about=_subject(kind, key, reminder)):
                again_seconds, got_through = _attend_one(Kind(kind), key, timer_id)
        except Exception:
            metrics.BATCHES_FAILED.labels(kind).inc()
            log.exception("timer.failed", kind=kind, key=str(key))
            record.failed(rows=[timer_id], monotonic=time.monotonic())
            failed = {"timer_id": timer_id, "token": bell.token, "seconds_max": limits.TIMER_FAILED_SECONDS_MAX}
            statements.run("timer_failed", failed)
            if Kind(kind) is Kind.LOOK_UP and poison.is_poison(claims=claims, strikes=strikes):
                _give_up(key)
            continue
        if got_through:
            record.got_through(opened_at=None, began=began)
            concluded = True
        if again_seconds is not None:
            statements.run("move_timer", {"timer_id": timer_id, "token": bell.token, "seconds": again_seconds})
        else:
            statements.run("end_timer", {"timer_id": timer_id, "token": bell.token})
    if concluded:
        with suppress(DatabaseError):  # what was not placed may ring now; the dispatchers poll besides
            dispatch.notify()


def _subject(kind: str, key: UUID, reminder: UUID | None) -> dict[str, tracing.Told]:
    """What one timer is about, for its span."""
    if Kind(kind) is Kind.REPLY:
        return tracing.ids(reply=key, reminder=reminder)
    return tracing.ids(attempt=key, reminder=reminder) if Kind(kind) in (Kind.LOOK_UP, Kind.HANG_UP) else {}


def _give_up(attempt_id: UUID) -> None:
    """A look-up that is poison: what it looks up is a dead letter, with its alert. The next failure tries it again."""
    try:
        if dispatch.room_for_dead() and outcomes.give_up(
            attempt_id=attempt_id, policy=wiring.policy(), now=timezone.now()
        ):
            metrics.DEAD_LETTERS.inc()
            log.error("reminder.dead_lettered", attempt=str(attempt_id))
    except Exception:
        log.exception("look_up.not_given_up", attempt=str(attempt_id))


def _attend_one(kind: Kind, key: UUID, timer_id: UUID) -> tuple[float | None, bool]:
    """Do what one timer asks for. Seconds until it comes again (None: it is done, or has moved by itself), and whether
    it came to an end that shows this worker to be well."""
    policy, now, every = wiring.policy(), timezone.now(), wiring.carriers()
    if kind in housekeeping.EVERY_SECONDS:
        return _keep_house(kind, every, policy, now), False
    carrier = every[0] if len(every) == 1 else wiring.carrier_named(_asked_of(key))
    if kind is Kind.LOOK_UP:
        found = recovery.look_up(attempt_id=key, carrier=carrier, policy=policy, looker=wiring.looker(), now=now)
        metrics.LOOK_UPS.labels(found).inc()
        tracing.note(found=found)
        log.info("attempt.looked_up", attempt=str(key), found=found)
        return None, found in _CONCLUDED
    if kind is Kind.REPLY:
        elsewhere = [one for one in every if one is not carrier]
        found = recovery.tend_reply(reply_id=key, carrier=carrier, policy=policy, elsewhere=elsewhere)
        metrics.REPLIES.labels(found).inc()
        if found == recovery.HELD:
            log.warning("reply.held", reply=str(key))
        tracing.note(found=found)
        return None, False
    since, looker = uuid7_at(one=timer_id), wiring.looker()
    again = recovery.hang_up(attempt_id=key, since=since, carrier=carrier, policy=policy, looker=looker, now=now)
    return again, False


def _keep_house(kind: Kind, every: Sequence[Carrier], policy: Policy, now: datetime) -> float:
    if not _at_work[kind].acquire(blocking=False):
        return limits.BACKFILL_SECONDS  # soon: the one at work may fail
    try:
        return min(housekeeping.attend(kind=kind, carrier=one, policy=policy, now=now) for one in every)
    finally:
        _at_work[kind].release()


def _asked_of(key: UUID) -> str:
    row = statements.run("asked_of", {"key": key}).fetchone()
    return str(row[0]) if row else ""
