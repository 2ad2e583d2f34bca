"""A poisonous row is buried; what fails with everything else is held, and rings by itself once that is mended."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import pytest

from billing import charges
from reminders import dispatch, limits, recovery
from reminders.carriers.base import Unavailable
from reminders.dispatch import Doorbell
from reminders.states import Kind
from tests.world import promises
from tests.world.carrier import Fate
from tests.world.world import World

CAKE: Final = "Remind me in 1 second about cake"
TEA: Final = "Remind me in 1 minute about tea"
BAD: Final = "+12025559999"


def _people(world: World, several: int, *, since: int = 1000, body: str = TEA) -> list[str]:
    numbers = [f"+1202555{since + person}" for person in range(several)]
    for number in numbers:
        world.text(number, body)
    return numbers


def _states(world: World) -> Counter[str]:
    return Counter(state for (state,) in world.rows("SELECT state FROM reminders_reminder"))


def _poison(world: World, *numbers: str) -> None:
    """Their intents fail, wherever they are tried."""
    accounts = {
        account
        for (account,) in world.rows("SELECT account_id FROM reminders_subscriber WHERE number = ANY (%s)", [*numbers])
    }
    world.fails = lambda hold: hold.account_id in accounts


def _break(world: World) -> None:
    world.fails = lambda _: True


def _mend(world: World) -> None:
    world.fails = lambda _: False


def _claims(world: World) -> set[int]:
    return {claims for (claims,) in world.rows("SELECT claims FROM reminders_timer WHERE kind = 'ring'")}


def test_it_buries_the_one_among_many_good_ones_soon(world: World) -> None:
    _people(world, 20)
    world.text(BAD, TEA)
    _poison(world, BAD)
    world.run(seconds=60 + 12)
    assert _states(world) == {"answered": 20, "dead": 1}
    assert world.rows("SELECT detail ->> 'cause' FROM reminders_event WHERE what = 'reminder.dead'") == [("poison",)]


def test_it_tries_five_times_later_each_time_and_alone(world: World) -> None:
    world.text(BAD, TEA)
    _people(world, 3)
    _poison(world, BAD)
    due = world.clock.now + timedelta(seconds=60)
    tried: list[tuple[float, int]] = []
    attend = world.attend

    def attended(bell: Doorbell) -> None:
        if bell.kind is Kind.RING:
            tried.append(((world.clock.now - due).total_seconds(), len(bell.ids)))
        attend(bell)

    world.attend = attended  # type: ignore[method-assign]
    world.run(seconds=90)
    assert tried == [(0, 4), *[(1, 1)] * 4, (2, 1), (3, 1), (5, 1)]
    assert _states(world)["dead"] == 1


def test_it_buries_several_among_good_ones(world: World) -> None:
    bad = _people(world, 4, since=2000)
    _poison(world, *bad)
    for turn in range(20):
        _people(world, 1, since=3000 + turn, body=CAKE)
        world.run(seconds=10)
    world.run(seconds=120)
    assert _states(world) == {"answered": 20, "dead": 4}


def test_it_buries_no_more_than_a_bound_in_an_hour_and_holds_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BURIED_MAX", 2)
    bad = _people(world, 4, since=2000)
    _poison(world, *bad)
    for turn in range(10):
        _people(world, 1, since=3000 + turn, body=CAKE)
        world.run(seconds=10)
    world.run(seconds=120)
    assert _states(world) == {"answered": 10, "dead": 2, "scheduled": 2}
    _mend(world)
    world.run(seconds=limits.FAILED_SECONDS_MAX)
    assert _states(world)["scheduled"] == 0


def test_who_fails_alone_for_long_is_buried_by_what_rang_before_and_only_the_first(world: World) -> None:
    _people(world, 5, since=4000)
    world.run(seconds=90)
    _break(world)
    world.text(BAD, TEA)
    world.run(seconds=60 + limits.ALONE_SECONDS)
    assert _states(world) == {"answered": 5, "scheduled": 1}
    world.run(seconds=30)
    assert _states(world) == {"answered": 5, "dead": 1}
    for since in (1000, 2000):  # nobody got through since: it may be the worker
        _people(world, 1, since=since)
        world.run(seconds=60 + 300)
    assert _states(world) == {"answered": 5, "dead": 1, "scheduled": 2}
    _mend(world)
    world.run(seconds=limits.FAILED_SECONDS_MAX + 60)
    assert _states(world) == {"answered": 7, "dead": 1}


def test_who_fails_alone_is_held_where_nobody_rang_for_an_hour(world: World) -> None:
    _people(world, 1)
    world.run(seconds=limits.WELL_SECONDS + 60)
    _break(world)
    world.text(BAD, TEA)
    world.run(seconds=600)
    assert _states(world) == {"answered": 1, "scheduled": 1}


@pytest.mark.parametrize("several", [2, 12])
def test_it_buries_nobody_while_everything_fails_and_rings_all_once_that_is_mended(world: World, several: int) -> None:
    _people(world, 5, since=4000)
    world.run(seconds=90)  # they ring, and the worker was well until now
    _people(world, several)
    _break(world)
    world.run(seconds=60 + 600)
    assert _states(world) == {"answered": 5, "scheduled": several}
    assert min(_claims(world)) > limits.CLAIMS_MAX
    _mend(world)
    world.run(seconds=limits.FAILED_SECONDS_MAX + 60)
    assert _states(world) == {"answered": 5 + several}
    world.run()
    promises.assert_kept(world)
    assert world.rows("SELECT count(*) FROM reminders_occurrence WHERE late") == [(several,)]


def test_it_tries_again_within_a_minute_however_long_it_has_failed(world: World) -> None:
    _people(world, 1)
    _break(world)
    world.run(seconds=3600)
    ((wake_at, claims),) = world.rows("SELECT wake_at, claims FROM reminders_timer WHERE kind = 'ring'")
    assert wake_at - world.clock.now <= timedelta(seconds=limits.FAILED_SECONDS_MAX)
    assert 60 <= claims <= 70


def test_it_buries_the_poisonous_and_holds_the_others_where_both_meet(world: World) -> None:
    _people(world, 3)
    world.text(BAD, TEA)
    _break(world)
    world.run(seconds=60 + 300)
    assert _states(world) == {"scheduled": 4}
    _poison(world, BAD)  # the worker is mended, the row is not
    world.run(seconds=200)
    assert _states(world)["answered"] == 3
    for turn in range(4):  # and it takes others that get through to see which it is
        _people(world, 1, since=3000 + turn)
        world.run(seconds=90)
    assert _states(world) == {"answered": 7, "dead": 1}


def test_it_blames_nobody_for_a_worker_that_broke_again(world: World) -> None:
    """What failed before and after, and was not tried while the worker was well."""
    _people(world, 8)
    _break(world)
    world.run(seconds=60 + 300)
    _mend(world)
    _people(world, 3, since=2000, body=CAKE)
    world.run(seconds=2)
    _break(world)
    assert _states(world)["scheduled"] + _states(world)["ringing"] > 1
    world.run(seconds=600)
    assert _states(world)["dead"] <= 1


def test_a_new_process_has_to_get_something_through_before_it_blames_a_row(world: World) -> None:
    _people(world, 1)
    world.run(seconds=90)
    world.die("a deploy")
    world.text(BAD, TEA)
    _poison(world, BAD)
    world.run(seconds=600)
    assert _states(world) == {"answered": 1, "scheduled": 1}
    _people(world, 1, since=2000)
    world.run(seconds=300)
    assert _states(world) == {"answered": 2, "dead": 1}


def test_a_row_that_kills_its_worker_each_time_is_buried_once_others_got_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.text(BAD, TEA)
    _people(world, 3)
    ((bad,),) = world.rows("SELECT account_id FROM reminders_subscriber WHERE number = %s", BAD)
    reserve = charges.reserve

    def kill(*, holds: Sequence[charges.NewHold]) -> None:
        if any(hold.account_id == bad for hold in holds):
            world.points.dead = True
            world.points.reach("reserve")
        reserve(holds=holds)

    monkeypatch.setattr(charges, "reserve", kill)
    for turn in range(8):
        _people(world, 2, since=3000 + 10 * turn)
        world.run(seconds=20)
    world.run(seconds=200)
    assert _states(world) == {"answered": 19, "dead": 1}


def test_what_is_given_back_for_another_reason_has_no_mark_and_does_not_wait(world: World) -> None:
    """A doorbell that Redis did not take, and a person whose phone rings: neither is a failure."""
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"end"}))
    world.text(BAD, TEA)
    world.text(BAD, "Remind me in 1 minute about cake")
    world.run(seconds=61)
    assert world.rows("SELECT claims, strikes, parked FROM reminders_timer WHERE kind = 'ring'") == [(0, 0, True)]
    (bell,) = [one for one in _bells_of_one_due(world) if one.kind is Kind.RING]
    dispatch.release(bell=bell)
    ((claims, wake_at),) = world.rows("SELECT claims, wake_at FROM reminders_timer WHERE id = %s", bell.ids[0])
    assert (claims, wake_at - world.clock.now) == (0, timedelta(seconds=limits.PUBLISH_RETRY_SECONDS))


def _bells_of_one_due(world: World) -> list[Doorbell]:
    world.text("+12025551234", CAKE)
    world.clock.step(1)
    return world.dispatch()


def test_a_look_up_that_always_fails_is_given_up_where_other_calls_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = frozenset({"ringing", "in-progress", "end", "keys"})
    world.carrier.fate_of = lambda call: Fate(lose=silent if call.to == BAD else frozenset())
    world.text(BAD, TEA)
    world.run(seconds=61)
    ((poisonous,),) = world.rows("SELECT id FROM reminders_attempt")
    look_up = recovery.look_up

    def fail(*, attempt_id: Any, **rest: Any) -> str:
        if attempt_id == poisonous:
            raise RuntimeError("broken")
        return look_up(attempt_id=attempt_id, **rest)

    monkeypatch.setattr(recovery, "look_up", fail)
    world.run(seconds=900)
    assert _states(world) == {"ringing": 1}  # alone it is held
    _people(world, 1, since=3000)
    world.run(seconds=700)
    assert _states(world) == {"answered": 1, "dead": 1}
    assert world.rows("SELECT reason FROM reminders_attempt WHERE id = %s", poisonous) == [("poison",)]


def test_look_ups_that_a_worker_all_fails_give_nobody_up_though_calls_end_elsewhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = frozenset({"ringing", "in-progress", "end", "keys"})
    lost = _people(world, 3)
    world.carrier.fate_of = lambda call: Fate(lose=silent if call.to in lost else frozenset())
    world.run(seconds=61)

    def fail(**_: Any) -> str:
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(recovery, "look_up", fail)
        for turn in range(4):
            _people(world, 1, since=3000 + turn)
            world.run(seconds=300)
        assert _states(world) == {"answered": 4, "ringing": 3}
    world.run()
    assert _states(world) == {"answered": 7}
    promises.assert_kept(world)


def test_look_ups_that_all_fail_give_nobody_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"ringing", "in-progress", "end", "keys"}))
    _people(world, 4)
    world.run(seconds=61)

    def fail(**_: Any) -> str:
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(recovery, "look_up", fail)
        world.run(seconds=1800)
        assert _states(world) == {"ringing": 4}
    world.run()
    assert _states(world) == {"answered": 4}
    promises.assert_kept(world)


def test_what_never_leaves_is_a_dead_letter_only_where_others_ring(world: World) -> None:
    world.carrier.refuse_call = lambda _: Unavailable("429")
    world.text(BAD, TEA)
    world.run(seconds=4 * 3600)
    assert _states(world) == {"scheduled": 1}
    assert world.rows("SELECT attempts > %s FROM reminders_reminder", limits.ATTEMPTS_MAX) == [(True,)]
    world.carrier.refuse_call = lambda request: Unavailable("429") if request.to == BAD else None
    _people(world, 1)
    world.run(seconds=400)
    assert _states(world) == {"answered": 1, "dead": 1}
