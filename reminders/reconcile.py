"""Reconcile: the carrier's records against our messages and attempts. What we missed is fetched.

A message that the carrier took and we never saw goes through intake, as of when the carrier received it; its reply is
looked up and sent by its own timer. A call that is bound to no attempt opens a break.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing import breaks
from billing.database import Statements, prove
from reminders import intake, limits, tracing
from reminders.carriers import session
from reminders.carriers.base import Carrier, CarrierError, Inbound, MessageRecord

statements: Final = Statements("reminders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What one pass found; `asked` is false where the carrier could not be asked."""

    asked: bool
    complete: bool = False  # everything since then was listed
    messages: int = 0
    fetched: int = 0


def backfill(*, carrier: Carrier, now: datetime) -> Reconciled:
    """Fetch what we missed since the last complete pass, however long ago; by timer.

    The pass is remembered in the database: one that was restored asks from its own past on. Raises as reconcile does.
    """
    name = f"reconciled:{carrier.name}"
    row = statements.run("read_mark", {"name": name}).fetchone()
    since = now - timedelta(seconds=limits.RECONCILE_SECONDS)
    if row is not None:
        earliest = now - timedelta(days=limits.BACKFILL_DAYS_MAX)
        since = max(earliest, min(since, row[0] - timedelta(seconds=limits.BACKFILL_SLACK_SECONDS)))
    done = reconcile(carrier=carrier, since=since, now=now)
    if done.complete:
        statements.run("move_mark", {"name": name, "at": now})
    return done


def reconcile(*, carrier: Carrier, since: datetime, now: datetime) -> Reconciled:
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
    missed = _missed(carrier, inbound)
    for record in missed:
        _fetch(carrier, record, now)
    complete = len(records) < limits.BACKFILL_PAGES_MAX * limits.MESSAGE_LIST_MAX
    return Reconciled(asked=True, complete=complete, messages=len(inbound), fetched=len(missed))


def _missed(carrier: Carrier, records: Sequence[MessageRecord]) -> list[MessageRecord]:
    rows = statements.run(
        "known_messages", {"carrier": carrier.name, "sids": [record.sid for record in records]}
    ).fetchall()
    known = {row[0] for row in rows}
    if known:
        prove()  # what is known is not fetched again
    return [record for record in records if record.sid not in known]


def _fetch(carrier: Carrier, record: MessageRecord, now: datetime) -> None:
    if record.created_at is None or (now - record.created_at).total_seconds() < limits.WEBHOOK_SECONDS:
        return  # its webhook may still be on its way
    message = Inbound(
        carrier=carrier.name, carrier_sid=record.sid, sender=record.sender, body=record.body, opt_out=None
    )
    try:
        intake.accept(message=message, received_at=record.created_at, trace_context=tracing.new())
    except intake.Conflict:
        breaks.open_break(promise="P6", kind="message_differs", subject=("message", record.sid), detail={}, at=now)
