"""Delivery: a claimed batch becomes calls. Intend (commit), act (one request each), settle (commit).

The intent consumes each claim's token, so that a doorbell that rings twice finds nothing to do. A late worker is kept
from sending by `send_within`, measured on its monotonic clock from before the intent to right before the request.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing import charges
from billing.database import Statements, named, uuid7
from reminders import limits, misfires, outcomes, tracing
from reminders.carriers import session
from reminders.carriers.base import CallRequest, Carrier, RefusedUs, Rejected, Unavailable, Unknown
from reminders.clock import Looker
from reminders.poison import Health
from reminders.quiet import Misfire
from reminders.retry import Policy

statements: Final = Statements("reminders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A claimed ring timer with what its attempt needs."""

    timer_id: UUID
    subscriber_id: UUID
    account_id: UUID
    occurrence_id: UUID
    attempt_id: UUID
    number: str
    bucket: int
    due_at: datetime
    named_at: datetime  # when the occurrence was due: the first ring's time
    opened_at: datetime  # when its claim was taken up, by the database's clock
    span: tracing.Open  # the attempt's own trace, linked to the reminder's and to the batch's


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the carrier said to one request."""

    due: Due
    sid: str | None = None
    state: str  # placed, unknown, not_sent
    reason: str | None = None
    refused: bool = False  # this account did nothing for sure: another one may
    ours: bool = False  # it refused our set-up
    rejected: bool = False  # it refused this number


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """What became of a batch, in numbers."""

    claimed: int
    intended: int
    placed: int
    unknown: int
    not_sent: int
    parked: int  # they wait for their person's other call
    dropped: int  # they have moved on, or their person said stop
    refused_us: str = ""  # with what words the carrier refused our set-up
    lateness_seconds: tuple[float, ...] = ()
    opened_at: datetime | None = None  # None: nothing was taken up


def deliver(
    *,
    timer_ids: Sequence[UUID],
    token: UUID,
    carrier: Carrier,
    elsewhere: Callable[[], bool],
    policy: Policy,
    worker: str,
    looker: Looker,
    witness: Health,
    trace_context: str,
) -> Delivered:
    """Ring the people of one claim (at most limits.BATCH_MAX timers); `elsewhere`: whether another account takes calls.

    Raises the database's errors; what was not intended by then comes again when the lease ends.
    """
    taken = take_up(timer_ids=timer_ids, token=token, witness=witness, trace_context=trace_context)
    dues = taken
    told: list[Told] = []
    try:
        if policy.misfire is not None:
            dues = in_time(dues=dues, token=token, policy=policy.misfire, carrier=carrier, now=timezone.now())
        started = time.monotonic()
        intended, parked = intend(dues=dues, token=token, carrier=carrier, policy=policy, worker=worker, looker=looker)
        told = act(dues=intended, carrier=carrier, policy=policy, started=started)
        settle(told=told, carrier=carrier, policy=policy, elsewhere=elsewhere)
    finally:
        _end_spans(taken, told)
    return Delivered(
        claimed=len(dues),
        intended=len(intended),
        placed=sum(t.state == "placed" for t in told),
        unknown=sum(t.state == "unknown" for t in told),
        not_sent=sum(t.state == "not_sent" for t in told),
        parked=parked,
        dropped=len(dues) - len(intended) - parked,
        refused_us=next((t.reason or "" for t in told if t.ours), ""),
        lateness_seconds=tuple((timezone.now() - t.due.due_at).total_seconds() for t in told if t.state == "placed"),
        opened_at=taken[0].opened_at if taken else None,
    )


def _end_spans(taken: Sequence[Due], told: Sequence[Told]) -> None:
    """Each ends with what the carrier said; who was not rung waits, or is told."""
    for one in told:
        one.due.span.end(error=(one.reason or "unknown") if one.state != "placed" else "", state=one.state)
    for due in taken:
        due.span.end(state="parked")  # nothing, where it has ended


def take_up(*, timer_ids: Sequence[UUID], token: UUID, witness: Health, trace_context: str) -> list[Due]:
    """Load a claim and mark its rows as opened once more; timers that have nothing to ring are dropped."""
    claim = {
        "ids": list(timer_ids), "token": token, "well_at": witness.well_at, "suspect": witness.suspect,
        "alone_seconds": limits.ALONE_SECONDS, "well_seconds": limits.WELL_SECONDS,
    }  # fmt: skip
    rows = named(statements.run("open_claim", claim))
    about = {row["timer_id"]: _about(row) for row in rows if row["present"]}
    if any(tracing.KEEP in one for one in about.values()):
        tracing.note(**{tracing.KEEP: True})  # the batch of somebody under watch
    stale = [row["timer_id"] for row in rows if not row["present"]]
    dues = [
        Due(
            timer_id=row["timer_id"],
            subscriber_id=row["subscriber_id"],
            account_id=row["account_id"],
            occurrence_id=row["occurrence_id"],
            attempt_id=uuid7(),
            number=row["number"],
            bucket=row["bucket"],
            due_at=row["due_at"],
            named_at=row["named_at"],
            opened_at=row["opened_at"],
            span=tracing.begin("ring", linked=(row["trace_context"], trace_context), about=about[row["timer_id"]]),
        )
        for row in rows
        if row["present"]
    ]
    if stale:
        statements.run("drop_stale_rings", {"ids": stale, "token": token})
    return dues


def _about(row: dict[str, Any]) -> dict[str, tracing.Told]:
    ids = {**tracing.ids(reminder=row["reminder_id"]), "occurrence.id": str(row["occurrence_id"])}
    return {**ids, **tracing.person(number=row["number"])}


def in_time(*, dues: list[Due], token: UUID, policy: Misfire, carrier: Carrier, now: datetime) -> list[Due]:
    """Those that ring now; what is late by the misfire policy waits for the morning, or is told as missed."""
    late = [due.timer_id for due in dues if policy.is_late(due_at=due.named_at, now=now)]
    if not late:
        return dues
    held = misfires.hold_back(timer_ids=late, token=token, policy=policy, carrier=carrier.name, now=now)
    return [due for due in dues if due.timer_id not in held]


def intend(
    *, dues: Sequence[Due], token: UUID, carrier: Carrier, policy: Policy, worker: str, looker: Looker
) -> tuple[list[Due], int]:
    """Commit the attempts and what they may cost; how many others wait for their person's other call besides.

    Whoever is neither has moved on, or said stop.
    """
    if not dues:
        return [], 0
    with transaction.atomic():
        rows = statements.run("intend", _intent(dues, token, carrier, policy, worker, looker)).fetchall()
        fates: dict[UUID, str] = dict(rows)
        intended = [due for due in dues if fates.get(due.timer_id) == "intended"]
        if intended:
            now = timezone.now()
            charges.reserve(
                holds=[
                    charges.NewHold(
                        attempt_id=due.attempt_id,
                        occurrence_id=due.occurrence_id,
                        account_id=due.account_id,
                        bucket=due.bucket,
                        at=now,
                    )
                    for due in intended
                ]
            )
    lost = [due for due in dues if due.timer_id not in fates]
    if lost:
        outcomes.refuse_stopped(timer_ids=[due.timer_id for due in lost], token=token)
    return intended, sum(fate == "parked" for fate in fates.values())


def act(*, dues: Sequence[Due], carrier: Carrier, policy: Policy, started: float) -> list[Told]:
    """One request for each attempt, concurrently; whatever has no answer by the deadline is unknown."""
    if not dues:
        return []
    return session.run(
        _place_all(dues, carrier, policy, started),
        within_seconds=policy.send_within_seconds + policy.request_seconds + limits.SETTLE_SECONDS,
    )


def settle(*, told: Sequence[Told], carrier: Carrier, policy: Policy, elsewhere: Callable[[], bool]) -> None:
    """Commit what the carrier said. What was not sent goes back to wait, or goes `elsewhere` at once, or ends."""
    answered = [t for t in told if t.state != "not_sent"]
    if answered:
        statements.run(
            "settle",
            {
                "attempt_ids": [t.due.attempt_id for t in answered],
                "carrier_sids": [t.sid for t in answered],
                "states": [t.state for t in answered],
                "reasons": [t.reason for t in answered],
                "carrier": carrier.name,
                "unknown_seconds": outcomes.first_look_up_seconds(policy),
                "placed_seconds": outcomes.watch_seconds(policy),
            },
        )
    may_move = any(one.refused for one in told) and elsewhere()
    for one in told:
        if one.state == "not_sent":
            outcomes.conclude_unsent(
                attempt_id=one.due.attempt_id,
                reason=one.reason or "not_sent",
                rejected=one.rejected,
                lost=False,
                at_once=one.refused and may_move,
                policy=policy,
                carrier=carrier.name,
                now=timezone.now(),
            )


def _intent(
    dues: Sequence[Due], token: UUID, carrier: Carrier, policy: Policy, worker: str, looker: Looker
) -> dict[str, Any]:
    return {
        "timer_ids": [due.timer_id for due in dues],
        "subscriber_ids": [due.subscriber_id for due in dues],
        "attempt_ids": [due.attempt_id for due in dues],
        "occurrence_ids": [due.occurrence_id for due in dues],
        "traces": [due.span.traceparent for due in dues],
        "token": token,
        "carrier": carrier.name,
        "worker": worker,
        "looker": looker.boot,
        "monotonic_ms": looker.monotonic_ms,
        "look_up_seconds": outcomes.first_look_up_seconds(policy),
        "park_seconds": limits.PARK_SECONDS,
    }


async def _place_all(dues: Sequence[Due], carrier: Carrier, policy: Policy, started: float) -> list[Told]:
    return await asyncio.gather(*(_place(due, carrier, policy, started) for due in dues))


async def _place(due: Due, carrier: Carrier, policy: Policy, started: float) -> Told:
    with due.span.within():
        return await _request(due, carrier, policy, started)


async def _request(due: Due, carrier: Carrier, policy: Policy, started: float) -> Told:
    if time.monotonic() - started > policy.send_within_seconds:
        return Told(due=due, state="not_sent", reason="send_within")
    request = CallRequest(
        attempt_id=due.attempt_id,
        to=due.number,
        ring_seconds=round(policy.ring_timeout_seconds),
        detect_machine=policy.detect_machines,
    )
    try:
        sid = await asyncio.wait_for(carrier.place_call(request), policy.request_seconds)
    except Unavailable as error:
        return Told(due=due, state="not_sent", reason=error.reason, refused=True, ours=isinstance(error, RefusedUs))
    except Rejected as error:
        return Told(
            due=due, state="not_sent", reason=error.reason, refused=error.ours, ours=error.ours, rejected=not error.ours
        )
    except Unknown as error:
        return Told(due=due, state="unknown", reason=error.reason)
    except TimeoutError:
        return Told(due=due, state="unknown", reason="timeout")
    return Told(due=due, state="placed", sid=sid)
