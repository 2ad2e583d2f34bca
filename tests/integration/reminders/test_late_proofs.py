"""What is proved after a call was concluded: a rule goes on all the same, and a key means what it was said to mean."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from reminders import outcomes
from reminders.carriers.base import Evidence
from reminders.states import Outcome
from tests.world import promises
from tests.world.carrier import Fate
from tests.world.world import POLICY, World

ONCE: Final = "Remind me in 1 minute about tea"
DAILY: Final = "every day 9:31 UTC take pills"
PERSON: Final = "+12025550101"
ANSWERED: Final[dict[str, Any]] = {"call_status": Outcome.ANSWERED, "duration_seconds": 5}
MACHINE: Final[dict[str, Any]] = ANSWERED | {"answered_by": "machine_start"}


def _ring(world: World, body: str) -> UUID:
    """An attempt whose call is with a carrier that will say nothing by itself."""
    world.carrier.fate_of = lambda _: Fate(end="no-answer", lose=frozenset({"ringing", "no-answer"}))
    world.text(PERSON, body)
    world.run(seconds=61)
    ((attempt,),) = world.rows("SELECT id FROM reminders_attempt")
    assert isinstance(attempt, UUID)
    return attempt


def _fold(world: World, attempt: UUID, **what: Any) -> None:
    outcomes.fold(attempt_id=attempt, evidence=Evidence(**what), policy=POLICY, carrier="twilio", now=world.clock.now)


def _end(world: World, attempt: UUID, **what: Any) -> None:
    """It was picked up, had its words and is over; its keys are still on their way."""
    _fold(world, attempt, words_at=world.clock.now, answered_at=world.clock.now, **what)


def _press(world: World, attempt: UUID, key: str, *, times: int = 2) -> None:
    """The key's webhook, a moment after the call's end."""
    world.clock.step(2)
    for _ in range(times):
        _fold(world, attempt, pressed=key, answered_at=world.clock.now)


def _stands(world: World) -> tuple[str, int, list[datetime]]:
    """The reminder's state and occurrence, and when it will ring."""
    ((state, sequence),) = world.rows("SELECT state, sequence FROM reminders_reminder")
    return state, sequence, [at for (at,) in world.rows("SELECT due_at FROM reminders_timer WHERE kind = 'ring'")]


def _occurrences(world: World) -> list[str | None]:
    return [outcome for (outcome,) in world.rows("SELECT outcome FROM reminders_occurrence ORDER BY sequence")]


def test_a_rule_goes_on_where_an_answer_is_proved_while_its_next_attempt_is_to_come(world: World) -> None:
    attempt = _ring(world, DAILY)
    ((due,),) = world.rows("SELECT due_at FROM reminders_occurrence")
    _fold(world, attempt, call_status=Outcome.NO_ANSWER)
    assert _stands(world) == ("scheduled", 1, [world.clock.now + timedelta(seconds=POLICY.retry_seconds)])
    for _ in range(2):
        _fold(world, attempt, answered_at=world.clock.now, duration_seconds=5)
    assert _stands(world) == ("scheduled", 2, [due + timedelta(days=1)])
    assert _occurrences(world) == ["answered", None]
    assert world.rows("SELECT state FROM billing_hold") == [("posted",)]
    promises.history_gives_the_rows(world)
    world.carrier.fate_of = lambda _: Fate(press="1")
    world.run(seconds=24 * 3600 + 60)
    assert _stands(world) == ("scheduled", 3, [due + timedelta(days=2)])


@pytest.mark.parametrize("body", [ONCE, DAILY])
@pytest.mark.parametrize(("concluded", "times"), [(ANSWERED, 1), (ANSWERED, 2), (MACHINE, 1), (MACHINE, 2)])
def test_a_snooze_is_honoured_that_comes_after_the_call_was_concluded(
    world: World, body: str, concluded: dict[str, Any], times: int
) -> None:
    attempt = _ring(world, body)
    ((due,),) = world.rows("SELECT due_at FROM reminders_occurrence")
    _end(world, attempt, **concluded)
    _press(world, attempt, "2", times=times)
    state, sequence, rings = _stands(world)
    assert (state, rings) == ("scheduled", [world.clock.now + timedelta(seconds=POLICY.snooze_seconds)])
    assert set(_occurrences(world)[:-1]) == {"snoozed"} and len(_occurrences(world)) == sequence
    promises.history_gives_the_rows(world)
    world.carrier.fate_of = lambda _: Fate(press="1")
    world.run(seconds=POLICY.snooze_seconds + 120)
    after = [] if body == ONCE else [due + timedelta(days=1)]  # the rule goes on to the date that stood before
    assert _stands(world)[2] == after
    assert len(world.carrier.calls) == 2


