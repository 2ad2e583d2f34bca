"""Twilio's OpenAPI document judges the carrier's replies, and refuses wrong requests, through Prism."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import ports
from tests.integration.carrier_sim import twilio_spec
from tests.integration.carrier_sim.world import PHONE, SERVICE, SID, TOKEN, World, play, until

CALL = [
    ("To", PHONE),
    ("From", SERVICE),
    ("Url", "http://127.0.0.1:8000/carriers/twilio/words?attempt=7"),
    ("StatusCallback", "http://127.0.0.1:8000/carriers/twilio/call-status?attempt=7"),
    ("StatusCallbackEvent", "initiated"),
    ("StatusCallbackEvent", "completed"),
    ("Timeout", "30"),
    ("MachineDetection", "Enable"),
]


@pytest.fixture(scope="module", autouse=True)
def _judge() -> None:
    missing = twilio_spec.install()
    if missing and os.environ.get("RINGBACK_REQUIRE_OPENAPI") == "1":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@asynccontextmanager
async def judged(world: World, home: Path) -> AsyncIterator[str]:
    """Prism between the test and the carrier; it answers 422 or 500 where one of them errs."""
    document = home / "twilio.json"
    document.write_text(json.dumps(twilio_spec.repaired(world.base)), encoding="utf-8")
    taken = ports.take(among=ports.CARRIERS)
    port = taken.port
    prism = await asyncio.create_subprocess_exec(
        "node", str(twilio_spec.PRISM.resolve()), "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port),
        str(document), world.base, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        await until(lambda: _up(port))
        yield base
    finally:
        prism.send_signal(signal.SIGKILL)
        await prism.wait()
        taken.close()


def _up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def ask(world: World, base: str, method: str, path: str, form: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
    address = f"{base}/2010-04-01/Accounts/{SID}/{path}"
    async with world.http.request(method, address, data=form, headers=headers) as reply:
        return reply.status, await reply.json(content_type=None)


def test_it_answers_as_the_document_says(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(price_after_seconds=0)
        await world.text("hello")
        async with judged(world, tmp_path) as base:
            status, call = await ask(world, base, "POST", "Calls.json", CALL)
            assert status == 201, call
            await world.state(call["sid"], "ringing")
            for path in (f"Calls/{call['sid']}.json", "Calls.json?To=%2B12025550123&PageSize=1000"):
                status, got = await ask(world, base, "GET", path)
                assert status == 200, got
            status, got = await ask(world, base, "POST", f"Calls/{call['sid']}.json", {"Status": "canceled"})
            assert (status, got.get("status")) == (200, "canceled"), got
            text = {"To": PHONE, "From": SERVICE, "Body": "hello"}
            status, message = await ask(world, base, "POST", "Messages.json", text)
            assert status == 201, message
            for path in (f"Messages/{message['sid']}.json", "Messages.json?DateSent%3E=2020-01-01"):
                status, got = await ask(world, base, "GET", path)
                assert status == 200, got
            properties = twilio_spec.repaired(world.base)["components"]["schemas"]
            assert set(call) == set(properties["api.v2010.account.call"]["properties"])
            assert set(message) == set(properties["api.v2010.account.message"]["properties"])
            assert {name for name, _ in CALL} <= twilio_spec.form_fields("Calls.json")

    play(story, tmp_path)


def test_it_is_a_judge_that_refuses(tmp_path: Path) -> None:
    """The negative control: without it, a judge that sees nothing would pass everything."""

    async def story(world: World) -> None:
        async with judged(world, tmp_path) as base:
            for name, wrong in (("Timeout", "abc"), ("Method", "FROB"), ("Url", "notaurl")):
                form = [pair for pair in CALL if pair[0] != name] + [(name, wrong)]
                status, _ = await ask(world, base, "POST", "Calls.json", form)
                assert status == 422, (name, wrong)
            await world.behave(calls_per_second=0)  # it stays in the queue: nothing but this test moves it
            call = await world.dial()
            world.engine.books.calls[call["sid"]].status = "frobbed"
            status, _ = await ask(world, base, "GET", f"Calls/{call['sid']}.json")
            assert status == 500

    play(story, tmp_path)
