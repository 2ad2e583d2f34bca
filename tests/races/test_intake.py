"""Messages at once: each guard, and beside it the same race with the guard off, which must fail."""

from typing import Final

import pytest

from reminders import intake
from reminders.carriers.base import Inbound
from reminders.dispatch import Doorbell
from reminders.intake import Answer
from tests.races import beats
from tests.races.interleaving import at_once, guard_off, interleave
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
VERSION: Final = ((" AND s.version = asked.version", ""),)
ONE_PER_SID: Final = ("ALTER TABLE reminders_messagekey DROP CONSTRAINT message_once",)
ONE_PER_NUMBER: Final = ("ALTER TABLE reminders_reminder DROP CONSTRAINT reminder_number",)
SHARE_LOCK: Final = ((" FOR SHARE\n", "\n"),)
ROW_LOCKS: Final = (("   ORDER BY r.id FOR UPDATE OF r, t\n", ""),)
NO_END_WHILE_OPEN: Final = ("ALTER TABLE reminders_reminder DROP CONSTRAINT reminder_ended",)


def _accept(world: World, body: str, sid: str) -> Answer:
    message = Inbound(carrier="twilio", carrier_sid=f"SM{sid}", sender=PERSON, body=body, opt_out=None)
    return intake.accept(message=message, received_at=world.clock.now, trace_context="")


def _numbers(world: World) -> list[int]:
    return sorted(number for (number,) in world.rows("SELECT number FROM reminders_reminder"))


def _one_message_twice_at_once(world: World) -> None:
    _accept(world, "HELP", "hello")
    interleave(world, lambda: _accept(world, TEA, "same"), lambda: _accept(world, TEA, "same"))


def test_a_message_that_is_delivered_twice_at_once_is_accepted_once(world: World) -> None:
    _one_message_twice_at_once(world)
    assert _numbers(world) == [1]
    assert len(world.rows("SELECT FROM billing_ledgertransaction")) == 2


def test_negative_control_without_version_and_message_key_it_is_accepted_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intake_remind": VERSION}, changes=(*ONE_PER_SID, *ONE_PER_NUMBER))
    _one_message_twice_at_once(world)
    assert _numbers(world) == [1, 1]


def test_a_first_message_that_is_delivered_many_times_at_once_is_accepted_once(world: World) -> None:
    answers = at_once(*[lambda: _accept(world, TEA, "same")] * 4)
    assert len({answer.reply_id for answer in answers}) == 1
    assert [answer.outcome for answer in answers].count("reminder") == 1
    assert _numbers(world) == [1]
    assert len(world.rows("SELECT FROM reminders_subscriber")) == 1
    assert len(world.rows("SELECT FROM billing_account")) == 1


def _two_messages_at_once(world: World) -> None:
    _accept(world, "HELP", "hello")
    interleave(world, lambda: _accept(world, TEA, "one"), lambda: _accept(world, TEA, "two"))


def test_two_messages_of_a_person_at_once_get_a_number_each(world: World) -> None:
    _two_messages_at_once(world)
    assert _numbers(world) == [1, 2]


def test_negative_control_without_the_version_both_get_the_same_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intake_remind": VERSION}, changes=ONE_PER_NUMBER)
    _two_messages_at_once(world)
    assert _numbers(world) == [1, 1]


def _due_bell(world: World) -> Doorbell:
    _accept(world, TEA, "tea")
    world.clock.step(60)
    return beats.bell(world)


def _stop_before_the_intent(world: World) -> int:
    """How many are intended after a STOP that had not committed when the worker began."""
    bell = _due_bell(world)
    dues = beats.take_up(bell)
    _, intended = interleave(world, lambda: _accept(world, "STOP", "stop"), lambda: beats.intend(world, bell, dues))
    return intended


def test_nothing_is_intended_after_a_stop_has_committed(world: World) -> None:
    assert _stop_before_the_intent(world) == 0
    assert world.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]


def test_negative_control_without_share_and_row_locks_a_stopped_person_is_intended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intend": (*SHARE_LOCK, *ROW_LOCKS)}, changes=NO_END_WHILE_OPEN)
    assert _stop_before_the_intent(world) == 1


def _intent_before_the_stop(world: World) -> int:
    """How many calls are to be hung up after a STOP that met an intent which had not committed."""
    bell = _due_bell(world)
    dues = beats.take_up(bell)
    interleave(world, lambda: beats.intend(world, bell, dues), lambda: _accept(world, "STOP", "stop"))
    return len(world.rows("SELECT FROM reminders_timer WHERE kind = 'hang_up'"))


def test_a_stop_that_meets_an_intent_in_flight_hangs_its_call_up(world: World) -> None:
    assert _intent_before_the_stop(world) == 1
    assert world.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]


def test_negative_control_without_the_share_lock_the_call_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"intend": SHARE_LOCK})
    assert _intent_before_the_stop(world) == 0
