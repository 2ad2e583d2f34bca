"""A carrier in this process that obeys a script: Twilio's books and webhooks, without HTTP and without waiting.

It implements `reminders.carriers.base.Carrier`. What it does by itself (rings, is answered, calls back) lies in
`agenda`, in order of time; the world carries it out. `calls` and `messages` are its books: the truth of a test.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from reminders import tracing
from reminders.carriers.base import (
    CallRecord,
    CallRequest,
    MessageRecord,
    Rejected,
    Told,
    Unavailable,
    Unknown,
)
from reminders.carriers.twilio import CALL_ENDS, NAME
from tests.environment import SERVICE_NUMBER
from tests.world.clock import Clock
from tests.world.points import Points

RING_AFTER_SECONDS: Final = 1.0
PICK_UP_AFTER_SECONDS: Final = 3.0
TALK_SECONDS: Final = 6.0


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of one call, and of what the carrier tells about it."""

    end: str = "completed"  # Twilio's CallStatus: completed, busy, no-answer, failed
    press: str = ""
    answered_by: str | None = None
    queue_seconds: float = 0.0
    lose: frozenset[str] = frozenset()  # callbacks that are never sent: ringing, in-progress, the end, words, keys
    twice: bool = False
    delay_seconds: float = 0.0  # of status callbacks, which makes them come in another order than they happened
    reverse: bool = False


@dataclass(kw_only=True)
class Call:
    """One call in the carrier's books. `attempt` is ours, never shown by its list."""

    sid: str
    to: str
    attempt: UUID
    created_at: datetime
    listed_at: datetime
    fate: Fate
    ring_seconds: int
    status: str = "queued"
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    pressed: str = ""
    heard: bool = False
    carried: str = ""  # what the addresses of its callbacks end in

    @property
    def over(self) -> bool:
        return self.status in CALL_ENDS


@dataclass(kw_only=True)
class Text:
    """One SMS in the carrier's books; `reply` is the id of ours that its callback names."""

    sid: str
    sender: str
    to: str
    body: str
    created_at: datetime
    listed_at: datetime
    inbound: bool
    status: str
    reply: UUID | None = None
    answered: int | None = None  # the HTTP status of our answer to its webhook
    carried: str = ""  # what the address of its callback ends in


Post = Callable[[str, dict[str, str]], object]


