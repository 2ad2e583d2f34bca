"""Evidence at once: each guard, and beside it the same race with the guard off, which must fail."""

from typing import Final
from uuid import UUID

import pytest

from reminders import outcomes, recovery
from reminders.carriers.base import Evidence
from reminders.states import Outcome
from tests.races.interleaving import guard_off, interleave
from tests.world.carrier import Fate
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
BUSY: Final = Evidence(call_status=Outcome.BUSY)
CALLBACKS: Final = frozenset({"ringing", "in-progress", "end"})
MOVES_ONCE: Final = {
    "load_attempt": (("   FOR UPDATE OF r, a", ""),),
    "conclude": (
        (" AND state = %(attempt_was)s::text", ""),
        (" AND r.version = %(version)s::int", ""),
    ),
}


def _placed(world: World, fate: Fate) -> UUID:
    """A call that has ended at the carrier, which told nobody."""
    world.carrier.fate_of = lambda _: fate
    world.text(PERSON, "Remind me in 1 minute about tea")
    world.run(seconds=60)
    world.turn()
    world.run(seconds=20)
    (attempt,) = world.rows("SELECT id FROM reminders_attempt")[0]
    assert isinstance(attempt, UUID)
    return attempt


def _callback(world: World, attempt: UUID) -> None:
    outcomes.fold(attempt_id=attempt, evidence=BUSY, policy=POLICY, carrier="twilio", now=world.clock.now)


def _look_up(world: World, attempt: UUID) -> str:
    return recovery.look_up(
        attempt_id=attempt,
        carrier=world.carrier,
        policy=POLICY,
        looker=world.clock.looker(),
        now=world.clock.now,
    )


def _callback_against_look_up(world: World) -> list[tuple[int, int]]:
    """(generation, tries) of the reminder after a callback and a look-up that end one attempt at once."""
    attempt = _placed(world, Fate(end="busy", lose=CALLBACKS | {"busy"}))
    world.see.execute("UPDATE reminders_attempt SET call_status = 'busy'")

    def conclude() -> None:
        outcomes.conclude(attempt_id=attempt, stops=False, policy=POLICY, carrier="twilio", now=world.clock.now)

    interleave(world, conclude, conclude)
    return [(generation, tries) for generation, tries in world.rows("SELECT generation, tries FROM reminders_reminder")]


def test_an_attempt_that_is_concluded_twice_at_once_moves_its_reminder_once(world: World) -> None:
    assert _callback_against_look_up(world) == [(2, 1)]
    assert len(world.rows("SELECT FROM reminders_timer WHERE kind = 'ring'")) == 1


def test_negative_control_without_locks_and_old_states_it_moves_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits=MOVES_ONCE)
    assert _callback_against_look_up(world) == [(3, 2)]


def test_a_callback_and_a_look_up_at_once_end_the_attempt_once(world: World) -> None:
    attempt = _placed(world, Fate(end="busy", lose=CALLBACKS | {"busy"}))
    interleave(world, lambda: _callback(world, attempt), lambda: _look_up(world, attempt))
    assert world.rows("SELECT state, outcome FROM reminders_attempt") == [("ended", "busy")]
    assert world.rows("SELECT state, generation, tries FROM reminders_reminder") == [("scheduled", 2, 1)]


def test_two_callbacks_at_once_bind_one_call(world: World) -> None:
    attempt = _placed(world, Fate(end="no-answer", lose=CALLBACKS))
    world.see.execute("UPDATE reminders_attempt SET carrier_sid = NULL, state = 'unknown'")
    world.see.execute("DELETE FROM reminders_carrierkey")

    def fold(sid: str) -> str:
        evidence = Evidence(carrier_sid=sid, ringing_at=world.clock.now)
        try:
            outcomes.fold(attempt_id=attempt, evidence=evidence, policy=POLICY, carrier="twilio", now=world.clock.now)
        except outcomes.NoSuchAttempt:
            return "refused"
        return "folded"

    assert interleave(world, lambda: fold("CA1"), lambda: fold("CA2")) == ("folded", "refused")
    assert world.rows("SELECT carrier_sid FROM reminders_carrierkey") == [("CA1",)]


def _stop_against_a_late_key(world: World) -> list[str]:
    """The reminder's state after a key 2 that comes late, and a STOP that is taken at once with it."""
    attempt = _placed(world, Fate(lose=CALLBACKS | {"completed", "keys"}))
    ended = Evidence(words_at=world.clock.now, answered_at=world.clock.now, call_status=Outcome.ANSWERED)
    outcomes.fold(attempt_id=attempt, evidence=ended, policy=POLICY, carrier="twilio", now=world.clock.now)

    def press() -> None:
        key = Evidence(pressed="2", answered_at=world.clock.now)
        outcomes.fold(attempt_id=attempt, evidence=key, policy=POLICY, carrier="twilio", now=world.clock.now)

    interleave(world, press, lambda: world.text(PERSON, "STOP"))
    return [state for (state,) in world.rows("SELECT state FROM reminders_reminder")]


def test_a_stop_cancels_what_a_late_key_makes_ring_at_once_with_it(world: World) -> None:
    assert _stop_against_a_late_key(world) == ["cancelled"]
    assert world.rows("SELECT FROM reminders_timer WHERE kind = 'ring'") == []


def test_negative_control_without_the_persons_lock_a_late_key_passes_a_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"lock_person": (("   FOR NO KEY UPDATE", ""),)})
    assert _stop_against_a_late_key(world) == ["scheduled"]
