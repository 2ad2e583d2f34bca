"""What Ringback asks of a carrier, and the three ways in which it may fail.

No method retries: the timer is the only retry. The type of an error says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class CarrierError(Exception):
    """A request to the carrier did not succeed; `reason` is short and free of numbers and texts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(CarrierError):
    """Nothing happened: the request never left, or was refused for now (429). Try again later."""


class RefusedUs(Unavailable):
    """Nothing happened: this account refused our set-up (alert), and there is another one."""


class Rejected(CarrierError):
    """Nothing happened, and never will for this number.

    `ours`: it is our set-up that was refused, and has to be mended (alert). `locked_out`: whatever we ask is.
    """

    def __init__(self, reason: str, *, ours: bool = False, locked_out: bool = False) -> None:
        super().__init__(reason)
        self.ours = ours or locked_out
        self.locked_out = locked_out


class Unknown(CarrierError):
    """It may have happened: the reply was lost or makes no sense. Look it up; do not send again."""


class Forged(Exception):
    """A webhook's signature is missing or wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRequest:
    """One attempt to ring a person."""

    attempt_id: UUID
    to: str
    ring_seconds: int
    detect_machine: bool = False  # the carrier listens before it asks for the words; costs money and seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """A call as the carrier's books have it. Times are aware UTC, None where the carrier does not say."""

    sid: str
    to: str
    status: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    answered_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What passed during a call, by the carrier's own record of its webhooks."""

    attempt_id: UUID
    pressed: str  # as they were pressed
    had_words: bool  # whether we answered when it asked for the words


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRecord:
    """An SMS as the carrier's books have it."""

    sid: str
    sender: str
    to: str
    body: str
    status: str
    inbound: bool
    created_at: datetime | None
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbound:
    """An SMS that came in, parsed and bounded."""

    carrier: str
    carrier_sid: str
    sender: str
    body: str
    opt_out: str | None  # STOP, START or HELP where the carrier has acted on the word itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What one callback says about a call; None where it says nothing about that."""

    carrier_sid: str | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    call_ended_at: datetime | None = None
    call_status: str | None = None  # the terminal word, in our Outcome's terms
    answered_by: str | None = None
    duration_seconds: int | None = None
    pressed: str = ""
    words_at: datetime | None = None  # when we gave the call its words, where only the carrier remembers it

    @property
    def says(self) -> str:
        """The most that it proves, in a word."""
        if self.pressed:
            return "key"
        if self.call_status is not None:
            return "ended"
        return "answered" if self.answered_at else "ringing" if self.ringing_at else "nothing"


class Carrier(Protocol):
    """A carrier's REST side. Every method may raise Unavailable, Rejected or Unknown, and has a deadline."""

    @property
    def name(self) -> str: ...

    async def place_call(self, request: CallRequest) -> str:
        """Place one call with one POST; its id at the carrier."""
        ...

    async def try_out(self) -> None:
        """Ask for a call to nobody: raises what a call would raise now, and places none."""
        ...

    async def fetch_call(self, sid: str) -> CallRecord: ...

    async def calls_to(self, number: str, *, since: datetime) -> Sequence[CallRecord]:
        """Calls to a number (empty: to anybody) since then, oldest first; at most limits.CALL_LIST_MAX, the newest."""
        ...

    async def told(self, sid: str) -> Told | None:
        """What the carrier's webhooks about a call have told us; None where it does not say, or not yet."""
        ...

    async def hang_up(self, sid: str) -> None:
        """End a call in whatever state it is; an ended call is left alone."""
        ...

    async def send_message(self, *, to: str, body: str, reply_id: UUID) -> str: ...

    async def fetch_message(self, sid: str) -> MessageRecord: ...

    async def messages(
        self, *, number: str, inbound: bool, since: datetime, pages_max: int = 1
    ) -> Sequence[MessageRecord]:
        """Messages from (`inbound`) or to a person since then, oldest first.

        Of more than `pages_max` pages of limits.MESSAGE_LIST_MAX the newest.
        """
        ...


Form = Mapping[str, str]
