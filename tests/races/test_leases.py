"""A lease ends, or two versions of the code run side by side: who rings then; and the same with the guard off."""

from typing import Final
from uuid import UUID

import pytest

from billing.database import Statements, uuid7
from reminders import limits
from reminders.dispatch import Doorbell
from reminders.states import Kind
from tests.races import beats
from tests.races.interleaving import guard_off, interleave
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
FREE: Final = "coalesce(token IS NULL OR leased_until <= now(), true)"
SKIP_LOCKED: Final = (("   FOR UPDATE SKIP LOCKED\n", ""), ("t.ctid = ANY", "t.id = ANY"), ("SELECT ctid", "SELECT id"))
MARK_STOPS_AT_LEASES: Final = (
    ("wake_at >= %(rings_since)s::timestamptz", f"wake_at >= %(rings_since)s::timestamptz AND {FREE}"),
)
LEASE_OF_INTENT: Final = (("AND (t.leased_until > now() OR t.wake_at > now())", ""),)
TOKEN_OF_OPENING: Final = ((" AND token = %(token)s::uuid", " AND %(token)s::uuid IS NOT NULL"),)
TOKEN_OF_INTENT: Final = (("t.token = %(token)s::uuid AND", "%(token)s::uuid IS NOT NULL AND"),)

# What the version before ran: its lease was the wake time moved on. Of its claim and of its worker's first statement.
CLAIM_BEFORE: Final = """
UPDATE reminders_timer t
   SET token = %(token)s::uuid, wake_at = now() + make_interval(secs => 15), parked = false
 WHERE t.ctid = ANY (ARRAY(
   SELECT ctid FROM reminders_timer WHERE kind = 'ring' AND wake_at <= now() ORDER BY wake_at FOR UPDATE SKIP LOCKED))
RETURNING t.id
"""
OPEN_BEFORE: Final = """
UPDATE reminders_timer SET claims = claims + 1
 WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid AND wake_at > now() RETURNING id
"""
RELEASE_BEFORE: Final = """
UPDATE reminders_timer SET token = NULL, wake_at = now() + make_interval(secs => 1)
 WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid RETURNING id
"""


def _due(world: World) -> None:
    world.text(PERSON, TEA)
    world.clock.step(60)


def _before(text: str, **params: object) -> tuple[UUID, ...]:
    """The rows that a statement of the version before moves, on the product's own connection."""
    statements = Statements("reminders")
    statements._texts["before"] = text.encode()
    return tuple(row[0] for row in statements.run("before", params).fetchall())


def _bell_of_the_version_before() -> Doorbell:
    token = uuid7()
    return Doorbell(kind=Kind.RING, ids=_before(CLAIM_BEFORE, token=token), token=token)


def _attempts(world: World) -> int:
    return len(world.rows("SELECT FROM reminders_attempt"))


# ---- a lease ends ----------------------------------------------------------------------------------
def _ended_lease_of_another(world: World) -> tuple[int, int]:
    """How many a second dispatcher claims while another's lease holds, and at its end; it has looked in between."""
    _due(world)
    second = world._claimer()
    assert len(beats.bell(world).ids) == 1
    world.clock.step(2 * limits.LOW_WATER_MARGIN_SECONDS)
    while_it_holds = len(beats.bell(world, second).ids)
    world.clock.step(POLICY.lease_seconds - 2 * limits.LOW_WATER_MARGIN_SECONDS)
    return while_it_holds, len(beats.bell(world, second).ids)


def test_a_lease_that_ends_is_another_dispatchers_at_its_next_look(world: World) -> None:
    assert _ended_lease_of_another(world) == (0, 1)


def test_negative_control_a_mark_that_passes_leased_rows_loses_them_until_the_full_scan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"peek_timers": MARK_STOPS_AT_LEASES})
    assert _ended_lease_of_another(world) == (0, 0)


def _two_at_the_end_of_a_lease(world: World) -> tuple[int, int]:
    _due(world)
    beats.bell(world)
    world.clock.step(POLICY.lease_seconds)
    one, two = interleave(world, lambda: beats.bell(world), lambda: beats.bell(world))
    return len(one.ids), len(two.ids)


def test_a_lease_that_ended_is_claimed_by_one_of_two_dispatchers(world: World) -> None:
    assert _two_at_the_end_of_a_lease(world) == (1, 0)


def test_negative_control_without_skip_locked_both_claim_what_was_leased(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"claim_rings": SKIP_LOCKED})
    assert _two_at_the_end_of_a_lease(world) == (1, 1)


