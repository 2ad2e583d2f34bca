"""SMS in both directions: delivered to the service's webhook, to the phones, and blocked after STOP."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from deploy.local.carrier import twiml
from deploy.local.carrier.books import Books
from deploy.local.carrier.callbacks import API_VERSION, Callbacks
from deploy.local.carrier.calls import new_sid
from deploy.local.carrier.records import Call, Message
from deploy.local.carrier.settings import Settings
from deploy.local.carrier.texts import segments, whole
from deploy.local.carrier.twiml import Reply
from deploy.local.carrier.webhooks import Answer, Pairs, Sender

OPTED_OUT = 21610
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
STOP_CONFIRMATION = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_CONFIRMATION = (
    "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe."
)
SENT_AFTER_SECONDS, DELIVERED_AFTER_SECONDS = 0.02, 0.08
_COUNTRIES = {"1": "US", "44": "GB", "49": "DE", "33": "FR", "91": "IN", "61": "AU", "34": "ES", "39": "IT"}


class Desk:
    """Every message of every account."""

    def __init__(self, *, books: Books, sender: Sender, callbacks: Callbacks, settings: Settings) -> None:
        self._books = books
        self._sender = sender
        self._callbacks = callbacks
        self._settings = settings
        self._accounts = {account.sid: account for account in settings.accounts}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def receive(self, *, account: str, sender: str, body: str) -> Message:
        """A phone sends a text to the account's number; the webhook follows by itself."""
        message = Message(
            sid=new_sid("SM"),
            account=account,
            sender=sender,
            to=self._accounts[account].number,
            body=whole(body),
            direction="inbound",
            created_at=time.time(),
            segments=segments(whole(body)),
            status="received",
            sent_at=time.time(),
            owed=True,
        )
        self._books.add(message)
        self._heed_opt_words(message)
        self._start(self._deliver(message))
        return message

    def send(self, *, account: str, to: str, body: str, callbacks: tuple[str, ...], direction: str) -> Message:
        """Send a text to a phone; one that has opted out fails with 21610, once this has returned."""
        message = Message(
            sid=new_sid("SM"),
            account=account,
            sender=self._accounts[account].number,
            to=to,
            body=whole(body),
            direction=direction,
            created_at=time.time(),
            segments=segments(whole(body)),
            callbacks=callbacks,
        )
        self._books.add(message)
        self._move_on(message)
        return message

    def blocked(self, *, account: str, number: str) -> bool:
        """Whether the number has opted out of this account's messages."""
        return (account, number) in self._books.opted_out

    def reply_from_call(self, call: Call, reply: Reply) -> None:
        """<Sms> in the document of a call."""
        self.send(
            account=call.account,
            to=reply.to or call.person,
            body=reply.body,
            callbacks=reply.callbacks,
            direction="outbound-reply",
        )

    def resume(self) -> None:
        """After a restart: deliver what was not, and tell what is owed."""
        for message in list(self._books.messages.values()):
            if message.owed:
                self._start(self._deliver(message))
            elif not message.ended:
                self._move_on(message)
            self._callbacks.tell(message)

    def stop(self) -> None:
        """Leave what is under way to the next start."""
        self._stopped = True
        for task in list(self._tasks):
            task.cancel()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heed_opt_words(self, message: Message) -> None:
        kind = opt_type(message.body)
        if kind == "STOP" and self._books.opt(account=message.account, number=message.sender, out=True):
            self._confirm(message, STOP_CONFIRMATION)
        if kind == "START" and self._books.opt(account=message.account, number=message.sender, out=False):
            self._confirm(message, START_CONFIRMATION)

    def _confirm(self, message: Message, text: str) -> None:
        """The carrier's own answer: it passes the block that it announces, and has no callbacks."""
        confirmation = Message(
            sid=new_sid("SM"),
            account=message.account,
            sender=message.to,
            to=message.sender,
            body=text,
            direction="outbound-reply",
            created_at=time.time(),
            segments=segments(text),
            status="delivered",
            sent_at=time.time(),
        )
        self._books.add(confirmation)

    def _move_on(self, message: Message) -> None:
        """queued → sent → delivered, each after its moment."""
        loop = asyncio.get_running_loop()
        if self._stopped:
            return
        if self.blocked(account=message.account, number=message.to):
            loop.call_soon(self._turn, message, "failed", OPTED_OUT)
        elif message.status == "queued":
            loop.call_later(SENT_AFTER_SECONDS, self._sent, message)
        elif message.status == "sent":
            loop.call_later(DELIVERED_AFTER_SECONDS, self._delivered, message)

    def _sent(self, message: Message) -> None:
        self._turn(message, "sent", None)
        self._move_on(message)

    def _delivered(self, message: Message) -> None:
        behaviour = self._books.behaviour
        lost = behaviour.drawn(behaviour.undelivered, "undelivered", message.sid)
        self._turn(message, "undelivered" if lost else "delivered", 30003 if lost else None)

    def _turn(self, message: Message, status: str, error_code: int | None) -> None:
        if self._stopped:
            return
        values: dict[str, Any] = {"status": status}
        if error_code is not None:
            values["error_code"] = error_code
        if status == "sent":
            values["sent_at"] = time.time()
        if self._callbacks.wanted(message, status):
            values["events"] = [*message.events, [status, status, time.time()]]
        self._books.change(message, **values)
        self._callbacks.tell(message)

    async def _deliver(self, message: Message) -> None:
        """The webhook; with webhook_twice a second one at the same moment, whose answer counts once."""
        behaviour = self._books.behaviour
        times = 2 if behaviour.drawn(behaviour.faults.webhook_twice, "twice", message.sid) else 1
        sent = await asyncio.gather(*(self._webhook(message) for _ in range(times)))
        answers = [answer for attempts in sent for answer in attempts]
        shown = sorted((answer.shown() for answer in answers), key=lambda line: str(line["at"]))
        self._books.change(message, owed=False, webhooks=shown)
        for answer in answers:
            if answer.good and self._obey(message, answer):
                return

    async def _webhook(self, message: Message) -> list[Answer]:
        behaviour = self._books.behaviour
        return await self._sender.send(
            url=behaviour.sms_url or self._settings.sms_url,
            method="POST",
            token=self._accounts[message.account].token,
            params=parameters(message),
            fallback_url=behaviour.sms_fallback_url,
            spoil=behaviour.drawn(behaviour.faults.bad_signature, "signature", message.sid),
        )

    def _obey(self, message: Message, answer: Answer) -> bool:
        """Send what the answer asks for; whether it asked for anything."""
        replies = _replies(answer)
        for reply in replies:
            self.send(
                account=message.account,
                to=reply.to or message.sender,
                body=reply.body,
                callbacks=reply.callbacks,
                direction="outbound-reply",
            )
        return bool(replies)


