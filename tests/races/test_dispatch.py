"""Dispatchers and workers at once: each guard, and beside it the same race with the guard off, which must fail."""

from typing import Final

import pytest

from reminders import dispatch, recovery
from reminders.dispatch import Doorbell
from reminders.states import Kind
from tests.races import beats
from tests.races.interleaving import at_once, guard_off, interleave
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
CAKE: Final = "Remind me in 1 minute about cake"
SKIP_LOCKED: Final = (("   FOR UPDATE SKIP LOCKED\n", ""), ("t.ctid = ANY", "t.id = ANY"), ("SELECT ctid", "SELECT id"))
TOKEN_OF_INTENT: Final = (
    ("t.token = %(token)s::uuid AND (t.leased_until > now() OR t.wake_at > now())\n     AND ", ""),
)
ROW_LOCKS_OF_INTENT: Final = (("   ORDER BY r.id FOR UPDATE OF r, t\n", ""),)
ONE_OPEN_CALL: Final = (("  ON CONFLICT (subscriber_id) DO NOTHING\n", ""),)
NO_PRIMARY_KEY: Final = ("ALTER TABLE reminders_opencall DROP CONSTRAINT reminders_opencall_pkey",)


def _due(world: World, *bodies: str) -> None:
    for body in bodies:
        world.text(PERSON, body)
    world.clock.step(60)


def _two_claims_at_once(world: World) -> tuple[int, int]:
    _due(world, TEA)
    (_, one), (_, two) = interleave(world, lambda: beats.claim(world), lambda: beats.claim(world))
    return sum(row.kind is Kind.RING for row in one), sum(row.kind is Kind.RING for row in two)


def test_a_timer_that_two_dispatchers_want_is_claimed_by_one(world: World) -> None:
    assert _two_claims_at_once(world) == (1, 0)


def test_negative_control_without_skip_locked_both_claim_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, world, edits={"claim_rings": SKIP_LOCKED})
    assert _two_claims_at_once(world) == (1, 1)


def test_many_dispatchers_at_once_share_what_is_due_without_overlap(world: World) -> None:
    for person in range(40):
        world.text(f"+120255501{person:02d}", TEA)
    world.clock.step(60)
    claims = at_once(*[lambda: beats.claim(world)] * 4)
    ids = [row.id for _, rows in claims for row in rows if row.kind is Kind.RING]
    assert (len(ids), len(set(ids))) == (40, 40)


def _late_worker_after_a_new_claim(world: World) -> tuple[int, int]:
    """How many intents the late worker made, and the one who holds the lease now."""
    _due(world, TEA)
    first = beats.bell(world)
    late = beats.take_up(first)
    world.clock.step(POLICY.lease_seconds + 1)
    second = beats.bell(world)
    present = beats.take_up(second)
    assert (len(late), len(present)) == (1, 1)
    return beats.intend(world, first, late), beats.intend(world, second, present)


def test_a_worker_whose_lease_went_to_another_intends_nothing(world: World) -> None:
    assert _late_worker_after_a_new_claim(world) == (0, 1)


def test_negative_control_without_the_token_the_late_worker_intends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intend": TOKEN_OF_INTENT})
    assert _late_worker_after_a_new_claim(world) == (1, 0)


def _doorbell_rings_twice_at_once(world: World) -> tuple[int, int]:
    _due(world, TEA)
    bell = beats.bell(world)
    mine, other = beats.take_up(bell), beats.take_up(bell)
    return interleave(world, lambda: beats.intend(world, bell, mine), lambda: beats.intend(world, bell, other))


def test_a_doorbell_that_rings_twice_at_once_makes_one_attempt(world: World) -> None:
    assert _doorbell_rings_twice_at_once(world) == (1, 0)
    assert world.rows("SELECT number, state FROM reminders_attempt") == [(1, "intended")]


def test_negative_control_without_row_locks_and_open_call_it_makes_two(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = {"intend": (*ROW_LOCKS_OF_INTENT, *ONE_OPEN_CALL)}
    guard_off(monkeypatch, world, edits=edits, changes=NO_PRIMARY_KEY)
    assert _doorbell_rings_twice_at_once(world) == (1, 1)
    assert len(world.rows("SELECT FROM reminders_attempt")) == 2


def _two_reminders_of_one_person_at_once(world: World) -> tuple[int, int]:
    _due(world, TEA, CAKE)
    token, claimed = beats.claim(world)
    bells = [Doorbell(kind=Kind.RING, ids=(row.id,), token=token) for row in claimed if row.kind is Kind.RING]
    dues = [beats.take_up(bell) for bell in bells]
    return interleave(
        world, lambda: beats.intend(world, bells[0], dues[0]), lambda: beats.intend(world, bells[1], dues[1])
    )


def test_a_person_with_two_reminders_due_at_once_has_one_open_call(world: World) -> None:
    assert _two_reminders_of_one_person_at_once(world) == (1, 0)
    assert world.rows("SELECT parked, wait_cause, token FROM reminders_timer WHERE kind = 'ring'") == [
        (True, "other_call", None)
    ]


def test_negative_control_without_the_open_calls_key_both_ring(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, world, edits={"intend": ONE_OPEN_CALL}, changes=NO_PRIMARY_KEY)
    assert _two_reminders_of_one_person_at_once(world) == (1, 1)


def _reply_is_tended_twice_at_once(world: World) -> int:
    """How many SMS leave where two workers tend one reply of ours."""
    world.text(PERSON, TEA)
    (reply,) = world.rows("SELECT id FROM reminders_reply")[0]
    world.see.execute("UPDATE reminders_reply SET state = 'intended'")
    world.carrier.texts.clear()

    def tend() -> str:
        return recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY)

    interleave(world, tend, tend)
    return len(world.carrier.texts)


def test_a_reply_that_two_workers_tend_at_once_leaves_once(world: World) -> None:
    assert _reply_is_tended_twice_at_once(world) == 1


def test_negative_control_without_its_old_state_the_reply_leaves_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"move_reply": ((" AND p.state = ANY (%(was)s::text[])", ""),)})
    assert _reply_is_tended_twice_at_once(world) == 2


def test_two_dispatchers_at_once_spend_an_accounts_pace_once(world: World) -> None:
    for person in range(20):
        world.text(f"+120255501{person:02d}", TEA)
    world.clock.step(60)
    pacing = dispatch.Pacing(account="world", calls_per_second=5, concurrent_calls=1000)

    def claim() -> int:
        claimer = dispatch.Claimer(pacing=pacing, lease_seconds=15)
        return sum(row.kind is Kind.RING for row in claimer.claim(monotonic=0)[1])

    assert sum(interleave(world, claim, claim)) == 5
