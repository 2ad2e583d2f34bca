"""People who text: an open model. Each text leaves at its time, whatever became of the ones before it.

Everybody has a number of their own and asks for one reminder, so that a call, a charge and a promise belong
together without any id of the service. What each was promised is kept as it is known, one JSON line each.
"""

import asyncio
import contextlib
import json
import random
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from deploy.lab.experiment import Load
from deploy.local.carrier.webhooks import encode, sign

ANSWER_SECONDS: Final = 16.0  # the carrier gives up after 15
_POLL_SECONDS: Final = 0.25
_SUBJECTS: Final = ("tea", "the dentist", "rent", "calling mum", "the pills", "the school play", "plants", "the car")
_NEVER_SECONDS: Final = 86_400
_PATH: Final = "/carriers/twilio/sms"

ACCEPTED, REFUSED, UNKNOWN, UNSENT = "accepted", "refused", "unknown", "unsent"


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text to send: `at` seconds after the load's start, due `due_in` seconds after the text."""

    at: float
    number: str
    body: str
    subject: str
    due_in: int
    phase: str


@dataclass(kw_only=True)
class Promise:
    """What one text was promised. Unix times; `answer` is accepted, refused, unknown or unsent.

    Unknown: it went out and no answer came, so it may have been taken. Unsent: the carrier did not take it.
    """

    number: str
    subject: str
    phase: str
    scheduled_at: float
    due_in: int
    sid: str = ""
    sent_at: float | None = None
    answered_at: float | None = None
    status: int | None = None
    reply: str = ""
    answer: str = UNSENT

    @property
    def rings(self) -> bool:
        """Whether it is due within the trial at all."""
        return self.due_in < _NEVER_SECONDS

    @property
    def due_at(self) -> float:
        """When it should ring, by what was said to the person: counted from when the service was asked."""
        return (self.sent_at or self.scheduled_at) + self.due_in

    @property
    def answer_seconds(self) -> float:
        """How long the answer took: the service may have counted the due time from any moment of it."""
        return max(0.0, self.answered_at - self.sent_at) if self.answered_at and self.sent_at else 0.0


def people(*, first: int) -> "Numbers":
    """Numbers that nobody had before, from this one on."""
    return Numbers(first)


class Numbers:
    """Hands out phone numbers in order: valid ones of Washington, D.C., of nobody in particular here."""

    def __init__(self, first: int) -> None:
        self._next = first

    def next(self) -> str:
        """A number that was not given before."""
        self._next += 1
        return f"+1202{self._next:07d}"


def texts(*, load: Load, seed: int, numbers: Numbers, phase: str) -> list[Text]:
    """What the load sends: the same for the same seed, but for the numbers."""
    draw = random.Random(seed)
    made = []
    for position in range(max(1, round(load.per_second * load.seconds))):
        at = position / load.per_second
        made.append(_text(load, draw, at=at, number=numbers.next(), phase=phase))
    if load.flood:
        flooding = numbers.next()
        for position in range(round(load.flood * load.flood_seconds)):
            at = load.flood_at + position / load.flood
            made.append(_text(load, draw, at=at, number=flooding, phase="flood"))
    return sorted(made, key=lambda text: text.at)


def _text(load: Load, draw: random.Random, *, at: float, number: str, phase: str) -> Text:
    if not load.rings:
        due_in = _NEVER_SECONDS
    elif load.due_at is not None:
        due_in = max(2, round(load.due_at - at))
    else:
        due_in = draw.randint(*load.due_in)
    subject = f"{draw.choice(_SUBJECTS)} {draw.randrange(16**5):05x}"
    body = f"Remind in {due_in} seconds about {subject}"
    return Text(at=at, number=number, body=body, subject=subject, due_in=due_in, phase=phase)


