"""Calls: queued, dialled at the account's pace, ringing, answered, ended. Timers, not tasks, wait."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from deploy.local.carrier.books import Books
from deploy.local.carrier.callbacks import Callbacks
from deploy.local.carrier.conversation import Conversation
from deploy.local.carrier.records import Call
from deploy.local.carrier.settings import Settings
from deploy.local.carrier.twiml import Reject, Reply
from deploy.local.carrier.webhooks import Sender

# How far the pump may catch up after the loop was busy: a pause must not lower the pace for good.
CATCH_UP_SECONDS = 0.05


class CallRefusedError(Exception):
    """The call is not in a state in which that can be done; the text says so."""


def new_sid(prefix: str) -> str:
    """A new id in Twilio's form: two letters and 32 hex digits."""
    return f"{prefix}{random.getrandbits(128):032x}"


class Lines:
    """Every call of every account. reply sends an SMS that a call's document asks for."""

    def __init__(
        self,
        *,
        books: Books,
        sender: Sender,
        callbacks: Callbacks,
        settings: Settings,
        reply: Callable[[Call, Reply], None],
    ) -> None:
        self._books = books
        self._sender = sender
        self._callbacks = callbacks
        self._tokens = {account.sid: account.token for account in settings.accounts}
        self._reply = reply
        self._queues: dict[str, deque[Call]] = {account.sid: deque() for account in settings.accounts}
        self._free_at = dict.fromkeys(self._queues, 0.0)
        self._pumps: dict[str, asyncio.Handle] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._talks: dict[str, Conversation] = {}
        self._stopped = False

    def place(self, call: Call) -> None:
        """Take a call into the queue; it is dialled when its turn comes."""
        phone = self._books.phones.get(call.to)
        call.nth = 1 + (len(phone.calls) if phone else 0)
        self._books.add(call)
        self._queues[call.account].append(call)
        # Not at once: the reply says "queued", and a burst is dialled in one go.
        if call.account not in self._pumps:
            soon = asyncio.get_running_loop().call_soon(self._pump_again, call.account)
            self._pumps[call.account] = soon

    def receive(self, call: Call) -> None:
        """A phone calls the service: ring there, and run what it answers."""
        call.status, call.ringing_at = "ringing", call.created_at
        self._books.add(call)
        self._talk(call, by_hand=True)

    def answer(self, call: Call, *, by_hand: bool = True, machine: bool = False) -> None:
        """The phone is picked up; raises CallRefusedError unless it rings."""
        if call.status != "ringing" or call.direction == "inbound":
            raise CallRefusedError(f"the call is {call.status}, not ringing")
        answered_by = "machine_start" if machine else "human"
        self._move(call, "answered", status="in-progress", answered_at=time.time(), answered_by=answered_by)
        self._talk(call, by_hand=by_hand, press=None if by_hand or machine else self._books.behaviour.press)

    def decline(self, call: Call) -> None:
        """The person refuses a ringing call or hangs up; raises CallRefusedError when it has ended."""
        if call.ended or call.status == "queued":
            raise CallRefusedError(f"the call is {call.status}")
        self.end(call, "busy" if call.status == "ringing" and call.direction != "inbound" else "completed")

    def press(self, call: Call, digits: str) -> None:
        """Keys are pressed in an answered call; raises CallRefusedError when it is not in progress."""
        talk = self._talks.get(call.sid)
        if talk is None or call.status != "in-progress":
            raise CallRefusedError(f"the call is {call.status}, not in progress")
        talk.press(digits)

    def end(self, call: Call, status: str) -> None:
        """The call is over; a call that had ended already stays as it was."""
        if call.ended:
            return
        self._cancel_timer(call)
        self._move(call, "completed", status=status, ended_at=time.time())
        talk = self._talks.pop(call.sid, None)
        if talk is not None and talk.task is not None and talk.task is not asyncio.current_task():
            talk.task.cancel()

    def redirect(self, call: Call, *, url: str, method: str, twiml: str) -> None:
        """The account gives a call in progress another document; raises CallRefusedError."""
        if call.status != "in-progress":
            raise CallRefusedError(f"the call is {call.status}, not in progress")
        talk = self._talks.pop(call.sid, None)
        if talk is not None and talk.task is not None:
            talk.task.cancel()
        self._books.change(call, url=url, method=method, twiml=twiml)
        self._talk(call, by_hand=True)

    def resume(self) -> None:
        """After a restart: queued and ringing calls go on, calls in progress drop unless nothing was said."""
        for call in list(self._books.calls.values()):
            if call.status == "queued":
                self._resume_queued(call)
            elif call.status == "ringing":
                self._resume_ringing(call)
            elif call.status == "in-progress":
                self._resume_answered(call)
            self._callbacks.tell(call)

    def stop(self) -> None:
        """Stop everything where it is: the next start goes on from the books."""
        self._stopped = True
        for handle in (*self._timers.values(), *self._pumps.values()):
            handle.cancel()
        for talk in list(self._talks.values()):
            if talk.task is not None:
                talk.task.cancel()

    def pace_changed(self) -> None:
        """calls_per_second is another: do not wait out the old interval."""
        for account, handle in list(self._pumps.items()):
            handle.cancel()
            del self._pumps[account]
            self._free_at[account] = 0.0
            self._pump(account)

    def _pump(self, account: str) -> None:
        """Dial what may be dialled now, and come back when the next may be."""
        if account in self._pumps:
            return
        loop = asyncio.get_running_loop()
        queue, now = self._queues[account], loop.time()
        free_at = max(self._free_at[account], now - CATCH_UP_SECONDS)
        rate = self._books.behaviour.calls_per_second
        while queue and rate and free_at <= now:
            call = queue.popleft()
            if call.status == "queued":
                free_at += 1 / rate
                self._dial(call)
        self._free_at[account] = free_at
        if queue:
            wait = free_at - now if rate else 1.0
            self._pumps[account] = loop.call_later(wait, self._pump_again, account)

    def _pump_again(self, account: str) -> None:
        del self._pumps[account]
        self._pump(account)

    def _dial(self, call: Call) -> None:
        self._move(call, "initiated", dialled_at=time.time())
        self._after(call, self._books.behaviour.ring_after_seconds, self._ring)

    def _ring(self, call: Call) -> None:
        behaviour = self._books.behaviour
        for share, status in ((behaviour.fail, "failed"), (behaviour.busy, "busy")):
            if self._struck(call, share, status):
                self.end(call, status)
                return
        self._move(call, "ringing", status="ringing", ringing_at=time.time())
        self._await_the_phone(call, time.time())

    def _await_the_phone(self, call: Call, now: float) -> None:
        """What this phone will do by itself, and when; a person may be quicker."""
        behaviour, rang = self._books.behaviour, now - (call.ringing_at or now)
        wait = behaviour.answer_after_seconds
        deed = self._deed(call)
        if deed is None or wait >= call.timeout:
            deed, wait = self._no_answer, float(call.timeout)
        self._after(call, max(0.0, wait - rang), deed)

    def _deed(self, call: Call) -> Callable[[Call], None] | None:
        behaviour = self._books.behaviour
        if self._struck(call, behaviour.decline, "decline"):
            return self.decline
        if self._struck(call, behaviour.voicemail, "voicemail"):
            return self._voicemail
        share = {"always": 1.0, "never": 0.0, "manual": 0.0}.get(str(behaviour.answer))
        if self._struck(call, float(behaviour.answer) if share is None else share, "answer"):
            return self._pick_up
        return None

    def _pick_up(self, call: Call) -> None:
        self.answer(call, by_hand=False)

    def _voicemail(self, call: Call) -> None:
        self.answer(call, by_hand=False, machine=True)

    def _no_answer(self, call: Call) -> None:
        self.end(call, "no-answer")

    def _struck(self, call: Call, share: float, purpose: str) -> bool:
        return self._books.behaviour.drawn(share, purpose, f"{call.to}|{call.nth}")

    def _after(self, call: Call, seconds: float, deed: Callable[[Call], None]) -> None:
        if seconds <= 0.0:
            deed(call)
            return
        handle = asyncio.get_running_loop().call_later(seconds, self._due, call, deed)
        self._timers[call.sid] = handle

    def _due(self, call: Call, deed: Callable[[Call], None]) -> None:
        self._timers.pop(call.sid, None)
        deed(call)

    def _cancel_timer(self, call: Call) -> None:
        handle = self._timers.pop(call.sid, None)
        if handle is not None:
            handle.cancel()

    def _move(self, call: Call, event: str, **values: Any) -> None:
        """Change the call and owe the callback of it, in one row of the journal."""
        at = next((value for name, value in values.items() if name.endswith("_at")), call.created_at)
        status = "initiated" if event == "initiated" else values["status"]
        if self._callbacks.wanted(call, event):
            values["events"] = [*call.events, [event, status, at]]
        self._books.change(call, **values)
        self._callbacks.tell(call)

    def _talk(self, call: Call, *, by_hand: bool, press: str | None = None) -> None:
        self._cancel_timer(call)
        talk = Conversation(
            call=call,
            books=self._books,
            sender=self._sender,
            token=self._tokens[call.account],
            words_per_second=self._books.behaviour.words_per_second if by_hand else 0.0,
            press=press,
            reply=self._reply,
        )
        self._talks[call.sid] = talk
        talk.task = asyncio.get_running_loop().create_task(self._converse(call, talk))

    async def _converse(self, call: Call, talk: Conversation) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(call.time_limit):
                await self._through(call, talk)
        self.end(call, "completed")

    async def _through(self, call: Call, talk: Conversation) -> None:
        steps = await talk.first()
        if call.status == "ringing":
            if steps and isinstance(steps[0], Reject):
                self.end(call, "busy" if steps[0].reason == "busy" else "no-answer")
                return
            self._move(call, "answered", status="in-progress", answered_at=time.time())
        await talk.run(steps)

    def _resume_queued(self, call: Call) -> None:
        if call.dialled_at is not None:
            self._after(call, self._books.behaviour.ring_after_seconds, self._ring)
        elif call.account in self._queues:
            self._queues[call.account].append(call)
            self._pump(call.account)

    def _resume_ringing(self, call: Call) -> None:
        if call.direction == "inbound":
            self.end(call, "failed")
        else:
            self._await_the_phone(call, time.time())

    def _resume_answered(self, call: Call) -> None:
        if call.heard or call.direction == "inbound":
            self.end(call, "completed")
        else:
            self._talk(call, by_hand=False, press=self._books.behaviour.press)
