"""Ledger ↔ payments and holds: every difference becomes a break, once, until somebody closes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from billing.breaks import open_break
from billing.ledger import statements
from billing.queries import audit_p4


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """What a payment provider says was paid; `key` is the id under which it was credited."""

    key: UUID
    amount_minor: int


def reconcile_ledger(*, now: datetime, reserved_for_max: timedelta) -> int:
    """Open a break for whatever promise P4 finds in the ledger and the holds; how many were found."""
    _, found = audit_p4(now=now, reserved_for_max=reserved_for_max)
    for one in found:
        open_break(promise="P4", kind=one["kind"], subject=one["subject"], detail=one["detail"], at=now)
    return len(found)


def reconcile_payments(*, payments: Iterable[Payment], since: datetime, until: datetime, now: datetime) -> int:
    """Open a break for each difference between a provider's payments and our credits of [since, until)."""
    cursor = statements.run("read_credits", {"since": since, "until": until})
    found = differences(payments=payments, credited=dict(cursor.fetchall()))
    for kind, key, detail in found:
        open_break(promise="P4", kind=kind, subject=("payment", key), detail=detail, at=now)
    return len(found)


def differences(*, payments: Iterable[Payment], credited: Mapping[UUID, int]) -> list[tuple[str, UUID, dict[str, Any]]]:
    """What differs between payments and credits by key: (kind, key, detail), in the order of the keys."""
    paid = {payment.key: payment.amount_minor for payment in payments}
    return [
        (_kind(paid.get(key), credited.get(key)), key, {"paid": paid.get(key), "credited": credited.get(key)})
        for key in sorted(paid.keys() | credited.keys())
        if paid.get(key) != credited.get(key)
    ]


def _kind(paid: int | None, credited: int | None) -> str:
    if credited is None:
        return "payment_not_credited"
    return "credit_without_payment" if paid is None else "credit_differs"
