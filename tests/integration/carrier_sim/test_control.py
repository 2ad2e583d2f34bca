"""The control interface and the page: what they show, and whom they refuse."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.carrier_sim.world import PHONE, World, play, until


def test_it_shows_an_unknown_number_as_empty(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert await world.phone() == {"number": PHONE, "messages": [], "calls": []}
        assert await world.get("/sim/calls?to=%2B12025550123") == []

    play(story, tmp_path)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sim/sms", {}),
        ("/sim/sms", {"from": 1, "body": "x"}),
        ("/sim/sms", {"from": "", "body": "x"}),
        ("/sim/sms", {"from": PHONE}),
        ("/sim/sms", {"from": PHONE, "body": "x" * 100_001}),
        ("/sim/sms", {"from": PHONE, "body": "x", "to": "+12025550177"}),
        ("/sim/sms", ["from", "body"]),
        ("/sim/behaviour", {"frobs": 1}),
        ("/sim/behaviour", {"answer": "sometimes"}),
        ("/sim/behaviour", {"answer": 1.5}),
        ("/sim/behaviour", {"press": "12a"}),
        ("/sim/behaviour", {"calls_per_second": -1}),
        ("/sim/behaviour", {"seed": "x"}),
        ("/sim/behaviour", {"sms_url": "file:///etc/passwd"}),
        ("/sim/behaviour", {"faults": {"create_429": 2}}),
        ("/sim/behaviour", {"faults": {"frobs": 1}}),
        ("/sim/behaviour", {"faults": 1}),
        ("/sim/behaviour", {"press": "1", "faults": {"create_429": "x"}}),
    ],
)
def test_it_refuses_wrong_input_and_changes_nothing(tmp_path: Path, path: str, body: Any) -> None:
    async def story(world: World) -> None:
        before = await world.get("/sim/behaviour")
        assert (await world.post(path, body, status=400))["error"]
        assert await world.get("/sim/behaviour") == before
        assert not world.engine.books.messages

    play(story, tmp_path)


def test_it_keeps_what_behaviour_was_not_asked_to_change(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(answer=0.3, press="1", faults={"create_429": 0.5})
        shown = await world.post("/sim/behaviour", {"faults": {"callbacks_drop": 1}})
        assert (shown["answer"], shown["press"]) == (0.3, "1")
        assert (shown["faults"]["create_429"], shown["faults"]["callbacks_drop"]) == (0.5, 1)

    play(story, tmp_path)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
@pytest.mark.parametrize("path", ["/sim/behaviour", "/", "/sim/phones/x"])
def test_it_refuses_other_pages(tmp_path: Path, headers: dict[str, str], path: str) -> None:
    async def story(world: World) -> None:
        async with world.http.get(world.base + path, headers=headers) as reply:
            assert reply.status == 403

    play(story, tmp_path)


@pytest.mark.parametrize("deed", ["answer", "decline", "hangup", "press"])
def test_it_knows_no_such_call(tmp_path: Path, deed: str) -> None:
    async def story(world: World) -> None:
        assert (await world.post(f"/sim/calls/CA0/{deed}", {"digits": "1"}, status=404))["error"]

    play(story, tmp_path)


@pytest.mark.parametrize("body", ["\ud800 alone", "👍" * 5_000, "a" * 10_000, "שלום"])
def test_it_carries_any_text(tmp_path: Path, body: str) -> None:
    async def story(world: World) -> None:
        await world.text(body)
        request = (await until(lambda: world.service.at("/carriers/twilio/sms")))[0]
        assert request["Body"] == body.replace("\ud800", "\ufffd")

    play(story, tmp_path)


@pytest.mark.parametrize("path", ["/", "/page/phone.js", "/page/phone.css", "/page/icon.svg"])
def test_it_serves_the_page_under_a_strict_policy(tmp_path: Path, path: str) -> None:
    async def story(world: World) -> None:
        async with world.http.get(world.base + path) as reply:
            assert reply.status == 200
            assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
            text = await reply.text()
            assert "https://" not in text
            assert "style=" not in text

    play(story, tmp_path)


@pytest.mark.parametrize("name", ["other.js", "..%2f__init__.py", "%2e%2e%2fphones.py"])
def test_it_serves_nothing_else(tmp_path: Path, name: str) -> None:
    async def story(world: World) -> None:
        async with world.http.get(world.base + "/page/" + name) as reply:
            assert reply.status == 404

    play(story, tmp_path)


def test_it_streams_what_changes(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        snapshots: asyncio.Queue[Any] = asyncio.Queue()

        async def watch() -> None:
            async with world.http.get(world.base + "/sim/events?number=%2B12025550123") as reply:
                async for line in reply.content:
                    if line.startswith(b"data: "):
                        snapshots.put_nowait(json.loads(line[6:]))

        watching = asyncio.ensure_future(watch())
        assert (await snapshots.get())["messages"] == []
        await world.text("hello")
        last: Any = {"messages": []}
        while not last["messages"] or not last["messages"][0]["taken"]:
            last = await asyncio.wait_for(snapshots.get(), 5)
        assert last["messages"][0]["body"] == "hello"
        assert last["messages"][0]["taken"]["status"] == 200
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    play(story, tmp_path)
