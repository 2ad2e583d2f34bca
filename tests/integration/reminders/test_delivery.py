"""A claimed batch becomes calls: one statement loads, one intends, the requests go out together, one settles."""

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

import pytest

from billing.database import Rows, Statements
from reminders import delivery
from reminders.carriers.base import CallRequest, Rejected, Unavailable, Unknown
from reminders.delivery import Delivered
from reminders.dispatch import Doorbell
from reminders.poison import NOBODY
from reminders.states import Kind
from tests.world.world import POLICY, World

TEA: Final = "Remind me in 1 minute about tea"
PERSON: Final = "+12025551000"


def _due(world: World, count: int = 1) -> Doorbell:
    for person in range(count):
        world.text(f"+1202555{1000 + person}", TEA)
    world.clock.step(60)
    return _bell(world)


def _bell(world: World) -> Doorbell:
    token, claimed = world._claimer().claim(monotonic=0)
    return Doorbell(kind=Kind.RING, ids=tuple(row.id for row in claimed if row.kind is Kind.RING), token=token)


def _deliver(world: World, bell: Doorbell) -> Delivered:
    return delivery.deliver(
        timer_ids=bell.ids,
        token=bell.token,
        carrier=world.carrier,
        elsewhere=lambda: False,
        policy=POLICY,
        worker="worker-test",
        looker=world.clock.looker(),
        witness=NOBODY,
        trace_context="",
    )


def _states(world: World) -> Counter[tuple[str, str | None]]:
    return Counter(world.rows("SELECT state, reason FROM reminders_attempt"))


def test_it_rings_a_hundred_by_one_statement_each_to_load_intend_hold_and_settle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = _due(world, 100)
    ran: list[str] = []
    run = Statements.run

    def counted(self: Statements, name: str, params: Mapping[str, Any]) -> Rows:
        ran.append(name)
        return run(self, name, params)

    monkeypatch.setattr(Statements, "run", counted)
    done = _deliver(world, bell)
    assert ran == ["open_claim", "intend", "reserve_holds", "settle"]
    assert (done.claimed, done.intended, done.placed) == (100, 100, 100)
    assert len({call.to for call in world.carrier.calls}) == 100
    assert world.rows("SELECT state, count(*) FROM billing_hold GROUP BY state") == [("reserved", 100)]
    assert world.rows("SELECT count(*) FROM reminders_timer WHERE kind = 'ring'") == [(0,)]
    assert world.rows("SELECT count(*) FROM reminders_carrierkey") == [(100,)]


def test_it_sends_its_requests_together(world: World) -> None:
    bell = _due(world, 20)
    together, most, lock = [0], [0], threading.Lock()
    place = world.carrier.place_call

    async def slow(request: CallRequest) -> str:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        for _ in range(3):
            await asyncio.sleep(0)
        together[0] -= 1
        return await place(request)

    world.carrier.place_call = slow  # type: ignore[method-assign]
    _deliver(world, bell)
    assert most[0] == 20


def test_it_drops_a_timer_whose_reminder_has_moved_on(world: World) -> None:
    bell = _due(world)
    world.see.execute("UPDATE reminders_reminder SET generation = 2")
    done = _deliver(world, bell)
    assert (done.intended, world.carrier.calls) == (0, [])
    assert world.rows("SELECT * FROM reminders_timer WHERE kind = 'ring'") == []


def test_it_cancels_what_a_stopped_person_still_has(world: World) -> None:
    bell = _due(world)
    world.see.execute("UPDATE reminders_subscriber SET stopped_at = now()")
    done = _deliver(world, bell)
    assert (done.intended, done.parked, done.dropped, world.carrier.calls) == (0, 0, 1, [])
    assert world.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]
    assert world.rows("SELECT * FROM reminders_timer WHERE kind = 'ring'") == []


def test_it_parks_a_reminder_while_the_persons_other_call_is_open_and_wakes_the_oldest_after_it(world: World) -> None:
    for seconds in (60, 58, 59):
        world.text(PERSON, f"Remind me in {seconds} seconds about tea")
    world.clock.step(60)
    done = _deliver(world, _bell(world))
    assert (done.intended, done.parked, done.dropped) == (1, 2, 0)
    assert world.rows("SELECT number FROM reminders_reminder WHERE state = 'ringing'") == [(2,)]
    world.run(seconds=12)
    assert world.rows("SELECT number FROM reminders_reminder WHERE state = 'ringing'") == [(3,)]
    world.run()
    assert [call.to for call in world.carrier.calls] == [PERSON] * 3
    assert world.rows("SELECT count(*) FROM reminders_occurrence WHERE late_cause = 'other_call'") == [(2,)]


def test_it_sends_nothing_once_send_within_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bell = _due(world)
    clock = iter([0.0])
    late = SimpleNamespace(monotonic=lambda: next(clock, POLICY.send_within_seconds + 0.001))
    monkeypatch.setattr(delivery, "time", late)
    done = _deliver(world, bell)
    assert (done.intended, done.not_sent, world.carrier.calls) == (1, 1, [])
    assert _states(world) == {("not_sent", "send_within"): 1}
    assert world.rows("SELECT state, tries, attempts FROM reminders_reminder") == [("scheduled", 0, 1)]
    assert world.rows("SELECT state FROM billing_hold") == [("voided",)]
    assert world.rows("SELECT * FROM reminders_opencall") == []


@pytest.mark.parametrize(
    ("refusal", "attempt", "reminder"),
    [
        (Unavailable("429"), "not_sent", "scheduled"),
        (Unknown("500"), "unknown", "ringing"),
        (Rejected("400/21211"), "not_sent", "missed"),
        (Rejected("401/20003", ours=True), "not_sent", "scheduled"),
    ],
)
def test_it_settles_each_refusal_as_what_it_is(world: World, refusal: Exception, attempt: str, reminder: str) -> None:
    bell = _due(world, 3)
    world.carrier.refuse_call = lambda request: refusal if request.to == PERSON else None
    done = _deliver(world, bell)
    assert done.placed == 2
    assert world.rows(
        """SELECT a.state, r.state FROM reminders_attempt a JOIN reminders_reminder r ON r.id = a.reminder_id
             JOIN reminders_subscriber s ON s.id = a.subscriber_id WHERE s.number = %s""",
        PERSON,
    ) == [(attempt, reminder)]


def test_it_rings_the_other_ninety_nine_where_one_row_is_poisonous(world: World) -> None:
    bell = _due(world, 100)
    place = world.carrier.place_call

    async def poisoned(request: CallRequest) -> str:
        if request.to == PERSON:
            raise ValueError("a bug of ours")
        return await place(request)

    world.carrier.place_call = poisoned  # type: ignore[method-assign]
    world.attend(bell)
    world.run()
    states = Counter(state for (state,) in world.rows("SELECT state FROM reminders_reminder"))
    assert states["answered"] == 99
    assert len(world.carrier.calls) == 99
