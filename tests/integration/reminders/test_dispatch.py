"""Claims: in order, at the carrier's pace, as leases; poison travels alone and ends; what did not ring comes back."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import connection, transaction

from reminders import delivery, dispatch, limits
from reminders.dispatch import Claimed, Claimer, Doorbell, Pacing
from reminders.poison import NOBODY
from reminders.states import Kind
from tests import databases, servers
from tests.world.world import POLICY, World

HOT: Final = """
SELECT pg_stat_get_xact_tuples_updated('reminders_timer'::regclass),
       pg_stat_get_xact_tuples_hot_updated('reminders_timer'::regclass)
"""


class Away(Exception):
    """Redis did not take it."""


def _people(world: World, count: int, *, seconds: int = 60) -> None:
    for person in range(count):
        world.text(f"+1202555{1000 + person}", f"Remind me in {seconds} seconds about tea")


def _claimer(*, per_second: float = 0, concurrent: int = 1000) -> Claimer:
    pacing = Pacing(account="world", calls_per_second=per_second, concurrent_calls=concurrent)
    return Claimer(pacing=pacing, lease_seconds=POLICY.lease_seconds)


def _ring_bells(token: UUID, claimed: list[Claimed]) -> list[Doorbell]:
    return [bell for bell in dispatch.doorbells(claimed=claimed, token=token) if bell.kind is Kind.RING]


def _rings(claim: tuple[UUID, list[Claimed]]) -> list[Claimed]:
    return [row for row in claim[1] if row.kind is Kind.RING]


def test_it_claims_nothing_before_it_is_due(world: World) -> None:
    _people(world, 3)
    world.clock.step(59.999)
    assert _claimer().claim(monotonic=0)[1] == []
    world.clock.step(0.001)
    assert len(_rings(_claimer().claim(monotonic=0))) == 3


def test_it_claims_the_oldest_first(world: World) -> None:
    for number, seconds in (("+12025551001", 30), ("+12025551002", 10), ("+12025551003", 20)):
        world.text(number, f"Remind me in {seconds} seconds about tea")
    world.clock.step(40)
    claimed = _rings(_claimer(concurrent=2).claim(monotonic=0))
    assert [row.due_at for row in claimed] == [world.clock.now - timedelta(seconds=s) for s in (30, 20)]


def test_it_keeps_the_accounts_pace(world: World) -> None:
    _people(world, 30)
    world.clock.step(60)
    claimer = _claimer(per_second=10)
    counts = []
    for step in (0.0, 0.05, 0.5, 1.0):
        world.clock.step(step)
        counts.append(len(_rings(claimer.claim(monotonic=world.clock.monotonic()))))
    assert counts == [10, 0, 5, 10]


def test_it_opens_no_more_calls_than_the_account_may(world: World) -> None:
    _people(world, 5)
    world.clock.step(60)
    claimer = _claimer(concurrent=2)
    token, claimed = claimer.claim(monotonic=0)
    bells = _ring_bells(token, claimed)
    assert [len(bell.ids) for bell in bells] == [2]
    world.attend(bells[0])
    assert _rings(claimer.claim(monotonic=0)) == []


def test_it_leases_a_claim_and_takes_it_again_when_the_lease_ends(world: World) -> None:
    _people(world, 1)
    world.clock.step(60)
    claimer = _claimer()
    first, _ = claimer.claim(monotonic=0)
    world.clock.step(POLICY.lease_seconds - 0.001)
    assert _rings(claimer.claim(monotonic=0)) == []
    world.clock.step(0.001)
    second, again = claimer.claim(monotonic=0)
    assert (len(_rings((second, again))), first == second) == (1, False)


def test_it_makes_batches_of_one_kind_and_of_a_hundred_at_most(world: World) -> None:
    _people(world, 130)
    world.clock.step(61)
    token, claimed = _claimer().claim(monotonic=0)
    bells = list(dispatch.doorbells(claimed=claimed, token=token))
    assert [len(bell.ids) for bell in bells if bell.kind is Kind.RING] == [100, 30]
    assert all(len(bell.ids) <= limits.BATCH_MAX for bell in bells)
    assert len({i for bell in bells for i in bell.ids}) == len(claimed)


def test_it_lets_a_row_that_was_opened_before_travel_alone(world: World) -> None:
    _people(world, 5)
    world.clock.step(60)
    world.see.execute(
        "UPDATE reminders_timer SET claims = 1 WHERE id = (SELECT id FROM reminders_timer WHERE kind = 'ring' LIMIT 1)"
    )
    token, claimed = _claimer().claim(monotonic=0)
    assert sorted(len(bell.ids) for bell in _ring_bells(token, claimed)) == [1, 4]


def test_it_gives_back_what_redis_did_not_take_without_a_mark(world: World) -> None:
    _people(world, 130)
    world.clock.step(60)
    claimer = _claimer()
    token, claimed = claimer.claim(monotonic=0)
    bells = _ring_bells(token, claimed)
    taken: list[Doorbell] = []

    def send(bell: Doorbell) -> None:
        if taken:
            raise Away
        taken.append(bell)

    assert dispatch.ring(bells=bells, send=send, failed=Away) == 1
    world.clock.step(limits.PUBLISH_RETRY_SECONDS)
    again = _rings(claimer.claim(monotonic=0))
    assert (len(again), {row.claims for row in again}) == (30, {0})


def test_it_finds_what_an_old_snapshot_holds_dead_rows_before(world: World, database: servers.Database) -> None:
    """The scan starts at the low-water mark: what is due later is found though dead rows stay in the index."""
    claimer = _claimer()
    with databases.connected(database.owner_url) as reader:
        reader.autocommit = False
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM reminders_timer")
        for turn in range(3):
            _people(world, 20, seconds=10)
            world.clock.step(10)
            token, claimed = claimer.claim(monotonic=turn)
            rings = [row.id for row in claimed if row.kind is Kind.RING]
            assert len(rings) == 20
            world.attend(Doorbell(kind=Kind.RING, ids=tuple(rings), token=token))
            assert _rings(claimer.claim(monotonic=turn)) == []
        assert claimer._low_water["rings"] == world.clock.now - timedelta(seconds=limits.LOW_WATER_MARGIN_SECONDS)
        reader.rollback()


def test_it_keeps_its_mark_at_the_oldest_row_that_is_there_leased_or_not(world: World) -> None:
    _people(world, 1)
    world.clock.step(60)
    due_at = world.clock.now
    claimer, other = _claimer(), _claimer()
    token, claimed = claimer.claim(monotonic=0)
    world.clock.step(10)
    for one in (claimer, other):
        assert _rings(one.claim(monotonic=1)) == []
        assert one._low_water["rings"] == due_at
    world.attend(_ring_bells(token, claimed)[0])
    for one in (claimer, other):
        one.claim(monotonic=2)
        assert one._low_water["rings"] == world.clock.now - timedelta(seconds=limits.LOW_WATER_MARGIN_SECONDS)


def test_it_moves_the_mark_of_the_others_though_none_of_them_is_due(world: World) -> None:
    claimer = _claimer()
    assert claimer.claim(monotonic=0)[1] == []
    world.clock.step(30)
    assert claimer.claim(monotonic=1)[1] == []
    assert claimer._low_water["others"] == world.clock.now - timedelta(seconds=limits.LOW_WATER_MARGIN_SECONDS)


def _moved(world: World) -> list[tuple[int, int]]:
    """Rows that a claim moved, and of these by a HOT update; then the same of the workers that open it."""
    _people(world, 5)
    world.clock.step(60)
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        token, claimed = _claimer().claim(monotonic=0)
        cursor.execute(HOT)
        found.append(cursor.fetchone())
        delivery.take_up(timer_ids=[row.id for row in claimed], token=token, witness=NOBODY, trace_context="")
        cursor.execute(HOT)
        found.append(cursor.fetchone())
    return found


def test_a_claim_and_its_opening_leave_nothing_behind_in_an_index(world: World) -> None:
    assert _moved(world) == [(10, 10), (20, 20)]


def test_negative_control_a_lease_that_an_index_knows_leaves_an_entry_for_each_row(world: World) -> None:
    world.see.execute("CREATE INDEX ON reminders_timer (leased_until)")
    assert _moved(world) == [(10, 0), (20, 10)]


def test_it_finds_within_a_minute_what_lies_behind_the_low_water_mark(world: World) -> None:
    claimer = _claimer()
    claimer.claim(monotonic=0)
    _people(world, 1)
    world.see.execute("UPDATE reminders_timer SET wake_at = wake_at - interval '1 hour' WHERE kind = 'ring'")
    assert _rings(claimer.claim(monotonic=1)) == []
    assert len(_rings(claimer.claim(monotonic=limits.FULL_SCAN_SECONDS))) == 1


def test_it_sleeps_until_the_next_timer_and_a_poll_at_most(world: World) -> None:
    claimer = world.claimer
    claimer.claim(monotonic=0)
    assert dispatch.next_wake_seconds(claimer=claimer) == limits.POLL_SECONDS
    _people(world, 1)
    world.clock.step(59.75)
    claimer.claim(monotonic=1)
    assert dispatch.next_wake_seconds(claimer=claimer) == 0.25


def test_it_does_not_sleep_over_a_timer_that_fell_due_since_it_looked(world: World) -> None:
    _people(world, 1)
    claimer = world.claimer
    claimer.claim(monotonic=0)
    world.clock.step(61)
    assert dispatch.next_wake_seconds(claimer=claimer) == 0


def test_it_serves_its_claims_by_their_indexes(world: World, owner: psycopg.Connection[Any]) -> None:
    _people(world, 5)
    owner.execute("SET enable_seqscan = off")
    since = world.clock.now - timedelta(minutes=1)
    claim = {"token": UUID(int=1), "lease_seconds": 15.0, "cause": "backlog", "since": since, "limit": 500}
    look = {"rings_since": since, "others_since": since, "limit": 500}
    wake = {"looked_at": since, "poll_seconds": 1.0}
    for name, params, indexes in (
        ("claim_rings", claim, {"timer_rings"}),
        ("claim_others", claim, {"timer_others"}),
        ("peek_timers", look, {"timer_rings", "timer_others"}),
        ("next_wake", wake, {"timer_rings", "timer_others"}),
    ):
        plan = owner.execute(b"EXPLAIN " + dispatch.statements.text(name), params).fetchall()
        scans = [
            line for (line,) in plan if "on reminders_timer" in line and "Update" not in line and "Tid" not in line
        ]
        assert all("using" in line for line in scans), scans
        assert {line.split(" using ")[1].split()[0] for line in scans} == indexes
