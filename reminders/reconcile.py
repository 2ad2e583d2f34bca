"""Reconcile: the carrier's records against our messages and attempts. What we missed is fetched.

A message that the carrier took and we never saw goes through intake, as of when the carrier received it; its reply is
looked up and sent by its own timer. A call that is bound to no attempt opens a break.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing import breaks
from billing.database import Statements, prove
from reminders import intake, limits, tracing
from reminders.carriers import session
from reminders.carriers.base import Carrier, CarrierError, Inbound, MessageRecord

statements: Final = Statements("reminders")
LIST_SECONDS: Final = limits.CARRIER_TIMEOUT_SECONDS + limits.SETTLE_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What one pass found; `asked` is false where the carrier could not be asked."""

    asked: bool
    messages: int = 0
    fetched: int = 0


def reconcile(*, carrier: Carrier, since: datetime, now: datetime) -> Reconciled:
    """One pass over the messages since then. Raises the database's errors."""
    try:
        records = session.run(carrier.messages(number="", inbound=True, since=since), within_seconds=LIST_SECONDS)
    except (CarrierError, TimeoutError):
        return Reconciled(asked=False)
    inbound = [record for record in records if record.inbound]
    missed = _missed(carrier, inbound)
    for record in missed:
        _fetch(carrier, record, now)
    return Reconciled(asked=True, messages=len(inbound), fetched=len(missed))


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
