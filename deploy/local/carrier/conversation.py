"""An answered call: its TwiML run step by step, the words heard, the keys pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urljoin

from deploy.local.carrier import twiml
from deploy.local.carrier.books import Books
from deploy.local.carrier.callbacks import call_parameters
from deploy.local.carrier.records import Call
from deploy.local.carrier.twiml import Gather, Hangup, Pause, Play, Redirect, Reject, Reply, Say, Step
from deploy.local.carrier.webhooks import Pairs, Sender

DOCUMENTS_MAX = 50
ERROR_WORDS = "We are sorry, an application error has occurred. Goodbye."

Steps = tuple[Step, ...]


class Conversation:
    """One call's talk. keys holds what was pressed and not yet gathered.

    words_per_second 0 speaks at once; press are digits that the phone presses by itself once it has
    heard the first Gather's prompts. reply sends an SMS that a document asks for.
    """

    def __init__(
        self,
        *,
        call: Call,
        books: Books,
        sender: Sender,
        token: str,
        words_per_second: float,
        press: str | None,
        reply: Callable[[Call, Reply], None],
    ) -> None:
        self.task: asyncio.Task[None] | None = None
        self._call = call
        self._books = books
        self._sender = sender
        self._token = token
        self._words_per_second = words_per_second
        self._press = press
        self._reply = reply
        self._keys = ""
        self._pressed = asyncio.Event()
        self._address = call.url

    def press(self, digits: str) -> None:
        """The person presses keys."""
        self._keys += digits
        self._books.change(self._call, pressed=(self._call.pressed or "") + digits)
        self._pressed.set()

    async def first(self) -> Steps | None:
        """The call's first document; None when there is none to run."""
        if self._call.twiml:
            return self._read(self._call.twiml)
        return await self._fetch(self._call.url, self._call.method)

    async def run(self, steps: Steps | None) -> None:
        """Run documents until one ends, or hangs up."""
        for _ in range(DOCUMENTS_MAX):
            if steps is None:
                return
            steps = await self._perform(steps)

    async def _perform(self, steps: Steps) -> Steps | None:
        """Run one document; the one that takes over, or None when the call is over."""
        for step in steps:
            match step:
                case Redirect():
                    return await self._fetch(step.url, step.method)
                case Hangup() | Reject():
                    return None
                case Reply():
                    self._reply(self._call, step)
                case Gather():
                    digits = await self._gather(step)
                    if digits or step.action_on_empty:
                        pairs = [("Digits", digits), ("msg", "Gather End")]
                        return await self._fetch(step.action, step.method, pairs)
                case _:
                    await self._prompt(step)
        return None

    async def _prompt(self, prompt: Say | Play | Pause) -> None:
        match prompt:
            case Say():
                for _ in range(prompt.loop):
                    await self._say(prompt.text)
            case Play() if not prompt.digits:
                await self._say(f"[plays {prompt.url}]")
            case Pause():
                await asyncio.sleep(prompt.seconds)

    async def _say(self, text: str) -> None:
        self._books.change(self._call, heard=[*self._call.heard, text])
        if self._words_per_second:
            await asyncio.sleep(len(text.split()) / self._words_per_second)

    async def _gather(self, gather: Gather) -> str:
        prompts = asyncio.ensure_future(self._prompts(gather))
        pressed = asyncio.ensure_future(self._wait_for_key())
        try:
            await asyncio.wait((prompts, pressed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            prompts.cancel()
            pressed.cancel()
        if self._press:
            self.press(self._press)
            self._press = None
        return await self._digits(gather)

    async def _prompts(self, gather: Gather) -> None:
        for prompt in gather.prompts:
            await self._prompt(prompt)

    async def _digits(self, gather: Gather) -> str:
        digits = ""
        while gather.num_digits is None or len(digits) < gather.num_digits:
            if not self._keys and not await self._key_within(gather.timeout):
                break
            key, self._keys = self._keys[0], self._keys[1:]
            if key == gather.finish_on_key:
                break
            digits += key
        return digits

    async def _key_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._wait_for_key(), seconds)
        except TimeoutError:
            return False
        return True

    async def _wait_for_key(self) -> None:
        while not self._keys:
            self._pressed.clear()
            await self._pressed.wait()

    async def _fetch(self, url: str, method: str, more: Pairs = ()) -> Steps | None:
        address = urljoin(self._address, url) if url else self._address
        answers = await self._sender.send(
            url=address,
            method=method,
            token=self._token,
            params=[*call_parameters(self._call, self._call.status), *more],
            fallback_url=self._call.fallback_url,
            fallback_method=self._call.fallback_method,
        )
        last = answers[-1]
        self._books.change(
            self._call, asked=[*self._call.asked, [last.url, method, list(map(list, more)), last.status, last.at]]
        )
        if not last.good:
            self._apologise()
            return None
        self._address = last.url
        return self._read(last.body) if last.body.strip() else ()

    def _read(self, text: str) -> Steps | None:
        try:
            return twiml.read(text)
        except twiml.TwimlError:
            self._apologise()
            return None

    def _apologise(self) -> None:
        self._books.change(self._call, heard=[*self._call.heard, ERROR_WORDS])
