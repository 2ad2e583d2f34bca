"""Breaks: differences between what was promised and what is, open until somebody closes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from billing.database import Rows, expect, uuid7
from billing.ledger import statements


def open_break(
    *, promise: str, kind: str, subject: tuple[str, UUID | str], detail: Mapping[str, Any], at: datetime
) -> Rows:
    """Open a break; nothing happens where one of this kind is open for the subject. Nothing to fetch."""
    return statements.run(
        "open_break",
        {
            "break_id": uuid7(),
            "promise": promise,
            "kind": kind,
            "subject_kind": subject[0],
            "subject_id": str(subject[1]),
            "detail": Jsonb(dict(detail)),
            "at": at,
        },
    )


def close_break(*, break_id: UUID, note: str, at: datetime) -> None:
    """Close an open break; raises GuardFailed where it is not open."""
    expect(statements.run("close_break", {"break_id": break_id, "note": note, "at": at}), rows=1)