def _late_doorbell(world: World) -> tuple[int, int]:
    """How many rows a doorbell finds whose lease went to another dispatcher, and how many that one's finds."""
    _due(world)
    first = beats.bell(world)
    world.clock.step(POLICY.lease_seconds)
    second = beats.bell(world)
    return len(beats.take_up(first)), len(beats.take_up(second))


def test_a_doorbell_whose_lease_went_to_another_dispatcher_finds_nothing_to_do(world: World) -> None:
    assert _late_doorbell(world) == (0, 1)


def test_negative_control_without_its_token_the_late_doorbell_finds_the_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"open_claim": TOKEN_OF_OPENING})
    assert _late_doorbell(world) == (1, 1)


def _intends_after_its_lease(world: World) -> int:
    _due(world)
    bell = beats.bell(world)
    dues = beats.take_up(bell)
    world.clock.step(POLICY.lease_seconds)
    return beats.intend(world, bell, dues)


def test_a_worker_intends_nothing_once_its_lease_is_over(world: World) -> None:
    assert _intends_after_its_lease(world) == 0


def test_negative_control_without_the_lease_it_intends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, world, edits={"intend": LEASE_OF_INTENT})
    assert _intends_after_its_lease(world) == 1


# ---- two versions side by side -----------------------------------------------------------------------
def test_a_claim_of_the_version_before_holds_and_its_doorbell_rings(world: World) -> None:
    _due(world)
    before = _bell_of_the_version_before()
    world.clock.step(POLICY.lease_seconds - 0.001)
    assert beats.bell(world).ids == ()
    assert _before(OPEN_BEFORE, ids=list(before.ids), token=before.token) == before.ids
    assert beats.intend(world, before, beats.take_up(before)) == 1


def test_a_claim_of_the_version_before_is_claimed_again_when_it_ends(world: World) -> None:
    _due(world)
    claimer = world._claimer()
    before = _bell_of_the_version_before()
    for _ in range(5):
        world.clock.step(POLICY.lease_seconds / 5)
        bell = beats.bell(world, claimer)
    assert (len(bell.ids), beats.take_up(before)) == (1, [])
    assert beats.intend(world, bell, beats.take_up(bell)) == 1


def test_a_claim_that_the_version_before_takes_over_rings_once(world: World) -> None:
    """It does not see the lease, and claims the row again at once; the token decides."""
    _due(world)
    mine = beats.bell(world)
    dues = beats.take_up(mine)
    before = _bell_of_the_version_before()
    assert before.ids == mine.ids
    assert (beats.intend(world, mine, dues), beats.take_up(mine)) == (0, [])
    assert beats.intend(world, before, beats.take_up(before)) == 1
    assert _attempts(world) == 1


def _taken_over_while_it_intends(world: World) -> tuple[int, int]:
    _due(world)
    mine = beats.bell(world)
    dues = beats.take_up(mine)
    before, intended = interleave(world, _bell_of_the_version_before, lambda: beats.intend(world, mine, dues))
    return len(before.ids), intended


def test_an_intent_that_meets_a_claim_of_the_version_before_makes_nothing(world: World) -> None:
    assert _taken_over_while_it_intends(world) == (1, 0)


def test_negative_control_without_the_token_it_makes_an_attempt_of_anothers_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intend": TOKEN_OF_INTENT})
    assert _taken_over_while_it_intends(world) == (1, 1)


def test_a_claim_of_the_version_before_passes_by_what_is_being_intended(world: World) -> None:
    _due(world)
    mine = beats.bell(world)
    dues = beats.take_up(mine)
    intended, before = interleave(world, lambda: beats.intend(world, mine, dues), _bell_of_the_version_before)
    assert (intended, before.ids) == (1, ())


def test_a_worker_of_the_version_before_leaves_a_new_claim_which_comes_again(world: World) -> None:
    """It does not see the lease: late by that lease, neither lost nor counted against the row."""
    _due(world)
    claimer = world._claimer()
    bell = beats.bell(world, claimer)
    assert _before(OPEN_BEFORE, ids=list(bell.ids), token=bell.token) == ()
    world.clock.step(POLICY.lease_seconds)
    again = beats.bell(world, claimer)
    assert world.rows("SELECT claims FROM reminders_timer WHERE kind = 'ring'") == [(0,)]
    assert beats.intend(world, again, beats.take_up(again)) == 1


def test_what_the_version_before_gives_back_does_not_wait_for_the_lease(world: World) -> None:
    _due(world)
    bell = beats.bell(world)
    assert _before(RELEASE_BEFORE, ids=list(bell.ids), token=bell.token) == bell.ids
    world.clock.step(1)
    assert beats.bell(world).ids == bell.ids