@pytest.mark.parametrize("body", [ONCE, DAILY])
@pytest.mark.parametrize(("concluded", "times"), [(ANSWERED, 1), (ANSWERED, 2), (MACHINE, 1), (MACHINE, 2)])
def test_never_again_is_honoured_that_comes_after_the_call_was_concluded(
    world: World, body: str, concluded: dict[str, Any], times: int
) -> None:
    attempt = _ring(world, body)
    _end(world, attempt, **concluded)
    _press(world, attempt, "9", times=times)
    assert world.rows("SELECT stopped_at IS NOT NULL FROM reminders_subscriber") == [(True,)]
    assert _stands(world)[2] == []
    promises.history_gives_the_rows(world)


def test_a_snooze_that_is_told_once_more_after_it_rang_makes_no_other(world: World) -> None:
    """Ten minutes of snooze, and a quarter of an hour in which a late one is honoured: both may be over by then."""
    attempt = _ring(world, ONCE)
    _fold(world, attempt, words_at=world.clock.now, answered_at=world.clock.now, pressed="2")
    _fold(world, attempt, call_status=Outcome.ANSWERED)
    world.carrier.fate_of = lambda _: Fate(press="1")
    world.run(seconds=POLICY.snooze_seconds + 120)
    assert _stands(world) == ("answered", 2, [])
    _press(world, attempt, "2")
    assert _stands(world) == ("answered", 2, [])


@pytest.mark.parametrize("hours", [0.3, 30])
@pytest.mark.parametrize("times", [1, 2])
def test_never_again_is_honoured_whenever_it_comes_and_once(world: World, hours: float, times: int) -> None:
    attempt = _ring(world, ONCE)
    _end(world, attempt, call_ended_at=world.clock.now, **ANSWERED)
    world.clock.step(hours * 3600)
    world.text(PERSON, "Remind me in 1 hour about cake")
    _press(world, attempt, "9", times=times)
    assert _said(world) == ["consent.stopped"]
    assert world.rows("SELECT state FROM reminders_reminder ORDER BY number") == [("answered",), ("cancelled",)]
    promises.history_gives_the_rows(world)


def test_a_key_that_is_told_again_does_not_undo_the_start_after_it(world: World) -> None:
    attempt = _ring(world, ONCE)
    _end(world, attempt, call_ended_at=world.clock.now, **ANSWERED)
    _press(world, attempt, "9", times=1)
    world.clock.step(60)
    world.text(PERSON, "START")
    world.text(PERSON, "Remind me in 1 hour about cake")
    _press(world, attempt, "9")
    assert _said(world) == ["consent.stopped", "consent.started"]
    assert world.rows("SELECT started_at > stopped_at FROM reminders_subscriber") == [(True,)]
    assert _stands_open(world) == 1


def test_a_key_that_is_first_told_after_a_start_is_evidence_from_before_it(world: World) -> None:
    attempt = _ring(world, ONCE)
    _end(world, attempt, call_ended_at=world.clock.now, **ANSWERED)
    world.text(PERSON, "Remind me in 2 hours about soup")
    world.clock.step(60)
    for said in ("STOP", "START", "Remind me in 1 hour about cake"):
        world.clock.step(60)
        world.text(PERSON, said)
    _press(world, attempt, "9")
    assert _said(world) == ["consent.stopped", "consent.started", "consent.stopped"]
    assert world.rows("SELECT started_at > stopped_at FROM reminders_subscriber") == [(True,)]
    assert _stands_open(world) == 1


def test_never_again_is_honoured_of_a_call_that_was_given_up(world: World) -> None:
    attempt = _ring(world, ONCE)
    world.see.execute("UPDATE reminders_attempt SET state = 'not_placed', ended_at = now()")
    _press(world, attempt, "9")
    assert _said(world) == ["consent.stopped"]


@pytest.mark.parametrize("body", [ONCE, DAILY])
@pytest.mark.parametrize("then", [("STOP",), ("STOP", "START")])
def test_a_snooze_that_comes_after_a_stop_makes_nothing_ring(world: World, body: str, then: tuple[str, ...]) -> None:
    attempt = _ring(world, body)
    _end(world, attempt, **ANSWERED)
    for said in then:
        world.clock.step(1)
        world.text(PERSON, said)
    before = _stands(world), _occurrences(world)
    _press(world, attempt, "2")
    assert (_stands(world), _occurrences(world)) == before
    assert _stands_open(world) == 0
    promises.history_gives_the_rows(world)


def _said(world: World) -> list[str]:
    """What the person is on record to have said about being called."""
    return [what for (what,) in world.rows("SELECT what FROM reminders_event WHERE what LIKE 'consent.%%' ORDER BY id")]


def _stands_open(world: World) -> int:
    return len(world.rows("SELECT FROM reminders_reminder WHERE state IN ('scheduled', 'ringing')"))
