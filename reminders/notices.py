"""Notices: an SMS that we send by ourselves, written with the move that it tells of; its own timer sends it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from billing.database import Statements, uuid7
from billing.segments import segments

statements: Final = Statements("reminders")


def tell_missed(*, of: Mapping[str, Any], body: str, carrier: str, now: datetime) -> None:
    """Tell a person that a reminder of theirs (`of`: the row that was locked for it) was missed.

    Inside the transaction that ends the occurrence, so that neither is there without the other.
    """
    statements.run(
        "reply_new",
        {
            "reply_id": uuid7(),
            "subscriber_id": of["subscriber_id"],
            "bucket": of["bucket"],
            "reminder_id": of["reminder_id"],
            "kind": "missed",
            "body": body,
            "segments": segments(body).segments,
            "carrier": carrier,
            "at": now,
            "trace_context": of["trace_context"],
        },
    )
