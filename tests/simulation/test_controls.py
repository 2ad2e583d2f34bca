"""The negative controls of the simulation: with a guard of the design off, its judgement must find a broken promise."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from reminders import delivery, limits, outcomes, poison, recovery
from reminders.carriers.base import CallRequest, Unavailable, Unknown
from tests.world import promises
from tests.world.carrier import Fate
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"


def _dial_blindly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of unknown outcome is taken as one that never left."""

    async def place(request: CallRequest) -> str:
        try:
            return await type(world.carrier).place_call(world.carrier, request)
        except Unknown as error:
            raise Unavailable(error.reason) from error

    monkeypatch.setattr(world.carrier, "place_call", place)
    lost = iter((True,))
    world.carrier.lose_call = lambda _: next(lost, False)


def _send_blindly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that is not known to have arrived is sent again without a look."""
    monkeypatch.setattr(recovery, "_find_reply", lambda *_: None)
    take = world.carrier.take_text

    def silent(**what: object) -> object:
        text = take(**what)  # type: ignore[arg-type]
        world.carrier.agenda.clear()
        return text

    monkeypatch.setattr(world.carrier, "take_text", silent)


def _forget_the_bill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answered call is concluded without its charge."""
    monkeypatch.setattr(outcomes, "_bill", lambda *_: None)


def _settle_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody settles, nobody calls back, nobody looks up: the reminder rings for ever."""
    monkeypatch.setattr(delivery, "settle", lambda **_: None)
    monkeypatch.setattr(recovery, "look_up", lambda **_: "over")
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"ringing", "in-progress", "end", "completed", "words"}))


def _bury_by_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five failures make a dead letter, whoever is to blame; the worker is broken for a while."""
    monkeypatch.setattr(poison, "is_poison", lambda *, claims, strikes: claims >= limits.CLAIMS_MAX)  # noqa: ARG005
    until = world.clock.now + timedelta(seconds=90)
    world.fails = lambda _: world.clock.now < until


@pytest.mark.parametrize(
    "broken",
    [_bury_by_count, _dial_blindly, _send_blindly, _forget_the_bill, _settle_nothing],
    ids=lambda broken: broken.__name__.strip("_"),
)
def test_negative_control_it_finds_what_is_broken(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Callable[[World, pytest.MonkeyPatch], None]
) -> None:
    broken(world, monkeypatch)
    world.text(PERSON, TEA)
    with pytest.raises(AssertionError):
        _live_and_judge(world)


def test_it_finds_nothing_where_nothing_is_broken(world: World) -> None:
    world.text(PERSON, TEA)
    _live_and_judge(world)


def test_negative_control_it_finds_a_history_that_was_rewritten(world: World) -> None:
    world.text(PERSON, TEA)
    world.run()
    world.see.execute("UPDATE reminders_reminder SET tries = tries + 1")
    with pytest.raises(AssertionError, match="replay"):
        promises.assert_kept(world)


def test_it_finds_nothing_where_a_broken_worker_is_mended(world: World) -> None:
    until = world.clock.now + timedelta(seconds=90)
    world.fails = lambda _: world.clock.now < until
    world.text(PERSON, TEA)
    _live_and_judge(world)


def _live_and_judge(world: World) -> None:
    world.run()
    promises.nobody_is_buried_for_a_worker(world)
    promises.assert_kept(world)
