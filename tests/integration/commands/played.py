"""A history that happened: people who text, are rung, answer, miss, stop; by the real stages, with a carrier's books.

It is played into a template, and cloned for every test; the books are kept beside it.
"""

import os
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from django.core.management import call_command

from reminders import delivery, dispatch, intake, outcomes, recovery, tracing
from reminders.carriers.base import CallRecord, CallRequest, Evidence, Inbound, MessageRecord, Told, Unavailable
from reminders.clock import Looker
from reminders.poison import NOBODY
from reminders.retry import Policy
from tests import databases, servers

SERVICE: Final = "+12025550100"
ANSWERS: Final = "+12025550123"  # answers, presses 1
MISSES: Final = "+12025550124"  # never answers: three attempts, then told
WAITS: Final = "+12025550125"  # tomorrow; also LIST and words that nobody understands
STOPS: Final = "+12025550126"  # said STOP
LATE: Final = "+12025550127"  # rung two minutes late, answers, is not charged
RINGS: Final = "+12025550128"  # rings at this moment
SNOOZES: Final = "+12025550129"  # pressed 2

POLICY: Final = Policy(
    attempts=3,
    retry_seconds=0,
    snooze_seconds=600,
    ring_timeout_seconds=30,
    lookup_horizon_seconds=20,
    freshness_seconds=60,
    lease_seconds=15,
)
NAME: Final = f"audited_{os.getpid()}"
# In it a phone rings and its look-up is due: an hour later that would be a break. So it is played again now and then.
FRESH_SECONDS: Final = 30.0
_played_at: list[float] = []


@dataclass
class BookedCarrier:
    """A carrier that places every call and keeps books which a test may falsify. `away`: it cannot be asked."""

    name: str = "twilio"
    calls: dict[str, CallRecord] = field(default_factory=dict)
    texts: dict[str, MessageRecord] = field(default_factory=dict)
    away: bool = False

    async def place_call(self, request: CallRequest) -> str:
        return self.book_call(request.to)

    async def try_out(self) -> None:
        raise NotImplementedError

    async def fetch_call(self, sid: str) -> CallRecord:
        return self.calls[sid]

    async def calls_to(self, number: str, *, since: datetime) -> Sequence[CallRecord]:
        if self.away:
            raise Unavailable("connection")
        return [one for one in self.calls.values() if number in ("", one.to)]

    async def told(self, sid: str) -> Told | None:
        raise NotImplementedError

    async def hang_up(self, sid: str) -> None:
        raise NotImplementedError

    async def send_message(self, *, to: str, body: str, reply_id: UUID) -> str:
        return self.book_text(to=to, body=body)

    async def fetch_message(self, sid: str) -> MessageRecord:
        return self.texts[sid]

    async def messages(
        self, *, number: str, inbound: bool, since: datetime, pages_max: int = 1
    ) -> Sequence[MessageRecord]:
        if self.away:
            raise Unavailable("connection")
        return [one for one in self.texts.values() if one.inbound == inbound]

    def book_call(self, to: str, *, at: datetime | None = None) -> str:
        sid = "CA" + uuid4().hex
        at = (at or datetime.now(UTC)).replace(microsecond=0)
        self.calls[sid] = CallRecord(
            sid=sid,
            to=to,
            status="ringing",
            created_at=at,
            started_at=at,
            ended_at=None,
            duration_seconds=None,
            answered_by=None,
        )
        return sid

    def book_text(self, *, to: str = SERVICE, sender: str = SERVICE, body: str, at: datetime | None = None) -> str:
        sid = "SM" + uuid4().hex
        self.texts[sid] = MessageRecord(
            sid=sid,
            sender=sender,
            to=to,
            body=body,
            status="received" if to == SERVICE else "delivered",
            inbound=to == SERVICE,
            created_at=(at or datetime.now(UTC)).replace(microsecond=0),
            error=None,
        )
        return sid

    def end_call(self, sid: str, status: str, *, seconds: int, at: datetime) -> None:
        ended = replace(self.calls[sid], status=status, duration_seconds=seconds, ended_at=at.replace(microsecond=0))
        self.calls[sid] = ended


@contextmanager
def played() -> Iterator[tuple[servers.Database, BookedCarrier]]:
    """A fresh clone of the history behind Django's connection, and the carrier's books of it."""
    pair = servers.running()
    if not _played_at or time.monotonic() - _played_at[-1] > FRESH_SECONDS:
        _played_at.append(time.monotonic())
    name = f"{NAME}_{len(_played_at)}"
    kept = Path(pair.directory) / f"{name}.books"

    def build(database: servers.Database) -> None:
        with databases.pointed_at(database.owner_url):
            call_command("migrate", verbosity=0)
        with databases.pointed_at(database.app_url):
            kept.write_bytes(pickle.dumps(play()))

    pair.template(name, build)
    database = pair.clone(name)
    try:
        with databases.pointed_at(database.app_url):
            yield database, pickle.loads(kept.read_bytes())
    finally:
        database.drop()


