"""Who may bury, and who may give back: the one whose claim it is. Beside each the same race with the guard off."""

from typing import Final
from uuid import UUID

import pytest

from reminders import delivery, dispatch, limits
from reminders.dispatch import Claimed, Doorbell
from reminders.poison import NOBODY
from reminders.states import Kind
from tests.races import beats
from tests.races.interleaving import guard_off, interleave
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
TOKEN_OF_BURIAL: Final = ((" AND t.token = %(token)s::uuid", " AND %(token)s::uuid IS NOT NULL"),)
TOKEN_OF_FAILURE: Final = ((" AND token = %(token)s::uuid", " AND %(token)s::uuid IS NOT NULL"),)


def _claim(world: World) -> tuple[UUID, list[Claimed]]:
    token, claimed = world._claimer().claim(monotonic=world.clock.monotonic())
    return token, [row for row in claimed if row.kind is Kind.RING]


def _two_claims(world: World) -> tuple[tuple[UUID, list[Claimed]], Doorbell]:
    """The claim of a dispatcher that stood still for longer than its lease, and the doorbell of the next one's."""
    world.text(PERSON, TEA)
    world.clock.step(60)
    world.see.execute("UPDATE reminders_timer SET claims = %s, strikes = 1 WHERE kind = 'ring'", [limits.CLAIMS_MAX])
    late = _claim(world)
    world.clock.step(POLICY.lease_seconds)
    token, claimed = _claim(world)
    return late, Doorbell(kind=Kind.RING, ids=(claimed[0].id,), token=token)


def _late_dispatcher_buries(world: World) -> tuple[int, int]:
    """How many the late one buried, and how many intents the one who holds the claim made then."""
    (token, claimed), bell = _two_claims(world)
    return len(dispatch.bury(claimed=claimed, token=token, now=world.clock.now)), beats.intend(world, bell)


def test_a_dispatcher_whose_claim_went_to_another_buries_nothing(world: World) -> None:
    assert _late_dispatcher_buries(world) == (0, 1)


def test_negative_control_without_the_token_it_buries_what_is_about_to_ring(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"bury": TOKEN_OF_BURIAL})
    assert _late_dispatcher_buries(world) == (1, 0)


def test_what_rings_at_this_moment_is_not_buried(world: World) -> None:
    (_, claimed), bell = _two_claims(world)

    def bury() -> int:
        return len(dispatch.bury(claimed=claimed, token=bell.token, now=world.clock.now))

    assert interleave(world, lambda: beats.intend(world, bell), bury) == (1, 0)
    assert world.rows("SELECT state FROM reminders_reminder") == [("ringing",)]


def _late_worker_fails(world: World) -> int:
    """How many intents the holder of the claim makes once a worker whose lease is over has met its error."""
    world.text(PERSON, TEA)
    world.clock.step(60)
    token, claimed = _claim(world)
    late = Doorbell(kind=Kind.RING, ids=(claimed[0].id,), token=token)
    delivery.take_up(timer_ids=late.ids, token=late.token, witness=NOBODY, trace_context="")
    world.clock.step(POLICY.lease_seconds)
    token, claimed = _claim(world)
    dispatch.failed(bell=late)
    return beats.intend(world, Doorbell(kind=Kind.RING, ids=late.ids, token=token))


def test_the_failure_of_a_worker_whose_lease_is_over_takes_the_claim_from_nobody(world: World) -> None:
    assert _late_worker_fails(world) == 1


def test_negative_control_without_the_token_its_failure_takes_the_claim_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"ring_failed": TOKEN_OF_FAILURE})
    assert _late_worker_fails(world) == 0