def _replies(answer: Answer) -> list[Reply]:
    if not answer.body.strip():
        return []
    if answer.content_type == "text/plain":
        return [Reply(body=answer.body)]
    try:
        return [step for step in twiml.read(answer.body) if isinstance(step, Reply) and step.body]
    except twiml.TwimlError:
        return []


def opt_type(body: str) -> str | None:
    """STOP, START or HELP where the whole message is one such word, as the carrier reads it."""
    word = body.strip().upper()
    for kind, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return kind
    return None


def parameters(message: Message) -> Pairs:
    """The form of an inbound SMS, blank fields and all."""
    pairs = [
        ("ToCountry", _country(message.to)),
        ("ToState", ""),
        ("ToCity", ""),
        ("ToZip", ""),
        ("FromCountry", _country(message.sender)),
        ("FromState", ""),
        ("FromCity", ""),
        ("FromZip", ""),
        ("SmsMessageSid", message.sid),
        ("SmsSid", message.sid),
        ("MessageSid", message.sid),
        ("AccountSid", message.account),
        ("SmsStatus", "received"),
        ("From", message.sender),
        ("To", message.to),
        ("Body", message.body),
        ("NumMedia", "0"),
        ("NumSegments", str(message.segments)),
        ("ApiVersion", API_VERSION),
    ]
    kind = opt_type(message.body)
    return pairs + ([("OptOutType", kind)] if kind else [])


def _country(number: str) -> str:
    digits = number.removeprefix("+") if number.startswith("+") else ""
    return next((_COUNTRIES[digits[:size]] for size in (1, 2) if digits[:size] in _COUNTRIES), "")
