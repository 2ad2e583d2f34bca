"""Floods and costs: who texts too fast is told once and not charged, STOP always passes, spending has its bounds."""

from datetime import timedelta
from typing import Final

import pytest

from reminders import door, limits, spending
from reminders.admission import Allowances, Places
from reminders.dispatch import Claimer, Pacing
from reminders.spending import Bounds, Watch
from tests.world import promises
from tests.world.carrier import Text
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
NEIGHBOUR: Final = "+12025550102"
TEA: Final = "Remind me in 1 minute about tea"


def _allow(monkeypatch: pytest.MonkeyPatch, *, number: float = 0, block: float = 0) -> None:
    made = tuple(Allowances(per_minute=each, names_max=10) for each in (number, block))
    monkeypatch.setattr(door, "_allowances", lambda: made)


def _told(world: World, number: str) -> list[str]:
    return [text.body for text in world.carrier.texts if text.to == number]


def _outcomes(world: World) -> list[str]:
    return [outcome for (outcome,) in world.rows("SELECT outcome FROM reminders_messagekey ORDER BY id")]


def _charged(world: World) -> int:
    return len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'"))


def test_it_tells_once_who_texts_too_fast_and_charges_only_what_it_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow(monkeypatch, number=2)
    texts = [world.text(PERSON, TEA) for _ in range(5)]
    assert [text.answered for text in texts] == [200] * 5
    assert _outcomes(world) == ["reminder", "reminder", "refused", "refused", "refused"]
    assert len([told for told in _told(world, PERSON) if "wait a minute" in told]) == 1
    assert len(_told(world, PERSON)) == 3
    assert _charged(world) == 2
    assert world.text(NEIGHBOUR, TEA).answered == 200
    assert _outcomes(world)[-1] == "reminder"


def test_it_keeps_what_it_refused_out_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a repeat nor the carrier's list brings it in by the back door."""
    _allow(monkeypatch, number=1)
    texts = [world.text(PERSON, TEA) for _ in range(3)]
    _allow(monkeypatch)
    world.deliver_text(texts[2])
    world.reconcile()
    assert _outcomes(world) == ["reminder", "refused", "refused"]
    world.run()
    assert len(world.carrier.calls) == 1


def test_it_lets_stop_in_whatever_came_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _allow(monkeypatch, number=1)
    for _ in range(3):
        world.text(PERSON, TEA)
    world.text(PERSON, "STOP")
    assert world.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]
    world.run()
    assert world.carrier.calls == []


def test_it_tells_each_of_a_block_that_is_pumped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _allow(monkeypatch, block=1)
    for number in (PERSON, NEIGHBOUR, "+12025550103"):
        world.text(number, TEA)
    assert _outcomes(world) == ["reminder", "refused", "refused"]
    assert [len(_told(world, number)) for number in (PERSON, NEIGHBOUR, "+12025550103")] == [1, 1, 1]


def test_it_sends_texts_away_and_takes_callbacks_and_stop_where_every_place_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.text(PERSON, TEA)
    full = Places(places_max=0)
    monkeypatch.setattr(door, "_places", lambda: full)
    refused = world.text(NEIGHBOUR, TEA)
    assert (first.answered, refused.answered) == (200, None)
    world.clock.step(60)
    world.turn()
    world.clock.step(2)
    world.carrier.act()
    assert world.rows("SELECT ringing_at IS NOT NULL FROM reminders_attempt") == [(True,)]
    assert world.text(PERSON, "STOP").answered == 200
    assert world.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]
    monkeypatch.undo()


def _claimer(bounds: Bounds) -> Claimer:
    pacing = Pacing(account="world", calls_per_second=0, concurrent_calls=1000)
    return Claimer(pacing=pacing, lease_seconds=POLICY.lease_seconds, spending=Watch(bounds=bounds))


def _holds_back(world: World) -> bool:
    return world.claimer.spent


def _texted(world: World, people: int) -> list[Text]:
    return [world.text(f"+1202555{number:04}", TEA) for number in range(200, 200 + people)]


def test_it_dials_no_more_than_the_hour_allows_and_goes_on_when_the_bounds_are_lifted(world: World) -> None:
    bounds = Bounds(calls_per_hour=3, minor_per_day=0, call_cost_minor=2)
    _texted(world, 5)
    world.claimer = _claimer(bounds)
    world.clock.step(60)
    for _ in range(5):
        world.turn()
        world.clock.step(limits.POLL_SECONDS)
    assert len(world.carrier.calls) == 3
    assert _holds_back(world)
    assert spending.spent(bounds=bounds).left == 0
    assert world.text("+12025550300", TEA).answered == 200, "texts are accepted all the same"
    spending.lift(until=world.clock.now + timedelta(minutes=10), now=world.clock.now)
    world.turn()
    assert len(world.carrier.calls) == 5
    assert not _holds_back(world)
    world.claimer = _claimer(Bounds(calls_per_hour=0, minor_per_day=0, call_cost_minor=2))
    world.run()
    promises.assert_kept(world)


@pytest.mark.parametrize(("minor_per_day", "calls"), [(0, 5), (8, 4), (5, 2), (1, 0)])
def test_it_dials_no_more_than_a_day_may_cost(world: World, minor_per_day: int, calls: int) -> None:
    bounds = Bounds(calls_per_hour=0, minor_per_day=minor_per_day, call_cost_minor=2)
    _texted(world, 5)
    world.claimer = _claimer(bounds)
    world.clock.step(60)
    for _ in range(3):
        world.turn()
        world.clock.step(limits.POLL_SECONDS)
    assert len(world.carrier.calls) == calls


def test_it_lifts_the_bounds_for_a_day_at_most(world: World) -> None:
    with pytest.raises(ValueError, match="a day"):
        spending.lift(until=world.clock.now + timedelta(hours=25), now=world.clock.now)
    spending.lift(until=world.clock.now + timedelta(hours=1), now=world.clock.now)
    bounds = Bounds(calls_per_hour=1, minor_per_day=0, call_cost_minor=2)
    assert spending.spent(bounds=bounds).left is None
    spending.lift(until=world.clock.now, now=world.clock.now)
    assert spending.spent(bounds=bounds).left == 1