def play() -> BookedCarrier:
    """Play it; the books of the carrier."""
    carrier, ago = BookedCarrier(), timedelta(minutes=5)
    text(carrier, ANSWERS, "Remind in 5 minutes about tea", ago=ago)
    text(carrier, MISSES, "Remind in 5 minutes about milk", ago=ago)
    text(carrier, WAITS, "Remind in 2 days about rent", ago=ago)
    text(carrier, WAITS, "LIST", ago=ago)
    text(carrier, WAITS, "how lovely the moon is", ago=ago)
    text(carrier, STOPS, "Remind in 2 days about the dentist", ago=ago)
    text(carrier, STOPS, "STOP", ago=timedelta(minutes=4))
    text(carrier, LATE, "Remind in 3 minutes about the bus", ago=ago)
    text(carrier, SNOOZES, "Remind in 5 minutes about the oven", ago=ago)
    text(carrier, RINGS, "Remind in 5 minutes about the cat", ago=ago)
    ring(carrier)
    for number in (ANSWERS, LATE):
        answer(carrier, number, key="1")
    answer(carrier, SNOOZES, key="2")
    for _ in range(POLICY.attempts):
        do_not_answer(carrier, MISSES)
        ring(carrier)
    send_notices(carrier)
    return carrier


def text(carrier: BookedCarrier, number: str, body: str, *, ago: timedelta) -> intake.Answer:
    """A person texts; the reply reaches them."""
    at = datetime.now(UTC) - ago
    sid = carrier.book_text(sender=number, body=body, at=at)
    message = Inbound(carrier=carrier.name, carrier_sid=sid, sender=number, body=body, opt_out=None)
    answered = intake.accept(message=message, received_at=at, trace_context=tracing.new())
    if answered.reply_id is not None and answered.body is not None:
        arrived(carrier, answered.reply_id, carrier.book_text(to=number, body=answered.body, at=at))
    return answered


def arrived(carrier: BookedCarrier, reply_id: UUID, sid: str) -> None:
    """The carrier says that an SMS of ours arrived."""
    recovery.fold_message(reply_id=reply_id, carrier_sid=sid, status="delivered", error=None, carrier=carrier.name)


def ring(carrier: BookedCarrier) -> None:
    """Claim what is due and ring it."""
    pacing = dispatch.Pacing(account="AC", calls_per_second=0, concurrent_calls=100)
    claimer = dispatch.Claimer(pacing=pacing, lease_seconds=POLICY.lease_seconds)
    token, claimed = claimer.claim(monotonic=0.0)
    rings = [one.id for one in claimed if one.kind == "ring"]
    if rings:
        delivery.deliver(
            timer_ids=rings,
            token=token,
            carrier=carrier,
            elsewhere=lambda: False,
            policy=POLICY,
            worker="worker-1",
            trace_context=tracing.new(),
            looker=Looker(boot="test", monotonic_ms=0),
            witness=NOBODY,
        )


def answer(carrier: BookedCarrier, number: str, *, key: str) -> None:
    """They pick up, hear the words, press a key; the call ends."""
    sid, attempt_id, now = *_open_call(carrier, number), datetime.now(UTC)
    _fold(carrier, attempt_id, Evidence(carrier_sid=sid, ringing_at=now))
    outcomes.ask_words(
        attempt_id=attempt_id, carrier="twilio", carrier_sid=sid, answered_by=None, policy=POLICY, now=now
    )
    _fold(carrier, attempt_id, Evidence(carrier_sid=sid, answered_at=now, pressed=key))
    carrier.end_call(sid, "completed", seconds=7, at=now)
    end = Evidence(carrier_sid=sid, call_ended_at=now, call_status="answered", duration_seconds=7)
    _fold(carrier, attempt_id, end)


def do_not_answer(carrier: BookedCarrier, number: str) -> None:
    """It rings until the carrier gives up."""
    sid, attempt_id, now = *_open_call(carrier, number), datetime.now(UTC)
    _fold(carrier, attempt_id, Evidence(carrier_sid=sid, ringing_at=now))
    carrier.end_call(sid, "no-answer", seconds=0, at=now)
    _fold(carrier, attempt_id, Evidence(carrier_sid=sid, call_ended_at=now, call_status="no_answer"))


def send_notices(carrier: BookedCarrier) -> None:
    """Send what waits to be sent, and let it arrive."""
    from reminders.models import Reply

    for reply in Reply.objects.filter(state="intended"):
        recovery.tend_reply(reply_id=reply.id, carrier=carrier, policy=POLICY)
        reply.refresh_from_db()
        assert reply.carrier_sid is not None
        arrived(carrier, reply.id, reply.carrier_sid)


def _open_call(carrier: BookedCarrier, number: str) -> tuple[str, UUID]:
    from reminders.models import CarrierKey

    sid = next(one.sid for one in carrier.calls.values() if one.to == number and one.status == "ringing")
    return sid, CarrierKey.objects.get(carrier_sid=sid).id


def _fold(carrier: BookedCarrier, attempt_id: UUID, evidence: Evidence) -> None:
    outcomes.fold(attempt_id=attempt_id, evidence=evidence, policy=POLICY, carrier=carrier.name, now=datetime.now(UTC))
