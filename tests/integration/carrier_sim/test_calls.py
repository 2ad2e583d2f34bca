"""A call at the simulated carrier, from its create to its last callback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from deploy.local.carrier import WAITING_PATH
from tests.integration.carrier_sim.world import GATHER, PHONE, Heard, World, play, until

ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def statuses(world: World) -> list[tuple[str, str]]:
    return [(one["CallStatus"], one["SequenceNumber"]) for one in world.service.at("/status")]


async def dialled(world: World) -> str:
    callback = world.service.base + "/status?attempt=7"
    call = await world.dial(StatusCallback=callback, StatusCallbackEvent=ALL_EVENTS)
    return str(call["sid"])


def test_it_runs_from_the_queue_to_the_key_press(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        patient = GATHER.replace('timeout="1"', 'timeout="60"')
        world.service.replies = {"/words": patient, "/keys": "<Response><Say>Done</Say></Response>"}
        await world.behave(words_per_second=0)
        sid = await dialled(world)
        await world.state(sid, "ringing")
        await world.post(f"/sim/calls/{sid}/answer")
        await until(lambda: world.service.at("/words"))
        await world.post(f"/sim/calls/{sid}/press", {"digits": "1"})
        ended = await world.state(sid, "completed")
        assert int(ended["duration"]) >= 1
        await until(lambda: len(statuses(world)) == 4)
        assert statuses(world) == [
            ("initiated", "0"),
            ("ringing", "1"),
            ("in-progress", "2"),
            ("completed", "3"),
        ]
        last = world.service.at("/status")[-1]
        assert last["CallDuration"] == ended["duration"]
        assert last["Duration"] == "1"
        assert last["CallbackSource"] == "call-progress-events"
        assert last["Timestamp"].endswith(" +0000")
        assert world.service.at("/keys")[0]["Digits"] == "1"
        assert (await world.phone())["calls"][0]["heard"] == ["Tea", "Done"]
        truth = await world.get("/sim/calls?to=%2B12025550123")
        assert truth[0]["pressed"] == "1"
        assert truth[0]["state"] == "completed"

    play(story, tmp_path)


def test_it_shows_what_it_asked_of_the_service_during_a_call(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/words": GATHER, "/keys": "<Response><Say>Done</Say></Response>"}
        await world.behave(answer="always", answer_after_seconds=0, press="12")
        sid = await dialled(world)
        await world.state(sid, "completed")
        path = f"Calls/{sid}/Events.json"

        async def all_told() -> bool:
            return len((await world.rest("GET", path))[1]["events"]) == 6

        await until(all_told)
        _, shown = await world.rest("GET", path)
        asked = [one["request"] for one in shown["events"]]
        named = sorted(one["url"].rpartition("/")[2] for one in asked)
        assert named == ["keys", *["status?attempt=7"] * 4, "words?attempt=7"]
        (keys,) = (one["parameters"] for one in asked if one["url"].endswith("/keys"))
        assert (keys["digits"], keys["call_sid"]) == ("1", sid)
        assert shown["next_page_uri"] is None
        status, refused = await world.rest("GET", "Calls/CA0/Events.json")
        assert (status, refused["code"]) == (404, 20404)

    play(story, tmp_path)


def test_it_presses_by_itself_after_it_heard_the_words(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/words": GATHER}
        await world.behave(answer="always", answer_after_seconds=0, press="2")
        call = await world.dial()
        await world.state(call["sid"], "completed")
        assert world.service.at("/keys")[0]["Digits"] == "2"
        assert (await world.phone())["calls"][0]["heard"] == ["Tea"]

    play(story, tmp_path)


def test_it_falls_through_a_gather_without_keys(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/words": GATHER}
        await world.behave(answer="always", answer_after_seconds=0)
        call = await world.dial()
        await world.state(call["sid"], "completed")
        assert not world.service.at("/keys")
        assert (await world.phone())["calls"][0]["heard"] == ["Tea", "Goodbye"]

    play(story, tmp_path)


def test_it_asks_the_action_for_an_empty_result_where_that_is_wanted(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        words = GATHER.replace("<Gather", '<Gather actionOnEmptyResult="true"')
        world.service.replies = {"/words": words}
        await world.behave(answer="always", answer_after_seconds=0)
        call = await world.dial()
        await world.state(call["sid"], "completed")
        assert world.service.at("/keys")[0]["Digits"] == ""

    play(story, tmp_path)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ({"answer": "never"}, "no-answer"),
        ({"busy": 1}, "busy"),
        ({"fail": 1}, "failed"),
        ({"decline": 1, "answer_after_seconds": 0.1}, "busy"),
    ],
)
def test_it_ends_unanswered(tmp_path: Path, behaviour: dict[str, object], status: str) -> None:
    async def story(world: World) -> None:
        await world.behave(**behaviour)
        call = await world.dial(Timeout="1", StatusCallback=world.service.base + "/status")
        ended = await world.state(call["sid"], status)
        assert ended["duration"] == "0"
        await until(lambda: world.service.at("/status"))
        assert [one["CallStatus"] for one in world.service.at("/status")] == [status]

    play(story, tmp_path)


def test_it_tells_a_machine_where_detection_was_asked_for(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(voicemail=1, answer_after_seconds=0)
        asked = await world.dial(MachineDetection="Enable")
        plain = await world.dial(to="+12025550124")
        assert (await world.state(asked["sid"], "completed"))["answered_by"] == "machine_start"
        assert (await world.state(plain["sid"], "completed"))["answered_by"] is None
        told = {one["To"]: one.get("AnsweredBy") for one in world.service.at("/words")}
        assert told == {PHONE: "machine_start", "+12025550124": None}

    play(story, tmp_path)


def test_it_apologises_when_there_are_no_words(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/words": "<Response><Say>half"}
        await world.behave(answer="always", answer_after_seconds=0)
        call = await world.dial()
        await world.state(call["sid"], "completed")
        assert "application error" in (await world.phone())["calls"][0]["heard"][0]

    play(story, tmp_path)


def test_it_holds_the_line_by_a_document_of_its_own_until_there_are_words(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked: list[Heard] = []

        async def back_at_last(heard: Heard) -> web.Response:
            asked.append(heard)
            if len(asked) < 3:
                return web.Response(status=503)
            return web.Response(text="<Response><Say>Tea</Say></Response>", content_type="text/xml")

        world.service.replies = {"/words": back_at_last}
        await world.behave(answer="always", answer_after_seconds=0)
        again = urlencode({"again": world.service.base + "/words?attempt=7&more=1"})
        call = await world.dial(FallbackUrl=f"{world.base}{WAITING_PATH}?{again}")
        await world.state(call["sid"], "completed")
        assert (await world.phone())["calls"][0]["heard"] == ["Tea"]
        assert [heard.url.partition("?")[2] for heard in asked] == ["attempt=7", *["attempt=7&more=1"] * 2]

    play(story, tmp_path)


def test_it_asks_for_the_words_as_itself_while_callbacks_are_forged(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/words": "<Response><Say>Tea</Say></Response>"}
        await world.behave(answer="always", answer_after_seconds=0, faults={"bad_signature": 1})
        await world.state(await dialled(world), "completed")
        await until(lambda: len(world.service.at("/status")) == len(ALL_EVENTS))
        judge = RequestValidator("secret")
        for path, good in (("/words", True), ("/status", False)):
            for heard in world.service.at(path):
                signature = heard.headers["X-Twilio-Signature"]
                assert judge.validate(heard.url, dict(heard.form), signature) is good

    play(story, tmp_path)


@pytest.mark.parametrize(
    ("state", "asked", "becomes"),
    [
        ("queued", "canceled", "canceled"),
        ("ringing", "canceled", "canceled"),
        ("in-progress", "canceled", "in-progress"),
        ("in-progress", "completed", "completed"),
    ],
)
def test_it_is_stopped_by_the_account(tmp_path: Path, state: str, asked: str, becomes: str) -> None:
    async def story(world: World) -> None:
        answer = "always" if state == "in-progress" else "never"
        pace = 0 if state == "queued" else 50
        await world.behave(answer=answer, answer_after_seconds=0, calls_per_second=pace)
        call = await world.dial(Twiml="<Response><Pause length='60'/></Response>")
        await world.state(call["sid"], state)
        status, changed = await world.rest("POST", f"Calls/{call['sid']}.json", {"Status": asked})
        assert (status, changed["status"]) == (200, becomes)

    play(story, tmp_path)


def test_it_refuses_to_stop_what_has_ended(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(busy=1, answer_after_seconds=0)
        call = await world.dial()
        await world.state(call["sid"], "busy")
        status, error = await world.rest("POST", f"Calls/{call['sid']}.json", {"Status": "canceled"})
        assert (status, error["code"]) == (400, 21220)
        assert (await world.post(f"/sim/calls/{call['sid']}/answer", status=409))["error"]

    play(story, tmp_path)


def test_it_goes_on_with_another_document(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(answer="always", answer_after_seconds=0, words_per_second=0)
        call = await world.dial(Twiml="<Response><Say>One</Say><Pause length='60'/></Response>")
        await world.state(call["sid"], "in-progress")
        form = {"Twiml": "<Response><Say>Two</Say></Response>"}
        await world.rest("POST", f"Calls/{call['sid']}.json", form)
        await world.state(call["sid"], "completed")
        assert (await world.phone())["calls"][0]["heard"] == ["One", "Two"]

    play(story, tmp_path)


def test_it_dials_at_the_pace_of_the_account(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(calls_per_second=20)
        for index in range(8):
            await world.dial(to=f"+120255502{index:02d}")
        await until(lambda: all(call.status == "ringing" for call in world.engine.books.calls.values()))
        dialled_at = [call.dialled_at or 0.0 for call in world.engine.books.calls.values()]
        assert dialled_at == sorted(dialled_at)
        assert dialled_at[-1] - dialled_at[0] >= 0.25

    play(story, tmp_path)


def test_it_answers_the_phones_that_the_seed_names(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        outcomes = []
        for _ in range(2):
            await world.behave(answer=0.5, answer_after_seconds=0, seed=7, ring_after_seconds=0)
            world.engine.books.phones.clear()
            calls = [await world.dial(to=f"+120255501{index:02d}", Timeout="1") for index in range(20)]
            await until(lambda: all(call.ended for call in world.engine.books.calls.values()))
            outcomes.append([world.engine.books.calls[call["sid"]].status for call in calls])
        assert outcomes[0] == outcomes[1]
        assert 4 <= outcomes[0].count("completed") <= 16

    play(story, tmp_path)


def test_it_lets_a_phone_call_the_service(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/carriers/twilio/voice-in": "<Response><Say>Text us</Say></Response>"}
        await world.behave(words_per_second=0)
        sid = (await world.post("/sim/calls", {"from": PHONE}))["sid"]
        await world.state(sid, "completed")
        request = world.service.at("/carriers/twilio/voice-in")[0]
        assert (request["From"], request["Direction"], request["CallStatus"]) == (PHONE, "inbound", "ringing")
        assert (await world.phone())["calls"][0]["heard"] == ["Text us"]
        assert await world.get("/sim/calls?to=%2B12025550123") == []

    play(story, tmp_path)


def test_it_lets_the_service_reject_a_call(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.service.replies = {"/carriers/twilio/voice-in": '<Response><Reject reason="busy"/></Response>'}
        sid = (await world.post("/sim/calls", {"from": PHONE}))["sid"]
        assert (await world.state(sid, "busy"))["duration"] == "0"

    play(story, tmp_path)


def test_it_hangs_up_when_the_person_does(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(answer="always", answer_after_seconds=0)
        call = await world.dial(Twiml="<Response><Pause length='60'/></Response>")
        await world.state(call["sid"], "in-progress")
        await world.post(f"/sim/calls/{call['sid']}/decline")
        await world.state(call["sid"], "completed")
        await asyncio.sleep(0)

    play(story, tmp_path)
