"""A ring that is a day late meets a command; the guard, and the same race with the guard off."""

from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from reminders import intake, misfires
from reminders.carriers.base import Inbound
from reminders.quiet import Misfire, Quiet
from reminders.states import Kind
from tests.races.interleaving import interleave
from tests.world import promises
from tests.world.world import World

PERSON = "+12025550101"
NEW_YORK = ZoneInfo("America/New_York")
TOKEN = b" AND t.token = %(token)s::uuid"
POLICY = Misfire(quiet=Quiet(start=time(21), end=time(8)), grace_seconds=900, misfire_seconds=86_400)
GUARD = b" AND r.generation = t.generation AND r.state = 'scheduled'\n  RETURNING"


def _accept(world: World, body: str, sid: str) -> None:
    message = Inbound(carrier="twilio", carrier_sid=f"SM{sid}", sender=PERSON, body=body, opt_out=None)
    intake.accept(message=message, received_at=world.clock.now, trace_context="")


def _hold_back(world: World, ids: list[UUID], token: UUID) -> None:
    misfires.hold_back(timer_ids=ids, token=token, policy=POLICY, carrier="twilio", now=world.clock.now)


def _delete_meets_a_late_ring(world: World) -> str:
    _accept(world, "Remind in 1 minute about tea", "tea")
    world.clock.step(2 * 86_400)
    token, claimed = world._claimer().claim(monotonic=0)
    ids = [row.id for row in claimed if row.kind is Kind.RING]
    interleave(world, lambda: _accept(world, "DELETE 1", "delete"), lambda: _hold_back(world, ids, token))
    ((state,),) = world.rows("SELECT state FROM reminders_reminder")
    return str(state)


def test_what_was_deleted_meanwhile_is_not_told_as_missed(world: World) -> None:
    assert _delete_meets_a_late_ring(world) == "cancelled"
    assert world.rows("SELECT FROM reminders_reply WHERE kind = 'missed'") == []
    promises.history_gives_the_rows(world)


def test_negative_control_without_the_state_it_is_told_as_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    text = misfires.statements._texts["miss_ring"]
    assert GUARD in text
    monkeypatch.setitem(misfires.statements._texts, "miss_ring", text.replace(GUARD, b"\n  RETURNING"))
    assert _delete_meets_a_late_ring(world) == "missed"


def _another_claim_meets_a_wait(world: World) -> bool:
    """A ring that is late at night is claimed anew while the first claim puts it off; whether the new claim holds."""
    _accept(world, "Remind in 1 minute about tea", "tea")
    world.clock.step((22 - world.clock.now.astimezone(NEW_YORK).hour) % 24 * 3_600)
    token, claimed = world._claimer().claim(monotonic=0)
    ids = [row.id for row in claimed if row.kind is Kind.RING]
    assert ids
    world.clock.step(60)  # the lease is over
    fresh: list[UUID] = []

    def claim_anew() -> None:
        fresh.append(world._claimer().claim(monotonic=60)[0])

    interleave(world, claim_anew, lambda: _hold_back(world, ids, token))
    ((holder,),) = world.rows("SELECT token FROM reminders_timer WHERE kind = 'ring'")
    return bool(holder == fresh[0])


def test_a_wait_for_the_morning_does_not_take_a_timer_from_a_newer_claim(world: World) -> None:
    assert _another_claim_meets_a_wait(world)


def test_negative_control_without_the_token_the_newer_claim_loses_its_timer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = misfires.statements._texts["wait_quiet"]
    assert TOKEN in text
    monkeypatch.setitem(misfires.statements._texts, "wait_quiet", text.replace(TOKEN, b""))
    assert not _another_claim_meets_a_wait(world)


def test_a_claim_whose_lease_is_over_decides_nothing(world: World) -> None:
    _accept(world, "Remind in 1 minute about tea", "tea")
    world.clock.step(2 * 86_400)
    token, claimed = world._claimer().claim(monotonic=0)
    world.clock.step(60)
    _hold_back(world, [row.id for row in claimed if row.kind is Kind.RING], token)
    assert world.rows("SELECT state FROM reminders_reminder") == [("scheduled",)]
    _hold_back(world, [row.id for row in claimed if row.kind is Kind.RING], replace_token(token))
    assert world.rows("SELECT state FROM reminders_reminder") == [("scheduled",)]


def replace_token(token: UUID) -> UUID:
    """Another claim's token."""
    return UUID(int=token.int ^ 1)
