"""Texts at the simulated carrier: to the webhook, back to the phone, and blocked after STOP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.integration.carrier_sim.world import PHONE, SERVICE, Heard, World, play, until

SMS = "/carriers/twilio/sms"


def reply(text: str, base: str) -> str:
    return f'<Response><Message statusCallback="{base}/sent?reply=9">{text}</Message></Response>'


async def webhooks(world: World, sid: str) -> list[dict[str, object]]:
    async def look() -> list[dict[str, object]]:
        return list((await world.get(f"/sim/messages/{sid}"))["webhooks"])

    return list(await until(look))


def test_it_delivers_a_text_and_the_reply(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {SMS: reply("Tea, in 10 seconds", world.service.base)}
        sid = await world.text("Remind in 10 seconds about tea & cake")
        await world.arrived("Tea, in 10 seconds")
        request = world.service.at(SMS)[0]
        assert (request["MessageSid"], request["From"], request["To"]) == (sid, PHONE, SERVICE)
        assert request["Body"] == "Remind in 10 seconds about tea & cake"
        assert (request["NumMedia"], request["NumSegments"], request["FromCountry"]) == ("0", "1", "US")
        assert request["FromCity"] == ""
        await until(lambda: len(world.service.at("/sent")) == 2)
        assert [one["MessageStatus"] for one in world.service.at("/sent")] == ["sent", "delivered"]
        assert world.service.at("/sent")[0]["MessageSid"] != sid
        first = (await webhooks(world, sid))[0]
        assert first["status"] == 200
        assert "Tea" in str(first["body"])
        directions = [one["direction"] for one in (await world.phone())["messages"]]
        assert directions == ["in", "out"]

    play(story, tmp_path)


@pytest.mark.parametrize("body", ["", "plain", "a+b=c&d é 你好 🎉", "line\nline\0end"])
def test_it_signs_as_twilio_does(tmp_path: Path, body: str) -> None:
    async def story(world: World) -> None:
        await world.text(body)
        request = (await until(lambda: world.service.at(SMS)))[0]
        signature = request.headers["X-Twilio-Signature"]
        judge = RequestValidator("secret")
        assert request["Body"] == body
        assert judge.validate(request.url, dict(request.form), signature)
        assert not judge.validate(request.url, dict(request.form) | {"Body": body + "x"}, signature)
        assert not judge.validate(request.url + "?x", dict(request.form), signature)

    play(story, tmp_path)


def test_it_spoils_signatures_where_that_fault_is_on(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"bad_signature": 1})
        await world.text("hello")
        request = (await until(lambda: world.service.at(SMS)))[0]
        judge = RequestValidator("secret")
        signature = request.headers["X-Twilio-Signature"]
        assert not judge.validate(request.url, dict(request.form), signature)

    play(story, tmp_path)


def test_it_delivers_twice_and_replies_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {SMS: reply("Once", world.service.base)}
        await world.behave(faults={"webhook_twice": 1})
        sid = await world.text("hello")
        await world.arrived("Once")
        assert [one["MessageSid"] for one in world.service.at(SMS)] == [sid, sid]
        assert len(await webhooks(world, sid)) == 2
        assert [one["body"] for one in (await world.phone())["messages"]] == ["hello", "Once"]

    play(story, tmp_path)


@pytest.mark.parametrize("word", ["STOP", "stop ", "Unsubscribe", "CANCEL", "OPTOUT", "REVOKE"])
def test_it_blocks_after_a_stop_word(tmp_path: Path, word: str) -> None:
    async def story(world: World) -> None:
        world.service.replies = {SMS: reply("Bye", world.service.base)}
        await world.text(word)
        await until(lambda: world.service.at("/sent"))
        assert world.service.at(SMS)[0]["OptOutType"] == "STOP"
        assert world.service.at("/sent")[0]["MessageStatus"] == "failed"
        assert world.service.at("/sent")[0]["ErrorCode"] == "21610"
        form = {"To": PHONE, "From": SERVICE, "Body": "hello"}
        status, error = await world.rest("POST", "Messages.json", form)
        assert (status, error["code"]) == (400, 21610)
        texts = [one["body"] for one in (await world.phone())["messages"]]
        assert len(texts) == 2
        assert "unsubscribed" in texts[1]
        await world.text(word)
        await until(lambda: len(world.service.at(SMS)) == 2)
        assert len((await world.phone())["messages"]) == 3

    play(story, tmp_path)


def test_it_lifts_the_block_after_start(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.text("STOP")
        await world.text("START")
        form = {"To": PHONE, "From": SERVICE, "Body": "hello"}
        status, _ = await world.rest("POST", "Messages.json", form)
        assert status == 201
        await world.arrived("hello")

    play(story, tmp_path)


@pytest.mark.parametrize("body", ["CANCEL 3", "please stop", "STOP."])
def test_it_lets_longer_texts_pass(tmp_path: Path, body: str) -> None:
    async def story(world: World) -> None:
        world.service.replies = {SMS: reply("Done", world.service.base)}
        await world.text(body)
        await world.arrived("Done")
        assert world.service.at(SMS)[0].get("OptOutType") is None

    play(story, tmp_path)


def test_it_retries_as_the_fragment_says_and_falls_back(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async def broken(_: Heard) -> web.Response:
            return web.Response(status=503)

        world.service.replies = {"/flaky": broken, "/fallback": reply("Saved", world.service.base)}
        await world.behave(
            sms_url=world.service.base + "/flaky#rc=2&rp=5xx",
            sms_fallback_url=world.service.base + "/fallback",
        )
        sid = await world.text("hello")
        await world.arrived("Saved")
        assert [line["status"] for line in await webhooks(world, sid)] == [503, 503, 503, 200]
        tokens = {one.headers["I-Twilio-Idempotency-Token"] for one in world.service.at("/flaky")}
        assert len(tokens) == 1
        saved = world.service.at("/fallback")[0]
        assert (saved["ErrorCode"], saved["ErrorUrl"]) == ("11200", world.service.base + "/flaky")

    play(story, tmp_path)


def test_it_gives_up_after_the_read_limit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async def slow(_: Heard) -> web.Response:
            await asyncio.sleep(2)
            return web.Response()

        world.service.replies = {"/slow": slow}
        await world.behave(sms_url=world.service.base + "/slow#rt=100")
        sid = await world.text("hello")
        lines = await webhooks(world, sid)
        assert [(line["status"], line["error"]) for line in lines] == [(None, "rt")]

    play(story, tmp_path)


def test_it_takes_a_text_from_the_rest_interface(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        form = {
            "To": PHONE,
            "From": SERVICE,
            "Body": "You missed tea",
            "StatusCallback": world.service.base + "/sent",
        }
        status, message = await world.rest("POST", "Messages.json", form)
        assert (status, message["status"], message["num_segments"]) == (201, "queued", "1")
        await world.arrived("You missed tea")
        await until(lambda: len(world.service.at("/sent")) == 2)
        _, later = await world.rest("GET", f"Messages/{message['sid']}.json")
        assert later["status"] == "delivered"

    play(story, tmp_path)


def test_it_lists_both_directions_for_backfill(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        sid = await world.text("hello")
        await until(lambda: world.service.at(SMS))
        for query in ("?To=%2B12025550100", "?DateSent%3E=2020-01-01&PageSize=1000", "?DateSent>=2020-01-01"):
            _, page = await world.rest("GET", "Messages.json" + query)
            assert [one["sid"] for one in page["messages"]] == [sid]
        _, page = await world.rest("GET", "Messages.json?DateSent=2020-01-01")
        assert page["messages"] == []
        _, page = await world.rest("GET", "Messages.json?DateSent%3C=2020-01-01")
        assert page["messages"] == []

    play(story, tmp_path)