class Player:
    """Sends texts from a thread of its own and notes what was promised."""

    def __init__(self, *, interface: dict[str, str], texts: Sequence[Text], via: str, starts_at: float) -> None:
        self._interface = interface
        self._texts = texts
        self._via = via
        self._starts_at = starts_at
        self.promises: list[Promise] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()), name="load", daemon=True)

    def start(self) -> None:
        """Begin; the first text leaves at `starts_at`."""
        self._thread.start()

    def is_done(self) -> bool:
        """Whether everything was sent and answered, or given up."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Send no more; what was sent is waited for."""
        self._over.set()

    def join(self, seconds: float) -> None:
        """Wait for the last answer."""
        self._thread.join(seconds)

    async def _play(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=0, force_close=self._via == "webhook")
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            tasks = []
            for text in self._texts:
                await asyncio.sleep(max(0.0, self._starts_at + text.at - time.time()))
                if self._over.is_set():
                    break
                promise = Promise(
                    number=text.number,
                    subject=text.subject,
                    phase=text.phase,
                    scheduled_at=self._starts_at + text.at,
                    due_in=text.due_in,
                )
                self.promises.append(promise)
                send = self._by_webhook if self._via == "webhook" else self._by_phone
                tasks.append(asyncio.create_task(send(session, text, promise)))
            await asyncio.gather(*tasks)

    async def _by_phone(self, session: aiohttp.ClientSession, text: Text, promise: Promise) -> None:
        """As a person does: the carrier takes it, and delivers it by itself."""
        base = self._interface["carrier"]
        promise.sent_at = time.time()
        try:
            async with session.post(f"{base}/sim/sms", json={"from": text.number, "body": text.body}) as answer:
                promise.sid = (await answer.json())["sid"]
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError):
            return
        promise.answer = UNKNOWN
        until, wait = time.monotonic() + ANSWER_SECONDS, _POLL_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
                async with session.get(f"{base}/sim/messages/{promise.sid}") as answer:
                    note(promise, (await answer.json())["webhooks"])
            if promise.answered_at is not None:
                return
            await asyncio.sleep(wait)
            wait = min(2.0, wait * 1.5)  # most answers come at once; those that do not must not be asked for too often

    async def _by_webhook(self, session: aiohttp.ClientSession, text: Text, promise: Promise) -> None:
        """As the carrier does, signed, without the carrier: it knows nothing of this text."""
        promise.sid = "SM" + secrets.token_hex(16)
        form = self._form(text, promise.sid)
        signed = sign(token=self._interface["auth_token"], url=self._interface["public_base"] + _PATH, params=form)
        headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
        promise.sent_at = time.time()
        promise.answer = UNKNOWN
        try:
            async with session.post(
                self._interface["web"] + _PATH, data=encode(form).encode(), headers=headers
            ) as answer:
                promise.reply = (await answer.text())[:500]
                promise.status = answer.status
                promise.answer = ACCEPTED if answer.status < 300 else REFUSED
        except aiohttp.ClientConnectorError:
            promise.answer = REFUSED  # nobody was there to take it
        except (aiohttp.ClientError, OSError, TimeoutError):
            return
        promise.answered_at = time.time()

    def _form(self, text: Text, sid: str) -> list[tuple[str, str]]:
        return [
            ("MessageSid", sid), ("SmsSid", sid), ("AccountSid", self._interface["account_sid"]),
            ("From", text.number), ("To", self._interface["service_number"]), ("Body", text.body),
            ("NumMedia", "0"), ("NumSegments", "1"), ("ApiVersion", "2010-04-01"),
        ]  # fmt: skip


def note(promise: Promise, webhooks: Sequence[dict[str, Any]]) -> None:
    """What the carrier's webhooks of this text brought, once they have ended. A 2xx among them is a promise."""
    if not webhooks:
        return
    best = next((one for one in webhooks if one["status"] and one["status"] < 300), webhooks[-1])
    began = datetime.fromisoformat(best["at"]).timestamp()
    promise.sent_at = began
    promise.answered_at = began + best["ms"] / 1000
    promise.status = best["status"]
    promise.reply = str(best.get("body") or "")[:500]
    if best["status"] and best["status"] < 300:
        promise.answer = ACCEPTED
    elif best["status"] is None and any(one.get("error") != "ct" for one in webhooks):
        promise.answer = UNKNOWN  # it was sent, and the answer never came
    else:
        promise.answer = REFUSED


def write(place: Path, promises: Sequence[Promise]) -> None:
    """The record: one line for each promise, in the order of their times."""
    place.write_text("".join(json.dumps({**asdict(one), "due_at": one.due_at}) + "\n" for one in promises))
