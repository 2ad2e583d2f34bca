"""Each fault of the simulated carrier does what its name says, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import aiohttp
import pytest

from tests.integration.carrier_sim.world import PHONE, SERVICE, World, play, until

EVENTS = ["initiated", "ringing", "answered", "completed"]
WORDS = "<Response><Say>Tea</Say></Response>"


async def rung(world: World, count: int, **faults: float) -> list[tuple[str, str]]:
    """Let one call run under the faults; its callbacks once there are that many."""
    await world.behave(answer="always", answer_after_seconds=0, faults=faults)
    callback = world.service.base + "/status"
    await world.dial(Twiml=WORDS, StatusCallback=callback, StatusCallbackEvent=EVENTS)
    await until(lambda: len(world.service.at("/status")) >= count)
    await until(lambda: all(call.ended for call in world.engine.books.calls.values()))
    return [(one["SequenceNumber"], one["CallStatus"]) for one in world.service.at("/status")]


def test_it_sends_callbacks_twice(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        told = await rung(world, 8, callbacks_duplicate=1)
        assert [sequence for sequence, _ in told] == ["0", "0", "1", "1", "2", "2", "3", "3"]

    play(story, tmp_path)


def test_it_sends_callbacks_in_reverse(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        told = await rung(world, 4, callbacks_reverse=1)
        assert told == [("3", "completed"), ("2", "in-progress"), ("1", "ringing"), ("0", "initiated")]

    play(story, tmp_path)


def test_it_sends_callbacks_late(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        began = time.monotonic()
        await rung(world, 1, callbacks_delay_seconds=0.5)
        assert world.service.at("/status")[0].at - began >= 0.5

    play(story, tmp_path)


@pytest.mark.parametrize("switch", [{"faults": {"callbacks_drop": 1}}, {"callbacks": 0}])
def test_it_drops_callbacks(tmp_path: Path, switch: dict[str, object]) -> None:
    async def story(world: World) -> None:
        await world.behave(answer="always", answer_after_seconds=0, **switch)
        call = await world.dial(Twiml=WORDS, StatusCallback=world.service.base + "/status", StatusCallbackEvent=EVENTS)
        await world.state(call["sid"], "completed")
        await until(lambda: all(one.told == len(one.events) for one in world.engine.books.calls.values()))
        assert world.service.at("/status") == []

    play(story, tmp_path)


def test_it_places_the_call_and_loses_the_reply(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"create_reply_lost": 1})
        with pytest.raises(aiohttp.ClientError):
            await world.dial()
        assert len(await world.get("/sim/calls?to=%2B12025550123")) == 1

    play(story, tmp_path)


def test_it_places_the_call_and_answers_503(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"create_5xx_after_placing": 1})
        form = {"To": PHONE, "From": SERVICE, "Twiml": WORDS}
        status, error = await world.rest("POST", "Calls.json", form)
        assert (status, error["status"]) == (503, 503)
        assert len(await world.get("/sim/calls?to=%2B12025550123")) == 1

    play(story, tmp_path)


def test_it_refuses_with_429_and_places_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"create_429": 1})
        form = {"To": PHONE, "From": SERVICE, "Twiml": WORDS}
        status, error = await world.rest("POST", "Calls.json", form)
        assert (status, error["code"]) == (429, 20429)
        assert await world.get("/sim/calls?to=%2B12025550123") == []

    play(story, tmp_path)


@pytest.mark.parametrize(("fault", "placed"), [("create_hang_seconds", 1), ("create_hold_seconds", 0)])
def test_it_hangs(tmp_path: Path, fault: str, placed: int) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={fault: 30})
        form = aiohttp.FormData({"To": PHONE, "From": SERVICE, "Twiml": WORDS})
        world.http._timeout = aiohttp.ClientTimeout(total=1)
        with pytest.raises(TimeoutError):
            await world.rest("POST", "Calls.json", form)
        world.http._timeout = aiohttp.ClientTimeout(total=60)
        assert len(await world.get("/sim/calls?to=%2B12025550123")) == placed

    play(story, tmp_path)


def test_it_lists_with_a_lag(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"list_lag_seconds": 3})
        await world.dial()
        _, now = await world.rest("GET", "Calls.json?To=%2B12025550123")
        assert now["calls"] == []

        async def listed() -> int:
            return len((await world.rest("GET", "Calls.json?To=%2B12025550123"))[1]["calls"])

        await until(listed)

    play(story, tmp_path)


def test_it_strikes_the_share_that_was_asked_for(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(faults={"create_429": 0.5}, seed=3)
        form = {"To": PHONE, "From": SERVICE, "Twiml": WORDS}
        struck = [(await world.rest("POST", "Calls.json", form))[0] for _ in range(60)]
        assert 15 <= struck.count(429) <= 45
        assert struck.count(429) + struck.count(201) == 60

    play(story, tmp_path)
