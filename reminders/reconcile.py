"""Reconcile: the carrier's records against our messages and attempts. What we missed is fetched.

A message that the carrier took and we never saw goes through intake, as of when the carrier received it; its reply is
looked up and sent by its own timer. One that intake cannot take is named by a break, asked for again in each pass, and
holds up nobody else's. What a call's record proves and no callback told is folded; a call that is bound to
no attempt opens a break.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing import breaks, database
from billing.database import Statements, prove
from reminders import intake, limits, metrics, outcomes, recovery, tracing
from reminders.carriers import session
from reminders.carriers.base import CallRecord, Carrier, CarrierError, Inbound, MessageRecord
from reminders.carriers.twilio import CALL_ENDS
from reminders.retry import Policy

statements: Final = Statements("reminders")
# Named as audit names them, by the same statements: while we were ringing the person, and while we were not.
UNKNOWN: Final = (("P3", "second_call"), ("P6", "call_unknown"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What one pass found; `asked` is false where the carrier could not be asked."""

    asked: bool
    complete: bool = False  # everything since then was listed, and taken
    messages: int = 0
    fetched: int = 0
    stuck: int = 0  # what intake cannot take, for a reason of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What a pass over the calls found; `finished` is false where the carrier has more than one pass reads."""

    asked: bool
    calls: int = 0
    folded: int = 0
    unknown: int = 0
    finished: bool = True


def backfill(*, carrier: Carrier, policy: Policy, now: datetime) -> Reconciled:
    """Fetch what we missed since the last complete pass, however long ago; by timer.

    The pass is remembered in the database: one that was restored asks from its own past on. Raises as reconcile does.
    """
    name = f"reconciled:{carrier.name}"
    row = statements.run("read_mark", {"name": name}).fetchone()
    since = now - timedelta(seconds=limits.RECONCILE_SECONDS)
    if row is not None:
        earliest = now - timedelta(days=limits.BACKFILL_DAYS_MAX)
        since = max(earliest, min(since, row[0] - timedelta(seconds=limits.BACKFILL_SLACK_SECONDS)))
    done = reconcile(carrier=carrier, policy=policy, since=since, now=now)
    if done.complete:
        statements.run("move_mark", {"name": name, "at": now})
    return done


def reconcile(*, carrier: Carrier, policy: Policy, since: datetime, now: datetime) -> Reconciled:
    """One pass over the messages since then, oldest first: a STOP ends what is older than itself, and no more.

    Done again it changes nothing: a message is known by the carrier's id. Raises the database's errors.
    """
    try:
        records = session.run(
            carrier.messages(number="", inbound=True, since=since, pages_max=limits.BACKFILL_PAGES_MAX),
            within_seconds=limits.BACKFILL_SECONDS,
        )
    except (CarrierError, TimeoutError):
        return Reconciled(asked=False)
    inbound = [record for record in records if record.inbound]
    became = Counter(_fetch(carrier, record, policy, now) for record in _missed(carrier, inbound))
    stuck = became["stuck"]
    metrics.RECONCILED.labels("stuck").inc(stuck)
    complete = not stuck and len(records) < limits.BACKFILL_PAGES_MAX * limits.MESSAGE_LIST_MAX
    return Reconciled(asked=True, complete=complete, messages=len(inbound), fetched=became["fetched"], stuck=stuck)


def compare_calls(*, carrier: Carrier, policy: Policy, since: datetime, now: datetime) -> Compared:
    """One pass over the calls since then, the newest limits.CALL_LIST_MAX at most. Raises the database's errors."""
    try:
        calls = session.run(carrier.calls_to("", since=since), within_seconds=limits.BACKFILL_SECONDS)
    except (CarrierError, TimeoutError):
        metrics.RECONCILED.labels("not_asked").inc()
        return Compared(asked=False)
    unknown = _name_unknown(carrier, calls, policy, now)
    folded = _fold_calls(carrier, calls, policy, now)
    finished = len(calls) < limits.CALL_LIST_MAX
    metrics.RECONCILED.labels("unknown").inc(unknown)
    metrics.RECONCILED.labels("folded").inc(folded)
    metrics.RECONCILED.labels("not_finished").inc(not finished)
    return Compared(asked=True, calls=len(calls), folded=folded, unknown=unknown, finished=finished)


