"""The REST interface's refusals and lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.carrier_sim.world import (
    PHONE,
    SECOND_SERVICE,
    SECOND_SID,
    SECOND_TOKEN,
    SERVICE,
    SID,
    World,
    play,
)

CALL = {"To": PHONE, "From": SERVICE, "Url": "http://127.0.0.1:1/words"}
TEXT = {"To": PHONE, "From": SERVICE, "Body": "hello"}


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("Calls.json", CALL | {"To": ""}, 21201),
        ("Calls.json", CALL | {"To": "12345"}, 21211),
        ("Calls.json", CALL | {"From": ""}, 21213),
        ("Calls.json", CALL | {"From": "+12025550177"}, 21210),
        ("Calls.json", CALL | {"Url": ""}, 21205),
        ("Calls.json", CALL | {"Url": "notaurl"}, 21205),
        ("Calls.json", CALL | {"Url": "", "Twiml": "x" * 4001}, 21205),
        ("Calls.json", CALL | {"Method": "FROB"}, 20001),
        ("Calls.json", CALL | {"Timeout": "abc"}, 20001),
        ("Calls.json", CALL | {"Timeout": "601"}, 20001),
        ("Calls.json", CALL | {"StatusCallback": "ftp://x"}, 21609),
        ("Calls.json", CALL | {"StatusCallbackEvent": "frobbed"}, 21626),
        ("Messages.json", TEXT | {"To": ""}, 21604),
        ("Messages.json", TEXT | {"To": "short"}, 21211),
        ("Messages.json", TEXT | {"From": ""}, 21603),
        ("Messages.json", TEXT | {"From": "+12025550177"}, 21606),
        ("Messages.json", TEXT | {"Body": ""}, 21602),
        ("Messages.json", TEXT | {"Body": "x" * 1601}, 21617),
    ],
)
def test_it_refuses_a_wrong_create(tmp_path: Path, path: str, form: dict[str, str], code: int) -> None:
    async def story(world: World) -> None:
        status, error = await world.rest("POST", path, form)
        assert (status, error["code"], error["status"]) == (400, code, 400)
        assert error["message"]
        assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
        assert not world.engine.books.calls
        assert not world.engine.books.messages

    play(story, tmp_path)


@pytest.mark.parametrize(("sid", "token"), [(SID, "wrong"), ("AC" + "9" * 32, "secret"), (SID, "")])
def test_it_asks_who_is_there(tmp_path: Path, sid: str, token: str) -> None:
    async def story(world: World) -> None:
        status, error = await world.rest("POST", "Calls.json", CALL, sid=sid, token=token)
        assert (status, error["code"]) == (401, 20003)
        assert not world.engine.books.calls

    play(story, tmp_path)


def test_it_keeps_accounts_apart(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        call = await world.dial()
        other = {"sid": SECOND_SID, "token": SECOND_TOKEN}
        status, _ = await world.rest("GET", f"Calls/{call['sid']}.json", **other)
        assert status == 404
        _, page = await world.rest("GET", "Calls.json", **other)
        assert page["calls"] == []
        status, own = await world.rest("POST", "Calls.json", CALL | {"From": SECOND_SERVICE}, **other)
        assert (status, own["account_sid"]) == (201, SECOND_SID)

    play(story, tmp_path)


@pytest.mark.parametrize("path", ["Calls/CA0.json", "Messages/SM0.json", "Recordings.json", "Calls"])
def test_it_says_what_is_not_there(tmp_path: Path, path: str) -> None:
    async def story(world: World) -> None:
        status, error = await world.rest("GET", path)
        assert (status, error["code"]) == (404, 20404)

    play(story, tmp_path)


def test_it_pages_newest_first(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(calls_per_second=0)
        made = [(await world.dial())["sid"] for _ in range(5)]
        seen: list[str] = []
        path: Any = "Calls.json?To=%2B12025550123&Status=queued&PageSize=2"
        while path:
            _, page = await world.rest("GET", path.removeprefix(f"/2010-04-01/Accounts/{SID}/"))
            seen += [call["sid"] for call in page["calls"]]
            path = page["next_page_uri"]
        assert seen == made[::-1]

    play(story, tmp_path)


@pytest.mark.parametrize("query", ["?PageSize=1001", "?Status=frobbed", "?StartTime=yesterday", "?Page=-1"])
def test_it_refuses_a_wrong_list(tmp_path: Path, query: str) -> None:
    async def story(world: World) -> None:
        status, _ = await world.rest("GET", "Calls.json" + query)
        assert status == 400

    play(story, tmp_path)


def test_it_leaves_queued_calls_out_of_a_list_by_start(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(calls_per_second=0)
        await world.dial()
        _, page = await world.rest("GET", "Calls.json?StartTime%3E=2020-01-01")
        assert page["calls"] == []
        await world.behave(calls_per_second=50)
        await world.state(next(iter(world.engine.books.calls)), "ringing")
        _, page = await world.rest("GET", "Calls.json?StartTime%3E=2020-01-01")
        assert len(page["calls"]) == 1

    play(story, tmp_path)


def test_it_prices_later(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(answer="always", answer_after_seconds=0, price_after_seconds=3600)
        call = await world.dial(Twiml="<Response><Say>Tea</Say></Response>")
        assert (await world.state(call["sid"], "completed"))["price"] is None
        await world.behave(price_after_seconds=0)
        _, later = await world.rest("GET", f"Calls/{call['sid']}.json")
        assert (later["price"], later["price_unit"]) == ("-0.01400", "USD")

    play(story, tmp_path)


def test_it_survives_bytes_that_are_no_form(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for data in (b"\xff\xfe%", b"&" * 500, b"x=1&" * 300):
            status, _ = await world.rest("POST", "Calls.json", aiohttp.BytesPayload(data))
            assert status == 400
        status, _ = await world.rest("POST", "Calls.json", aiohttp.BytesPayload(b"x" * 200_000))
        assert status == 413

    play(story, tmp_path)
