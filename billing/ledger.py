"""The only writer of the ledger: a transaction and its entries in one statement, corrected by reversal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from billing.database import Rows, Statements, uuid7

statements = Statements("billing")


def write(
    *,
    kind: str,
    key: UUID,
    account_id: UUID,
    house: str,
    currency: str,
    amount_minor: int,
    evidence: Mapping[str, Any],
    at: datetime,
) -> Rows:
    """Move `amount_minor` to the customer's account (negative: from it), against one of the house's.

    One statement, once for good per (kind, key): its row count is 2, or 0 where it was written before.
    """
    return statements.run(
        "write_transaction",
        {
            "transaction_id": uuid7(),
            "kind": kind,
            "key": key,
            "account_id": account_id,
            "house": house,
            "currency": currency,
            "amount_minor": amount_minor,
            "evidence": Jsonb(dict(evidence)),
            "at": at,
        },
    )


def reverse(*, transaction_id: UUID, evidence: Mapping[str, Any], at: datetime) -> bool:
    """Reverse a charge; False where it was reversed before or is no charge."""
    cursor = statements.run(
        "reverse_transaction",
        {
            "reversal_id": uuid7(),
            "transaction_id": transaction_id,
            "evidence": Jsonb(dict(evidence)),
            "at": at,
        },
    )
    return cursor.rowcount > 0
