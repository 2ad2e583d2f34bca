"""The carrier is killed (kill -9) and started again: what it promised still happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests import ports
from tests.integration.carrier_sim.world import PHONE, SERVICE, SID, TOKEN, Service, serving, until

ROOT = Path(__file__).parents[3]
EVENTS = ["initiated", "ringing", "answered", "completed"]


class Program:
    """The carrier as a process of its own, on one port and one directory through all its lives."""

    def __init__(self, home: Path, service: Service, http: aiohttp.ClientSession) -> None:
        self.ports = ports.take(among=ports.CARRIERS)
        self.port = self.ports.port
        self.base = f"http://127.0.0.1:{self.port}"
        self._http = http
        self._process: asyncio.subprocess.Process | None = None
        self._environ = os.environ | {
            "RINGBACK_HOME": str(home),
            "RINGBACK_CARRIER_PORT": str(self.port),
            "RINGBACK_TWILIO_ACCOUNT_SID": SID,
            "RINGBACK_TWILIO_AUTH_TOKEN": TOKEN,
            "RINGBACK_SERVICE_NUMBER": SERVICE,
            "RINGBACK_PUBLIC_BASE": service.base,
        }

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deploy.local.carrier",
            cwd=ROOT,
            env=self._environ,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await until(self._up)

    async def end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        await self._process.wait()

    async def _up(self) -> bool:
        try:
            await self.get("/sim/behaviour")
        except aiohttp.ClientError:
            return False
        return True

    async def get(self, path: str) -> Any:
        async with self._http.get(self.base + path) as reply:
            return await reply.json()

    async def post(self, path: str, body: Any) -> Any:
        async with self._http.post(self.base + path, json=body) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def dial(self, to: str, timeout: int = 60) -> str:
        form = [("To", to), ("From", SERVICE), ("Timeout", str(timeout)), ("Url", self.service_base + "/words")]
        form += [("StatusCallback", self.service_base + "/status")]
        form += [("StatusCallbackEvent", event) for event in EVENTS]
        headers = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
        address = f"{self.base}/2010-04-01/Accounts/{SID}/Calls.json"
        async with self._http.post(address, data=form, headers=headers) as reply:
            assert reply.status == 201
            return str((await reply.json())["sid"])

    @property
    def service_base(self) -> str:
        return self._environ["RINGBACK_PUBLIC_BASE"]

    async def states(self) -> list[str]:
        return [str(call["state"]) for call in await self.get("/sim/calls")]


@asynccontextmanager
async def program(home: Path) -> AsyncIterator[tuple[Program, Service]]:
    async with serving(Service()) as service, aiohttp.ClientSession() as http:
        made = Program(home, service, http)
        await made.start()
        try:
            yield made, service
        finally:
            await made.end(signal.SIGTERM)
            made.ports.close()


def test_it_goes_on_dialling_and_ringing_after_a_kill(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path) as (carrier, service):
            await carrier.post("/sim/behaviour", {"calls_per_second": 5, "press": "1", "answer": "manual"})
            for index in range(6):
                await carrier.dial(f"+1202555010{index}", timeout=3)
            await until(lambda: service.at("/status"))
            await carrier.end(signal.SIGKILL)
            await carrier.start()
            assert len(await carrier.states()) == 6
            assert (await carrier.get("/sim/behaviour"))["press"] == "1"

            async def over() -> bool:
                return await carrier.states() == ["no-answer"] * 6

            await until(over)
            await until(lambda: len(_told(service)) == 18)
            assert {status for _, status in _told(service)} == {"initiated", "ringing", "no-answer"}

    asyncio.run(story())


def _told(service: Service) -> set[tuple[str, str]]:
    return {(one["CallSid"], one["CallStatus"]) for one in service.at("/status")}


def test_it_loses_no_accepted_create_to_a_kill(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path) as (carrier, _):
            await carrier.post("/sim/behaviour", {"answer": "always", "callbacks": 0})
            accepted: list[str] = []

            async def burst(line: int) -> None:
                while True:
                    accepted.append(await carrier.dial(f"+120255501{line:02d}"))

            lines = [asyncio.ensure_future(burst(line)) for line in range(16)]
            await until(lambda: len(accepted) > 200)
            await carrier.end(signal.SIGKILL)
            await asyncio.gather(*lines, return_exceptions=True)
            await carrier.start()
            known = {call["sid"] for call in await carrier.get("/sim/calls")}
            assert set(accepted) <= known
            assert len(known) - len(accepted) <= 16

    asyncio.run(story())


def test_it_delivers_a_text_whose_webhook_the_kill_cut_off(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path) as (carrier, service):

            async def slow(_: object) -> Any:
                await asyncio.sleep(30)

            service.replies = {"/carriers/twilio/sms": slow}
            sid = (await carrier.post("/sim/sms", {"from": PHONE, "body": "hello"}))["sid"]
            await until(lambda: service.heard)
            await carrier.end(signal.SIGKILL)
            service.replies = {"/carriers/twilio/sms": "<Response><Message>Got it</Message></Response>"}
            await carrier.start()

            async def answered() -> bool:
                return len((await carrier.get("/sim/phones/%2B12025550123"))["messages"]) == 2

            await until(answered)
            assert [one["MessageSid"] for one in service.heard] == [sid, sid]

    asyncio.run(story())


def test_it_remembers_who_opted_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path) as (carrier, service):
            await carrier.post("/sim/sms", {"from": PHONE, "body": "STOP"})
            await until(lambda: service.heard)
            await carrier.end(signal.SIGKILL)
            await carrier.start()
            service.replies = {"/carriers/twilio/sms": "<Response><Message>Hi</Message></Response>"}
            sid = (await carrier.post("/sim/sms", {"from": PHONE, "body": "hello"}))["sid"]

            async def delivered() -> Any:
                return (await carrier.get(f"/sim/messages/{sid}"))["webhooks"]

            await until(delivered)
            phone = await carrier.get("/sim/phones/%2B12025550123")
            assert [one["direction"] for one in phone["messages"]] == ["in", "out", "in"]

    asyncio.run(story())


def test_it_stops_at_once_and_says_why_it_cannot_start(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path) as (carrier, _):
            second = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "deploy.local.carrier",
                cwd=ROOT,
                env=carrier._environ | {"RINGBACK_HOME": str(tmp_path / "other")},
                stderr=asyncio.subprocess.PIPE,
            )
            _, words = await second.communicate()
            assert second.returncode == 2
            assert b"cannot listen" in words
            began = time.monotonic()
        assert time.monotonic() - began < 20, "nothing waits for what it cannot get"

    asyncio.run(story())
