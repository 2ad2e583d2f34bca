"""Status callbacks: in order and once, unless a fault says otherwise; none is lost by a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from deploy.local.carrier.books import Books
from deploy.local.carrier.records import Call, Message
from deploy.local.carrier.times import rfc2822
from deploy.local.carrier.webhooks import Pairs, Sender

API_VERSION = "2010-04-01"


class Callbacks:
    """Sends what records owe. tokens are the accounts' signing keys."""

    def __init__(self, *, books: Books, sender: Sender, tokens: Mapping[str, str]) -> None:
        self._books = books
        self._sender = sender
        self._tokens = tokens
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped = False

    def wanted(self, record: Call | Message, event: str) -> bool:
        """Whether this event of the record is to be told at all."""
        if isinstance(record, Call):
            asked = bool(record.callback) and event in record.callback_events
        else:
            asked = bool(record.callbacks)
        share = self._books.behaviour.callbacks
        return asked and (share >= 1.0 or self._books.behaviour.drawn(share, "callbacks", record.sid + event))

    def tell(self, record: Call | Message) -> None:
        """Begin to send what the record owes, if that is not under way."""
        if record.told < len(record.events) and record.sid not in self._running and not self._stopped:
            task = asyncio.get_running_loop().create_task(self._tell(record))
            self._running[record.sid] = task
            task.add_done_callback(lambda _: self._finished(record))

    def _finished(self, record: Call | Message) -> None:
        self._running.pop(record.sid, None)
        if not self._stopped and (record.ended or not self._reversed(record)):
            self.tell(record)

    def stop(self) -> None:
        """Leave what is owed to the next start."""
        self._stopped = True
        for task in list(self._running.values()):
            task.cancel()

    async def _tell(self, record: Call | Message) -> None:
        if self._reversed(record):
            if not record.ended:
                return
            for sequence in reversed(range(record.told, len(record.events))):
                await self._one(record, sequence)
            self._books.change(record, told=len(record.events))
            return
        while record.told < len(record.events):
            await self._one(record, record.told)
            self._books.change(record, told=record.told + 1)

    def _reversed(self, record: Call | Message) -> bool:
        return self._books.behaviour.drawn(self._books.behaviour.faults.callbacks_reverse, "reverse", record.sid)

    async def _one(self, record: Call | Message, sequence: int) -> None:
        behaviour, faults = self._books.behaviour, self._books.behaviour.faults
        key = f"{record.sid}|{sequence}"
        if faults.callbacks_delay_seconds:
            await asyncio.sleep(faults.callbacks_delay_seconds)
        if behaviour.drawn(faults.callbacks_drop, "drop", key):
            return
        times = 2 if behaviour.drawn(faults.callbacks_duplicate, "duplicate", key) else 1
        spoil = behaviour.drawn(faults.bad_signature, "signature", key)
        for _ in range(times):
            for url, method in _addresses(record):
                await self._sender.send(
                    url=url,
                    method=method,
                    token=self._tokens[record.account],
                    params=parameters(record, sequence),
                    spoil=spoil,
                )


def _addresses(record: Call | Message) -> list[tuple[str, str]]:
    if isinstance(record, Call):
        return [(record.callback, record.callback_method)]
    return [(url, "POST") for url in record.callbacks]


def parameters(record: Call | Message, sequence: int) -> Pairs:
    """The form of one callback, as Twilio sends it."""
    _, status, at = record.events[sequence]
    if isinstance(record, Message):
        return _message_parameters(record, status)
    pairs = [
        *call_parameters(record, status),
        ("Timestamp", rfc2822(at) or ""),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(sequence)),
    ]
    if record.events[sequence][0] == "completed":
        seconds = record.duration_seconds
        pairs += [("CallDuration", str(seconds)), ("Duration", str(-(-seconds // 60)))]
    return pairs


def call_parameters(call: Call, status: str) -> list[tuple[str, str]]:
    """What every request about a call carries."""
    pairs = [
        ("CallSid", call.sid),
        ("AccountSid", call.account),
        ("From", call.sender),
        ("To", call.to),
        ("Caller", call.sender),
        ("Called", call.to),
        ("CallStatus", status),
        ("ApiVersion", API_VERSION),
        ("Direction", call.direction),
    ]
    if call.answered_by and call.machine_detection:
        pairs.append(("AnsweredBy", call.answered_by))
    return pairs


def _message_parameters(message: Message, status: str) -> Pairs:
    pairs = [
        ("MessageSid", message.sid),
        ("SmsSid", message.sid),
        ("AccountSid", message.account),
        ("From", message.sender),
        ("To", message.to),
        ("MessageStatus", status),
        ("SmsStatus", status),
        ("ApiVersion", API_VERSION),
    ]
    return pairs + ([("ErrorCode", str(message.error_code))] if message.error_code else [])
