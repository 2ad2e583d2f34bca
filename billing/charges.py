"""What is charged, reserved, posted, voided and given back. Each operation may be repeated without effect.

Everything runs inside the caller's database transaction. A charge says once and for good what it is for:
the message, or the occurrence (a retry is the same occurrence; a snooze or a recurrence is a new one).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from billing import ledger
from billing.breaks import open_break
from billing.database import GuardFailed, Rows, uuid7
from billing.ledger import statements
from billing.pricing import FINAL_VOID_REASONS, LATE_PROOF_MAX, TARIFF


@dataclass(frozen=True, kw_only=True, slots=True)
class NewHold:
    """One attempt that is about to be dialled; the hold takes the attempt's id."""

    attempt_id: UUID
    occurrence_id: UUID
    account_id: UUID
    bucket: int
    at: datetime


class Posted(StrEnum):
    """What became of a hold whose call was answered."""

    CHARGED = "charged"
    ALREADY_CHARGED = "already_charged"  # another attempt of the occurrence was: hold voided, a break opened
    REPEATED = "repeated"  # this attempt was posted before
    TOO_LATE = "too_late"  # voided a day ago or more: never charged
    FREE = "free"  # voided as late: free whatever is proved


def open_account(*, account_id: UUID, bucket: int, currency: str, at: datetime) -> Rows:
    """Open an account; nothing happens where it is open. One statement, nothing to fetch."""
    return statements.run("open_account", {"account_id": account_id, "bucket": bucket, "currency": currency, "at": at})


def charge_message(*, account_id: UUID, message_id: UUID, carrier_sid: str, segments: int, at: datetime) -> Rows:
    """Charge an accepted message once for good. One statement, nothing to fetch.

    Its row count is 1, or 0 where the message was charged before.
    """
    charge = message_charge(charge_id=uuid7(), message_id=message_id, carrier_sid=carrier_sid, segments=segments)
    charge["charge_evidence"] = json.dumps(charge["charge_evidence"])
    return statements.run("charge_message", {"account_id": account_id, "message_id": message_id, "at": at, **charge})


def message_charge(*, charge_id: UUID | str, message_id: UUID, carrier_sid: str, segments: int) -> dict[str, Any]:
    """What `billing_charge_messages()` asks for, for a statement of the caller's that charges as it writes."""
    return {
        "charge_id": charge_id,
        "charge_minor": TARIFF.message_in_minor,
        "charge_currency": TARIFF.currency,
        "charge_evidence": {
            "kind": "message",
            "id": str(message_id),
            "sid": carrier_sid,
            "segments": segments,
            "tariff": TARIFF.name,
        },
    }


def reserve(*, holds: Sequence[NewHold]) -> Rows:
    """Reserve what these attempts may cost. One statement; its row count is how many holds are new."""
    return statements.run(
        "reserve_holds",
        {
            "attempt_ids": [hold.attempt_id for hold in holds],
            "occurrence_ids": [hold.occurrence_id for hold in holds],
            "account_ids": [hold.account_id for hold in holds],
            "buckets": [hold.bucket for hold in holds],
            "times": [hold.at for hold in holds],
            "amount_minor": TARIFF.call_answered_minor,
            "currency": TARIFF.currency,
        },
    )


def post(*, attempt_id: UUID, evidence: Mapping[str, Any], at: datetime) -> Posted:
    """Charge an answered call: once per occurrence, and not where its hold was voided a day ago.

    `evidence` is kept with the charge (the carrier's sid, the answer, the keys). Raises GuardFailed where
    nothing was ever reserved for the attempt.
    """
    cursor = statements.run(
        "post_hold",
        {
            "attempt_id": attempt_id,
            "transaction_id": uuid7(),
            "evidence": Jsonb({"kind": "call", "attempt": str(attempt_id), "tariff": TARIFF.name, **evidence}),
            "final_reasons": list(FINAL_VOID_REASONS),
            "late_proof_max": LATE_PROOF_MAX,
            "at": at,
        },
    )
    row = cursor.fetchone()
    if row is None:
        raise GuardFailed(f"no hold for attempt {attempt_id}")
    outcome, moved, occurrence_id = Posted(row[0]), row[1], row[2]
    if outcome is Posted.ALREADY_CHARGED and moved:
        open_break(
            promise="P4",
            kind="answered_twice",
            subject=("occurrence", occurrence_id),
            detail={"attempt": str(attempt_id), **evidence},
            at=at,
        )
    return outcome


def void(*, attempt_ids: Sequence[UUID], reason: str, at: datetime) -> Rows:
    """Let go of what was reserved for these attempts. One statement; what is posted or voided stays so.

    `reason` "late" is final: the call was late, so it is free even if it is proved answered afterwards.
    """
    return statements.run("void_holds", {"attempt_ids": list(attempt_ids), "reason": reason, "at": at})


def reverse(*, attempt_id: UUID, reason: str, at: datetime) -> bool:
    """Give back the charge of a posted attempt (a machine picked up), once; False where nothing was left.

    An occurrence whose charge was reversed is not charged again, by whatever attempt.
    """
    cursor = statements.run(
        "reverse_hold",
        {
            "attempt_id": attempt_id,
            "reversal_id": uuid7(),
            "evidence": Jsonb({"kind": "reversal", "attempt": str(attempt_id), "reason": reason}),
            "at": at,
        },
    )
    return cursor.rowcount > 0


def credit(*, account_id: UUID, amount_minor: int, key: UUID, at: datetime, note: str) -> bool:
    """Add what the person paid; False where `key` was credited before."""
    cursor = ledger.write(
        kind="credit",
        key=key,
        account_id=account_id,
        house="funds:credit",
        currency=TARIFF.currency,
        amount_minor=amount_minor,
        evidence={"kind": "credit", "id": str(key), "note": note},
        at=at,
    )
    return cursor.rowcount > 0


def refund(*, transaction_id: UUID, at: datetime, note: str) -> bool:
    """Give back any charge by its reversal, once; False where it was given back before or is no charge."""
    return ledger.reverse(transaction_id=transaction_id, evidence={"kind": "refund", "note": note}, at=at)