@dataclass
class ObedientCarrier:
    """The carrier: `fate_of` says what becomes of each call, `answer_to` what a request meets first."""

    clock: Clock
    points: Points
    post: Post
    name: str = NAME
    fate_of: Callable[[Call], Fate] = lambda _: Fate()
    refuse_call: Callable[[CallRequest], Exception | None] = lambda _: None
    lose_call: Callable[[CallRequest], bool] = lambda _: False
    refuse_text: Callable[[str], Exception | None] = lambda _: None
    list_lag_seconds: float = 0.0
    tells: bool = True  # what its webhooks told, a while after a call
    calls: list[Call] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _sids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # ---- what we ask of it -------------------------------------------------------------------------
    async def place_call(self, request: CallRequest) -> str:
        self.points.reach("carrier.place_call before")
        if (refusal := self.refuse_call(request)) is not None:
            raise refusal
        call = Call(
            sid=self.sid("CA"),
            to=request.to,
            attempt=request.attempt_id,
            created_at=self._second(),
            listed_at=self.clock.now + timedelta(seconds=self.list_lag_seconds),
            fate=Fate(),
            ring_seconds=request.ring_seconds,
            carried=tracing.carried(),
        )
        call.fate = self.fate_of(call)
        self.calls.append(call)
        self.later(call.fate.queue_seconds + RING_AFTER_SECONDS, lambda: self._ring(call))
        self._told("place_call", lost=self.lose_call(request))
        return call.sid

    async def try_out(self) -> None:
        refusal = self.refuse_call(CallRequest(attempt_id=UUID(int=0), to="", ring_seconds=1))
        if isinstance(refusal, Unavailable) or (isinstance(refusal, Rejected) and refusal.ours):
            raise refusal

    async def fetch_call(self, sid: str) -> CallRecord:
        self.points.reach("carrier.fetch_call before")
        found = _record(self._call(sid))
        self._told("fetch_call")
        return found

    async def calls_to(self, number: str, *, since: datetime) -> Sequence[CallRecord]:
        self.points.reach("carrier.calls_to before")
        asked = [c for c in self.calls if number in ("", c.to)]
        listed = [c for c in asked if c.created_at >= since and c.listed_at <= self.clock.now]
        self._told("calls_to")
        return [_record(call) for call in listed]

    async def told(self, sid: str) -> Told | None:
        call = self._call(sid)
        return (
            Told(attempt_id=call.attempt, pressed=call.pressed, had_words=call.heard)
            if self.tells and call.over
            else None
        )

    async def hang_up(self, sid: str) -> None:
        self.points.reach("carrier.hang_up before")
        call = self._call(sid)
        if not call.over:
            self._end(call, "completed" if call.status == "in-progress" else "canceled")
        self._told("hang_up")

    async def send_message(self, *, to: str, body: str, reply_id: UUID) -> str:
        self.points.reach("carrier.send_message before")
        if (refusal := self.refuse_text(to)) is not None:
            raise refusal
        text = self.take_text(to=to, body=body, reply=reply_id, carried=tracing.carried())
        self._told("send_message")
        return text.sid

    async def fetch_message(self, sid: str) -> MessageRecord:
        self.points.reach("carrier.fetch_message before")
        found = next((_message(text) for text in self.texts if text.sid == sid), None)
        self._told("fetch_message")
        if found is None:
            raise Rejected("404/20404")
        return found

    async def messages(
        self, *, number: str, inbound: bool, since: datetime, pages_max: int = 1
    ) -> Sequence[MessageRecord]:
        self.points.reach("carrier.messages before")
        listed = [
            _message(text)
            for text in self.texts
            if text.inbound is inbound
            and (not number or number == (text.sender if inbound else text.to))
            and text.created_at >= since
            and text.listed_at <= self.clock.now
        ]
        self._told("messages")
        return listed

    # ---- what it does by itself --------------------------------------------------------------------
    def sid(self, kind: str) -> str:
        """A fresh id of the carrier's."""
        return f"{kind}{next(self._sids):032x}"

    def take_text(self, *, to: str, body: str, reply: UUID | None, carried: str = "") -> Text:
        """An SMS of ours, taken and delivered."""
        text = Text(
            sid=self.sid("SM"),
            sender=SERVICE_NUMBER,
            to=to,
            body=body,
            created_at=self._second(),
            listed_at=self.clock.now + timedelta(seconds=self.list_lag_seconds),
            inbound=False,
            status="queued",
            reply=reply,
            carried=carried,
        )
        self.texts.append(text)
        self.later(1.0, lambda: self._deliver(text))
        return text

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Put something on the agenda."""
        heapq.heappush(self.agenda, (self.clock.now + timedelta(seconds=seconds), next(self._order), do))

    def next_at(self) -> datetime | None:
        """When the carrier does something next."""
        return self.agenda[0][0] if self.agenda else None

    def act(self) -> None:
        """Do everything on the agenda that is due."""
        while self.agenda and self.agenda[0][0] <= self.clock.now:
            heapq.heappop(self.agenda)[2]()

    def _deliver(self, text: Text) -> None:
        text.status = "delivered"
        if text.reply is not None:
            form = {"MessageSid": text.sid, "MessageStatus": "delivered"}
            self.post(f"/carriers/twilio/message-status?reply={text.reply}{text.carried}", form)

    def _ring(self, call: Call) -> None:
        if call.over:
            return
        call.status, call.ringing_at = "ringing", self.clock.now
        if call.fate.end == "completed":
            self.later(PICK_UP_AFTER_SECONDS, lambda: self._pick_up(call))
        else:
            wait = call.ring_seconds if call.fate.end == "no-answer" else PICK_UP_AFTER_SECONDS
            self.later(wait, lambda: self._end(call, call.fate.end))
        self._call_back(call, "ringing")

    def _pick_up(self, call: Call) -> None:
        if call.over:
            return
        call.status, call.answered_at = "in-progress", self.clock.now
        self.later(TALK_SECONDS, lambda: self._end(call, "completed"))
        if call.fate.press and "keys" not in call.fate.lose:
            self.later(TALK_SECONDS / 2, lambda: self._press(call, call.fate.press))
        self._call_back(call, "in-progress")
        if "words" not in call.fate.lose:
            self._ask_words(call)

    def _ask_words(self, call: Call) -> None:
        form = {"CallSid": call.sid, "CallStatus": "in-progress"}
        if call.fate.answered_by:
            form["AnsweredBy"] = call.fate.answered_by
        answer = self.post(f"/carriers/twilio/words?attempt={call.attempt}{call.carried}", form)
        if isinstance(answer, str) and "<Say" in answer:
            call.heard = True
        else:
            self._end(call, "completed")  # hung up by us, or an error that Twilio speaks before it hangs up

    def _press(self, call: Call, keys: str) -> None:
        if call.over or not call.heard:
            return
        for key in keys:
            form = {"CallSid": call.sid, "Digits": key}
            if self.post(f"/carriers/twilio/keys?attempt={call.attempt}{call.carried}", form) is not None:
                call.pressed += key

    def _end(self, call: Call, status: str) -> None:
        if call.over:
            return
        call.status, call.ended_at = status, self.clock.now
        self._call_back(call, status)

    def _call_back(self, call: Call, status: str) -> None:
        if status in call.fate.lose or ("end" in call.fate.lose and status in CALL_ENDS):
            return
        form = {
            "CallSid": call.sid,
            "CallStatus": status,
            "Timestamp": self.clock.now.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        }
        if status == "completed" and call.answered_at is not None:
            form["CallDuration"] = str(max(1, round((self.clock.now - call.answered_at).total_seconds())))
        if call.fate.answered_by and status in ("in-progress", "completed"):
            form["AnsweredBy"] = call.fate.answered_by
        delay = call.fate.delay_seconds
        if call.fate.reverse and status not in CALL_ENDS:
            delay += 2 * TALK_SECONDS
        path = f"/carriers/twilio/call-status?attempt={call.attempt}{call.carried}"
        for _ in range(2 if call.fate.twice else 1):
            self.later(delay, lambda: self._send(path, form))

    def _send(self, path: str, form: dict[str, str]) -> None:
        self.post(path, form)

    def _call(self, sid: str) -> Call:
        for call in self.calls:
            if call.sid == sid:
                return call
        raise Rejected("404/20404", ours=True)

    def _second(self) -> datetime:
        return self.clock.now.replace(microsecond=0)

    def _told(self, what: str, *, lost: bool = False) -> None:
        if lost or self.points.reach(f"carrier.{what} reply lost", raising=False):
            raise Unknown("reply_lost")
        self.points.reach(f"carrier.{what} after")


def _record(call: Call) -> CallRecord:
    talked = call.over and call.answered_at is not None and call.ended_at is not None
    return CallRecord(
        sid=call.sid,
        to=call.to,
        status=call.status,
        created_at=call.created_at,
        started_at=call.created_at.replace(microsecond=0) if call.ringing_at else None,  # when it was dialled
        ended_at=call.ended_at.replace(microsecond=0) if call.ended_at else None,
        duration_seconds=(
            max(1, round((call.ended_at - call.answered_at).total_seconds()))
            if talked and call.ended_at and call.answered_at
            else (0 if call.over else None)
        ),
        answered_by=call.fate.answered_by if call.answered_at else None,
    )


def _message(text: Text) -> MessageRecord:
    return MessageRecord(
        sid=text.sid,
        sender=text.sender,
        to=text.to,
        body=text.body,
        status=text.status,
        inbound=text.inbound,
        created_at=text.created_at,
        error=None,
    )
