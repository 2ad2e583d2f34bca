"""Reads of billing: balance, charges, and what promise P4 is checked by. They change nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from billing.ledger import statements

BREAKS_PER_AUDIT_MAX: Final = 1000
CHARGED: Final = ("sms", "call", "refund")
CREDIT: Final = "credit"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeLine:
    """One line of a statement: a charge is positive, a refund negative; a credit is what was paid."""

    at: datetime
    kind: str
    amount_minor: int
    evidence: Mapping[str, Any]
    key: UUID
    transaction_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldLine:
    """What was reserved for an attempt: reserved, posted or voided, and why."""

    state: str
    amount_minor: int
    currency: str
    reason: str


def hold(*, attempt_id: UUID) -> HoldLine | None:
    """What was reserved for an attempt, or None where nothing was."""
    row = statements.run("read_hold", {"attempt_id": attempt_id}).fetchone()
    return HoldLine(state=row[0], amount_minor=row[1], currency=row[2], reason=row[3]) if row else None


def balance(*, account_id: UUID) -> int:
    """Credits − charges, in minor units; negative where the person owes, 0 for an unknown account."""
    row = statements.run("read_balance", {"account_id": account_id}).fetchone()
    return int(row[0]) if row else 0


def lines(*, account_id: UUID) -> list[ChargeLine]:
    """What the person was charged and refunded, and what they paid, in the order in which it happened: one read."""
    cursor = statements.read("read_lines", {"account_id": account_id, "kinds": [*CHARGED, CREDIT]})
    return [
        ChargeLine(
            at=at,
            kind=kind,
            amount_minor=amount_minor if kind == CREDIT else -amount_minor,
            evidence=evidence,
            key=key,
            transaction_id=transaction_id,
        )
        for at, kind, amount_minor, evidence, key, transaction_id in cursor.fetchall()
    ]


def audit_p4(*, now: datetime, reserved_for_max: timedelta) -> tuple[int, list[dict[str, Any]]]:
    """How many rows of the ledger and the holds were checked, and every break that was found (to a bound).

    A break is {"kind", "subject", "detail"}. `reserved_for_max` is how long a hold may wait for its outcome.
    For one consistent view run it inside a REPEATABLE READ transaction.
    """
    checked = statements.run("audit_p4_size", {}).fetchone()
    cursor = statements.run("audit_p4", {"reserved_before": now - reserved_for_max, "breaks_max": BREAKS_PER_AUDIT_MAX})
    breaks = [
        {"kind": kind, "subject": (subject_kind, str(subject_id)), "detail": detail}
        for kind, subject_kind, subject_id, detail in cursor.fetchall()
    ]
    return int(checked[0]) if checked else 0, breaks
