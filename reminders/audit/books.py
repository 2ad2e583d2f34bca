"""The carrier's books, as far as it lists them: its calls for us, and the messages in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from reminders import limits, phone
from reminders.carriers import session
from reminders.carriers.base import CallRecord, Carrier, CarrierError, MessageRecord
from reminders.carriers.twilio import CALL_ENDS
from reminders.carriers.twilio_webhooks import storable

LIST_SECONDS: Final = limits.CARRIER_TIMEOUT_SECONDS + limits.SETTLE_SECONDS
MESSAGE_ENDS: Final = {
    "sent": "sent",
    "delivered": "sent",
    "read": "sent",
    "undelivered": "undelivered",
    "failed": "undelivered",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """What the carrier listed at `asked_at`, and from when on each list is complete."""

    asked_at: datetime
    calls: Sequence[CallRecord]
    calls_since: datetime
    inbound: Sequence[MessageRecord]
    inbound_since: datetime
    outbound: Sequence[MessageRecord]
    outbound_since: datetime

    @property
    def records(self) -> int:
        """How many records were listed."""
        return len(self.calls) + len(self.inbound) + len(self.outbound)

    def params(self) -> dict[str, Any]:
        """The books as arrays, for the statements that compare."""
        return {
            "asked_at": self.asked_at,
            "calls_since": self.calls_since,
            "call_sids": [one.sid for one in self.calls],
            "call_numbers": [one.to for one in self.calls],
            "call_created": [one.created_at for one in self.calls],
            "call_started": [one.started_at for one in self.calls],
            "call_ended": [one.ended_at if one.status in CALL_ENDS else None for one in self.calls],
            "call_outcomes": [_outcome(one) for one in self.calls],
            "in_since": self.inbound_since,
            "in_sids": [one.sid for one in self.inbound],
            "in_created": [one.created_at for one in self.inbound],
            "in_numbers": [phone.parse(one.sender).e164 or one.sender for one in self.inbound],
            "in_bodies": [storable(one.body)[: limits.TEXT_CHARACTERS_MAX] for one in self.inbound],
            "out_since": self.outbound_since,
            "out_sids": [one.sid for one in self.outbound],
            "out_numbers": [one.to for one in self.outbound],
            "out_bodies": [storable(one.body) for one in self.outbound],
            "out_states": [MESSAGE_ENDS.get(one.status) for one in self.outbound],
        }


def ask(*, carrier: Carrier, since: datetime, now: datetime) -> Books | None:
    """The carrier's lists since then, newest first to its bounds; None where it cannot be asked."""
    try:
        calls = session.run(carrier.calls_to("", since=since), within_seconds=LIST_SECONDS)
        inbound = session.run(carrier.messages(number="", inbound=True, since=since), within_seconds=LIST_SECONDS)
        outbound = session.run(carrier.messages(number="", inbound=False, since=since), within_seconds=LIST_SECONDS)
    except (CarrierError, TimeoutError):
        return None
    return Books(
        asked_at=now,
        calls=calls,
        calls_since=_complete_since(calls, since, limits.CALL_LIST_MAX),
        inbound=[one for one in inbound if one.inbound],
        inbound_since=_complete_since(inbound, since, limits.MESSAGE_LIST_MAX),
        outbound=[one for one in outbound if not one.inbound],
        outbound_since=_complete_since(outbound, since, limits.MESSAGE_LIST_MAX),
    )


def _complete_since(records: Sequence[CallRecord] | Sequence[MessageRecord], since: datetime, bound: int) -> datetime:
    """A list that reached its bound begins where its oldest record stands (whole seconds)."""
    times = [one.created_at for one in records if one.created_at is not None]
    if len(records) < bound or not times:
        return since
    return min(times) + timedelta(seconds=1)


def _outcome(record: CallRecord) -> str | None:
    end = CALL_ENDS.get(record.status)
    return None if end is None else end.value
