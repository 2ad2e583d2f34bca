"""What the carrier keeps of a call and of a message. Instants are seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

ENDED = ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(slots=True, kw_only=True)
class Call:
    """One call, its instructions, and what became of it.

    events are the callbacks owed, each [event, CallStatus, at]; told counts those that are dealt with.
    asked are the requests for documents, each [url, method, what came besides, HTTP status, at].
    nth counts the calls of this number, so that a seed strikes the same ones again.
    """

    sid: str
    account: str
    to: str
    sender: str
    created_at: float
    direction: str = "outbound-api"
    status: str = "queued"
    url: str = ""
    method: str = "POST"
    twiml: str = ""
    fallback_url: str = ""
    fallback_method: str = "POST"
    callback: str = ""
    callback_method: str = "POST"
    callback_events: tuple[str, ...] = ()
    timeout: int = 60
    time_limit: int = 14_400
    machine_detection: str = ""
    nth: int = 1
    dialled_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    answered_by: str | None = None
    heard: list[str] = field(default_factory=list)
    pressed: str | None = None
    asked: list[list[Any]] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)
    told: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED

    @property
    def person(self) -> str:
        """The number at the phone's end."""
        return self.sender if self.direction == "inbound" else self.to

    @property
    def duration_seconds(self) -> int:
        """Whole seconds from the answer to the end; at least one once it was answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(1, round(self.ended_at - self.answered_at))


@dataclass(slots=True, kw_only=True)
class Message:
    """One SMS, in either direction.

    webhooks are the deliveries to the service, owed says that one is still to come; events and told are
    as for a call.
    """

    sid: str
    account: str
    to: str
    sender: str
    body: str
    direction: str
    created_at: float
    segments: int = 1
    status: str = "queued"
    sent_at: float | None = None
    callbacks: tuple[str, ...] = ()
    error_code: int | None = None
    owed: bool = False
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)
    told: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return not self.owed and self.status in ("received", "delivered", "undelivered", "failed")

    @property
    def person(self) -> str:
        """The number at the phone's end."""
        return self.sender if self.direction == "inbound" else self.to


_CALL_FIELDS = tuple(one.name for one in fields(Call))
_MESSAGE_FIELDS = tuple(one.name for one in fields(Message))


def kept(record: Call | Message) -> dict[str, Any]:
    """The record as the journal keeps it: what is empty is left out."""
    names = _CALL_FIELDS if isinstance(record, Call) else _MESSAGE_FIELDS
    return {name: value for name in names if (value := getattr(record, name)) or name in _ALWAYS}


_ALWAYS = frozenset({"sid", "account", "to", "sender", "created_at", "body", "direction", "told"})


def restored(kind: str, row: dict[str, Any]) -> Call | Message:
    """The record from its journal row; keys that an older or newer version wrote are ignored."""
    names = _CALL_FIELDS if kind == "call" else _MESSAGE_FIELDS
    known = {name: value for name, value in row.items() if name in names}
    for name in ("callback_events", "callbacks"):
        if name in known:
            known[name] = tuple(known[name])
    return Call(**known) if kind == "call" else Message(**known)