def _fold_calls(carrier: Carrier, calls: Sequence[CallRecord], policy: Policy, now: datetime) -> int:
    """Fold what ended calls prove and no callback told, once the callbacks had their time."""
    over = [one for one in calls if _is_told(one, now)]
    rows = statements.run(
        "calls_missed",
        {
            "carrier": carrier.name,
            "sids": [one.sid for one in over],
            "answered": [bool(one.duration_seconds) for one in over],
            "rows_max": limits.RECONCILED_CALLS_MAX,
        },
    ).fetchall()
    records = {one.sid: one for one in over}
    for attempt_id, sid in rows:
        proof = recovery.evidence(record=records[sid], now=now)
        outcomes.fold(attempt_id=attempt_id, evidence=proof, policy=policy, carrier=carrier.name, now=now)
    return len(rows)


def _is_told(record: CallRecord, now: datetime) -> bool:
    ended = record.ended_at if record.status in CALL_ENDS else None
    return ended is not None and (now - ended).total_seconds() >= limits.WEBHOOK_SECONDS


def _name_unknown(carrier: Carrier, calls: Sequence[CallRecord], policy: Policy, now: datetime) -> int:
    """Open a break for each call that is bound to nothing of ours, as audit names it, past every look-up of it."""
    params = {
        "carrier": carrier.name,
        "call_sids": [one.sid for one in calls],
        "call_numbers": [one.to for one in calls],
        "call_created": [one.created_at for one in calls],
        "asked_at": now - timedelta(seconds=policy.lookup_horizon_seconds),
        "horizon_seconds": policy.lookup_horizon_seconds,
        "overdue_seconds": limits.OVERDUE_SECONDS,
        "rows_max": limits.RECONCILED_CALLS_MAX,
    }
    unknown = 0
    for promise, kind in UNKNOWN:
        for subject, id_, detail in statements.run(f"audit_{promise.lower()}_{kind}", params).fetchall():
            breaks.open_break(promise=promise, kind=kind, subject=(subject, id_), detail=detail, at=now)
            unknown += 1
    return unknown


def _missed(carrier: Carrier, records: Sequence[MessageRecord]) -> list[MessageRecord]:
    rows = statements.run(
        "known_messages", {"carrier": carrier.name, "sids": [record.sid for record in records]}
    ).fetchall()
    known = {row[0] for row in rows}
    if known:
        prove()  # what is known is not fetched again
    return [record for record in records if record.sid not in known]


def _fetch(carrier: Carrier, record: MessageRecord, policy: Policy, now: datetime) -> str:
    """What became of it: fetched, early, conflict, stuck. Raises what says nothing of the message itself."""
    if record.created_at is None or (now - record.created_at).total_seconds() < limits.WEBHOOK_SECONDS:
        return "early"  # its webhook may still be on its way
    message = Inbound(
        carrier=carrier.name, carrier_sid=record.sid, sender=record.sender, body=record.body, opt_out=None
    )
    try:
        about = tracing.person(number=record.sender)
        with tracing.span("intake", linked=(tracing.current(),), about=about) as own:
            answer = intake.accept(
                message=message,
                received_at=record.created_at,
                trace_context=own,
                snooze_seconds=policy.snooze_seconds,
            )
            tracing.note(outcome=answer.outcome, **tracing.ids(reminder=answer.reminder_id))
    except intake.Conflict:
        breaks.open_break(promise="P6", kind="message_differs", subject=("message", record.sid), detail={}, at=now)
        return "conflict"
    except (*database.AWAY, intake.Contended):
        raise
    except Exception as error:  # noqa: BLE001  # it fails alone: those behind it are somebody else's
        told = {"error": type(error).__name__}
        breaks.open_break(promise="P1", kind="message_stuck", subject=("message", record.sid), detail=told, at=now)
        return "stuck"
    return "fetched"
