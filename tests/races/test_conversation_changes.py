"""Commands that change reminders, at once with rings and with each other; each guard with its negative control."""

from typing import Final

import pytest

from reminders import intake
from reminders.carriers.base import Inbound
from reminders.dispatch import Doorbell
from reminders.states import Kind
from tests.races import beats
from tests.races.interleaving import guard_off, interleave
from tests.world import promises
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
GUARD_OF_MOVE: Final = ((" AND r.version = %(version)s::int AND r.state = %(was)s::text", ""),)
STATES_OF_MOVE: Final = (("     AND r.state IN ('scheduled', 'answered', 'missed', 'cancelled')\n", ""),)
GUARD_OF_EDIT: Final = ((" AND r.version = %(version)s::int AND r.state = 'scheduled'", ""),)
VERSION_OF_PERSON: Final = ((" AND s.version = asked.version", ""),)


def _accept(world: World, body: str, sid: str) -> str | None:
    message = Inbound(carrier="twilio", carrier_sid=f"SM{sid}", sender=PERSON, body=body, opt_out=None)
    return intake.accept(message=message, received_at=world.clock.now, trace_context="").body


def _ring_meets(world: World, body: str) -> str | None:
    """A command whose reminder begins to ring between its reading and its writing."""
    _accept(world, TEA, "tea")
    world.clock.step(60)
    token, claimed = world._claimer().claim(monotonic=0)
    bell = Doorbell(kind=Kind.RING, ids=tuple(row.id for row in claimed if row.kind is Kind.RING), token=token)
    _, answer = interleave(world, lambda: beats.intend(world, bell), lambda: _accept(world, body, "command"))
    return answer


def _reminder(world: World) -> tuple[str, int, str]:
    ((state, sequence, subject),) = world.rows("SELECT state, sequence, subject FROM reminders_reminder")
    return state, sequence, subject


@pytest.mark.parametrize("body", ["MOVE 1 to 6pm", "EDIT 1 bread"])
def test_a_command_that_meets_a_ring_leaves_it_ringing_and_says_so(world: World, body: str) -> None:
    assert "is ringing now" in (_ring_meets(world, body) or "")
    assert _reminder(world) == ("ringing", 1, "tea")
    promises.history_gives_the_rows(world)


def test_negative_control_without_the_guard_a_ringing_reminder_is_moved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"move_reminder": (*GUARD_OF_MOVE, *STATES_OF_MOVE)})
    _ring_meets(world, "MOVE 1 to 6pm")
    assert _reminder(world)[:2] == ("scheduled", 2)


def test_negative_control_without_the_guard_a_ringing_reminder_is_edited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(monkeypatch, world, edits={"edit_reminder": GUARD_OF_EDIT})
    _ring_meets(world, "EDIT 1 bread")
    assert _reminder(world) == ("ringing", 1, "bread")


def _answered_twice_at_once(world: World) -> list[str | None]:
    _accept(world, "HELP", "hello")
    _accept(world, "Remind on Feb 30 about rent", "asked")
    return list(interleave(world, lambda: _accept(world, "1", "one"), lambda: _accept(world, "1", "two")))


def test_a_question_that_is_answered_twice_at_once_makes_one_reminder(world: World) -> None:
    answers = _answered_twice_at_once(world)
    assert [("#1 rent" in (told or "")) for told in answers] == [True, False]
    assert world.rows("SELECT number FROM reminders_reminder") == [(1,)]


def test_negative_control_without_the_persons_version_it_makes_two(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard_off(
        monkeypatch,
        world,
        edits={"intake_remind": VERSION_OF_PERSON},
        changes=("ALTER TABLE reminders_reminder DROP CONSTRAINT reminder_number",),
    )
    _answered_twice_at_once(world)
    assert len(world.rows("SELECT FROM reminders_reminder")) == 2


def test_an_undo_that_comes_twice_at_once_restores_once(world: World) -> None:
    _accept(world, "Remind tomorrow 9am about tea", "tea")
    _accept(world, "DELETE 1", "delete")
    interleave(world, lambda: _accept(world, "UNDO", "one"), lambda: _accept(world, "UNDO", "two"))
    assert _reminder(world) == ("scheduled", 2, "tea")
    assert len(world.rows("SELECT FROM reminders_timer WHERE kind = 'ring'")) == 1
    promises.history_gives_the_rows(world)
