"""The phone page: its files, what it must know of the system, and the stream that keeps it current."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from deploy.local.carrier.control import guarded, problem
from deploy.local.carrier.engine import Engine
from deploy.local.carrier.records import Message
from deploy.local.carrier.render import on_phone, phone_call, phone_message

FILES = {
    "index.html": "text/html",
    "phone.js": "text/javascript",
    "phone.css": "text/css",
    "icon.svg": "image/svg+xml",
}
STREAMS_MAX, PHONES_MAX, MESSAGES_SHOWN, CALLS_SHOWN = 32, 8, 60, 10
BEAT_SECONDS, GATHER_SECONDS = 15.0, 0.05
HEADERS = {
    # The page also asks Ringback itself what a call cost.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self' {ringback}; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Page:
    """The page's requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._files = Path(__file__).with_name("page")
        policy = HEADERS["Content-Security-Policy"].format(ringback=engine.settings.public_base)
        self._headers = HEADERS | {"Content-Security-Policy": policy}
        self._streams: set[asyncio.Event] = set()
        self._stopping = False

    def routes(self) -> list[web.RouteDef]:
        """The page's routes."""
        return [
            web.get("/", guarded(self.file)),
            web.get("/page/{name}", guarded(self.file)),
            web.get("/sim/about", guarded(self.about)),
            web.get("/sim/events", guarded(self.events)),
        ]

    async def stop(self, _: web.Application) -> None:
        """End the streams, so that a stop does not wait for them."""
        self._stopping = True
        for event in self._streams:
            event.set()

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One of the page's files."""
        name = request.match_info.get("name", "index.html")
        if name not in FILES:
            return problem(404, "the page has no such file")
        text = (self._files / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=FILES[name], charset="utf-8", headers=self._headers)

    async def about(self, _: web.Request) -> web.StreamResponse:
        """GET /sim/about: the number to text, where the service is and its tier, where its processes keep their ids."""
        settings = self._engine.settings
        run = settings.home.parent / "run"
        shown = run.relative_to(Path.cwd()) if run.is_relative_to(Path.cwd()) else run
        return web.json_response(
            {
                "service_number": settings.accounts[0].number,
                "public_base": settings.public_base,
                "tier": settings.tier,
                "run": str(shown),
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/events?number=…&number=…: a snapshot of each phone, and again when it changed."""
        numbers = request.query.getall("number", [])
        if not 1 <= len(numbers) <= PHONES_MAX:
            return problem(400, f"from 1 to {PHONES_MAX} numbers can be watched")
        if len(self._streams) >= STREAMS_MAX:
            return problem(503, "too many pages are open")
        event = asyncio.Event()
        self._watch(numbers, event)
        try:
            return await self._stream(request, numbers, event)
        finally:
            self._unwatch(numbers, event)

    async def _stream(self, request: web.Request, numbers: list[str], event: asyncio.Event) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        last: dict[str, str] = {}
        while not self._stopping:
            lines = [": beat\n\n"]
            for number in numbers:
                text = json.dumps(snapshot(self._engine, number), separators=(",", ":"))
                if last.get(number) != text:
                    last[number] = text
                    lines.append(f"data: {text}\n\n")
            try:
                await response.write("".join(lines).encode())
            except ConnectionError:
                break
            await _change(event)
        return response

    def _watch(self, numbers: list[str], event: asyncio.Event) -> None:
        self._streams.add(event)
        for number in numbers:
            self._engine.books.watchers.setdefault(number, set()).add(event)

    def _unwatch(self, numbers: list[str], event: asyncio.Event) -> None:
        self._streams.discard(event)
        for number in numbers:
            watching = self._engine.books.watchers.get(number, set())
            watching.discard(event)
            if not watching:
                self._engine.books.watchers.pop(number, None)


async def _change(event: asyncio.Event) -> None:
    """Wait for a change, and a moment more for what comes with it; a beat at the latest."""
    try:
        await asyncio.wait_for(event.wait(), BEAT_SECONDS)
    except TimeoutError:
        return
    await asyncio.sleep(GATHER_SECONDS)
    event.clear()


def snapshot(engine: Engine, number: str) -> dict[str, Any]:
    """The last messages and calls of a phone, with what became of each text at the webhook."""
    phone = engine.books.phones.get(number)
    if phone is None:
        return {"number": number, "messages": [], "calls": []}
    shown = [message for message in list(phone.messages.values())[-2 * MESSAGES_SHOWN :] if on_phone(message)]
    return {
        "number": number,
        "messages": [phone_message(message) | {"taken": _taken(message)} for message in shown[-MESSAGES_SHOWN:]],
        "calls": [phone_call(call) for call in list(phone.calls.values())[-CALLS_SHOWN:]],
    }


def _taken(message: Message) -> dict[str, Any] | None:
    """The last delivery of a text from the phone; null while it is under way."""
    if message.direction != "inbound" or not message.webhooks:
        return None
    last = message.webhooks[-1]
    return {"status": last["status"], "ms": last["ms"]}
