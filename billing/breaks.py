"""Breaks: differences between what was promised and what is, open until somebody closes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from billing.database import Rows, expect, uuid7
from billing.ledger import statements
from billing.models import Break

LISTED_MAX: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenBreak:
    """A break that nobody has closed; its subject is a kind and an id."""

    id: UUID
    promise: str
    kind: str
    subject: tuple[str, str]
    detail: Mapping[str, Any]
    opened_at: datetime


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


def waiting() -> list[OpenBreak]:
    """The open breaks, oldest first, to a bound."""
    found = Break.objects.filter(closed_at=None).order_by("opened_at", "id")[:LISTED_MAX]
    return [
        OpenBreak(
            id=one.id,
            promise=one.promise,
            kind=one.kind,
            subject=(one.subject_kind, one.subject_id),
            detail=one.detail,
            opened_at=one.opened_at,
        )
        for one in found
    ]


def close_break(*, break_id: UUID, note: str, at: datetime) -> None:
    """Close an open break; raises GuardFailed where it is not open."""
    expect(statements.run("close_break", {"break_id": break_id, "note": note, "at": at}), rows=1)
