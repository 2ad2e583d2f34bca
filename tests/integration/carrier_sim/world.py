"""A carrier in this process, and a small service that stands where Ringback would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from deploy.local.carrier.engine import Engine
from deploy.local.carrier.server import application
from deploy.local.carrier.settings import Account, Settings

SID, TOKEN, SERVICE = "AC" + "0" * 31 + "1", "secret", "+12025550100"
SECOND_SID, SECOND_TOKEN, SECOND_SERVICE = "AC" + "0" * 31 + "2", "other", "+12025550199"
PHONE = "+12025550123"
PATIENCE_SECONDS = 60.0  # on a machine that is busy with other things
GATHER = (
    '<Response><Gather numDigits="1" timeout="1" action="/keys"><Say>Tea</Say></Gather><Say>Goodbye</Say></Response>'
)


@dataclass(kw_only=True)
class Heard:
    """One request that the service got."""

    url: str
    path: str
    headers: dict[str, str]
    form: list[tuple[str, str]]
    at: float = field(default_factory=time.monotonic)

    def __getitem__(self, name: str) -> str:
        return dict(self.form)[name]

    def get(self, name: str) -> str | None:
        return dict(self.form).get(name)


@dataclass(kw_only=True)
class Service:
    """Answers each path as told (TwiML text, a response or a function), and remembers what it got."""

    base: str = ""
    heard: list[Heard] = field(default_factory=list)
    replies: dict[str, Any] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        form = parse_qsl((await request.read()).decode(), keep_blank_values=True)
        heard = Heard(url=self.base + request.raw_path, path=request.path, headers=dict(request.headers), form=form)
        self.heard.append(heard)
        reply = self.replies.get(request.path, "<Response/>")
        if isinstance(reply, str):
            return web.Response(text=reply, content_type="text/xml")
        answer: web.Response = await reply(heard)
        return answer

    def at(self, path: str) -> list[Heard]:
        return [one for one in self.heard if one.path == path]


@dataclass(kw_only=True)
class World:
    """The carrier, the service and a client."""

    engine: Engine
    base: str
    service: Service
    http: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        async with self.http.get(self.base + path) as reply:
            return await reply.json()

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        async with self.http.post(self.base + path, json=body) as reply:
            assert reply.status == status, await reply.text()
            return await reply.json()

    async def behave(self, **wanted: Any) -> None:
        await self.post("/sim/behaviour", wanted)

    async def rest(
        self, method: str, path: str, form: Any = None, *, sid: str = SID, token: str = TOKEN
    ) -> tuple[int, Any]:
        headers = {"Authorization": aiohttp.encode_basic_auth(sid, token)}
        address = f"{self.base}/2010-04-01/Accounts/{sid}/{path}"
        async with self.http.request(method, address, data=form, headers=headers) as reply:
            return reply.status, await reply.json()

    async def dial(self, to: str = PHONE, **more: Any) -> dict[str, Any]:
        form = [("To", to), ("From", SERVICE)]
        if "Twiml" not in more:
            form.append(("Url", self.service.base + "/words?attempt=7"))
        for name, value in more.items():
            form += [(name, one) for one in (value if isinstance(value, list) else [value])]
        status, call = await self.rest("POST", "Calls.json", form)
        assert status == 201, call
        return dict(call)

    async def text(self, body: str, sender: str = PHONE) -> str:
        return str((await self.post("/sim/sms", {"from": sender, "body": body}))["sid"])

    async def state(self, sid: str, wanted: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The call once it is in this state."""
        found = await until(lambda: self._in_state(sid, wanted), seconds)
        return dict(found)

    async def _in_state(self, sid: str, wanted: str) -> Any:
        _, call = await self.rest("GET", f"Calls/{sid}.json")
        return call if call["status"] == wanted else None

    async def phone(self, number: str = PHONE) -> Any:
        return await self.get(f"/sim/phones/%2B{number[1:]}")

    async def arrived(self, body: str, number: str = PHONE) -> None:
        """Wait until the phone shows this text."""

        async def look() -> bool:
            return any(one["body"] == body for one in (await self.phone(number))["messages"])

        await until(look)


async def until(look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What look gives once it is true; fails after some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError("it did not come about")
        await asyncio.sleep(0.01)


@asynccontextmanager
async def carrier(home: Path, service_base: str) -> AsyncIterator[tuple[Engine, str]]:
    """A running carrier on a free port."""
    accounts = (
        Account(sid=SID, token=TOKEN, number=SERVICE),
        Account(sid=SECOND_SID, token=SECOND_TOKEN, number=SECOND_SERVICE),
    )
    engine = Engine(settings=Settings(home=home, port=0, public_base=service_base, accounts=accounts))
    engine.start()
    runner = web.AppRunner(application(engine), shutdown_timeout=0.1)
    try:
        yield engine, await _listen(runner)
    finally:
        await engine.stop()
        await runner.cleanup()


async def _receipt(_: web.Request) -> web.Response:
    """What Ringback's ledger says of a call, as the phone page asks for it."""
    return web.json_response(
        {"state": "posted", "said": "Charged $0.10 for one answered call."},
        headers={"Access-Control-Allow-Origin": "*"},
    )


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[Service]:
    """The service on a free port."""
    app = web.Application()
    app.router.add_get("/receipt", _receipt)
    app.router.add_route("*", "/{path:.*}", service.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    service.base = await _listen(runner)
    try:
        yield service
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner) -> str:
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def world(home: Path) -> AsyncIterator[World]:
    """A carrier and a service that know each other."""
    async with (
        serving(Service()) as service,
        carrier(home, service.base) as (engine, base),
        aiohttp.ClientSession() as http,
    ):
        yield World(engine=engine, base=base, service=service, http=http)


def play(story: Callable[[World], Coroutine[Any, Any, None]], home: Path) -> None:
    """Run one test's story in a world of its own."""

    async def run() -> None:
        async with world(home) as made:
            await story(made)

    asyncio.run(run())
