"""Late rings: quiet hours, the misfire policy, and what is never moved."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

import pytest

from reminders import dead_letters, wiring
from reminders.carriers.base import Rejected
from reminders.quiet import Misfire, Quiet
from tests.integration.reminders.test_conversation_rows import talk
from tests.world import promises
from tests.world.carrier import Fate
from tests.world.world import POLICY, World

NIGHT: Final = Quiet(start=time(21), end=time(8))
POLICY_BY_NIGHT: Final = replace(POLICY, misfire=Misfire(quiet=NIGHT, grace_seconds=900, misfire_seconds=86_400))
EIGHT: Final = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)  # 8 AM in New York; the clock starts at 4:30 AM


@pytest.fixture
def nightly(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(wiring, "policy", lambda: POLICY_BY_NIGHT)
    return world


def _rang(world: World) -> list[datetime]:
    return [call.created_at for call in world.carrier.calls]


def test_a_time_that_the_person_named_rings_at_any_hour(nightly: World) -> None:
    talk(nightly, "Remind at 4:40 am about the flight")
    nightly.run()
    assert [at.replace(second=0, microsecond=0) for at in _rang(nightly)] == [datetime(2026, 3, 2, 9, 40, tzinfo=UTC)]


def test_its_tries_belong_to_it(nightly: World) -> None:
    nightly.carrier.fate_of = lambda _: Fate(end="no-answer")
    talk(nightly, "Remind at 4:40 am about the flight")
    nightly.run()
    assert len(_rang(nightly)) == 3
    assert max(_rang(nightly)) < datetime(2026, 3, 2, 9, 55, tzinfo=UTC)


def test_what_an_outage_delayed_into_the_night_waits_for_the_morning(nightly: World) -> None:
    talk(nightly, "Remind in 10 minutes about the flight")
    nightly.clock.step(3600)  # nothing ran for an hour
    nightly.run()
    assert [at.replace(second=0, microsecond=0) for at in _rang(nightly)] == [EIGHT]
    assert nightly.rows("SELECT late, late_cause FROM reminders_occurrence") == [(True, "quiet_hours")]
    promises.late_is_free(nightly)
    promises.history_gives_the_rows(nightly)


def test_what_is_late_by_day_rings_at_once(nightly: World) -> None:
    talk(nightly, "Remind at 9am about the flight")
    nightly.clock.step(6 * 3600)
    nightly.run()
    assert [at.hour for at in _rang(nightly)] == [15]


def test_what_is_a_day_late_is_told_and_not_rung(nightly: World) -> None:
    talk(nightly, "Remind at 9am about the flight")
    nightly.clock.step(40 * 3600)
    nightly.run()
    assert _rang(nightly) == []
    assert nightly.rows("SELECT state FROM reminders_reminder") == [("missed",)]
    assert nightly.rows("SELECT outcome FROM reminders_occurrence") == [("missed",)]
    (body,) = [text.body for text in nightly.carrier.texts if not text.inbound and "You missed" in text.body]
    assert "the flight" in body and "We could not call in time" in body
    promises.history_gives_the_rows(nightly)


def test_what_repeats_goes_on_after_a_long_outage(nightly: World) -> None:
    talk(nightly, "every day 9am stretch")
    nightly.clock.step(timedelta(days=3).total_seconds())
    nightly.run(seconds=86_400)
    assert nightly.rows("SELECT outcome FROM reminders_occurrence ORDER BY sequence")[0] == ("missed",)
    assert len(_rang(nightly)) == 1
    assert nightly.rows("SELECT state FROM reminders_reminder") == [("scheduled",)]
    promises.history_gives_the_rows(nightly)


def test_a_rule_of_hours_keeps_out_of_the_night(nightly: World) -> None:
    talk(nightly, "every 8 hours take the drops")
    nightly.run(seconds=2 * 86_400)
    new_york = [(at - timedelta(hours=5)).hour for at in _rang(nightly)]
    assert new_york[0] == 12  # 12:30, then 20:30; 4:30 waits until 8
    assert all(8 <= hour < 21 for hour in new_york)
    assert len(new_york) >= 4


def test_a_rule_of_hours_keeps_out_of_the_night_after_a_refusal_too(nightly: World) -> None:
    talk(nightly, "every 8 hours take the drops")
    nightly.run(seconds=9 * 3600)
    nightly.carrier.refuse_call = lambda _: Rejected("400/21614")
    nightly.run(seconds=8 * 3600)  # 8:30 PM in New York
    assert nightly.rows("SELECT outcome FROM reminders_occurrence ORDER BY sequence") == [
        ("answered",), ("missed",), (None,)
    ]  # fmt: skip
    assert nightly.rows("SELECT due_at FROM reminders_reminder") == [(EIGHT + timedelta(days=1),)]


def test_a_rule_of_hours_keeps_out_of_the_night_after_an_outage_too(nightly: World) -> None:
    talk(nightly, "every 8 hours take the drops")
    nightly.clock.step(41 * 3600)  # 9:30 PM in New York, and the first ring is a day late
    nightly.run(seconds=60)
    assert nightly.rows("SELECT outcome FROM reminders_occurrence ORDER BY sequence") == [("missed",), (None,)]
    assert nightly.rows("SELECT due_at FROM reminders_reminder") == [(EIGHT + timedelta(days=2),)]


@pytest.mark.parametrize(
    ("hours", "fate", "state"),
    [
        (0.2, dead_letters.Fate.RINGS, "answered"),
        (3, dead_letters.Fate.WAITS, "answered"),
        (8, dead_letters.Fate.RINGS, "answered"),
        (25, dead_letters.Fate.TOLD, "missed"),
    ],
)
def test_a_dead_letter_that_is_replayed_comes_to_what_is_said_of_it(
    nightly: World, hours: float, fate: dead_letters.Fate, state: str
) -> None:
    _dead(nightly)
    nightly.clock.step(hours * 3600)
    assert _replay(nightly) is fate
    assert _replay(nightly) is None
    before = nightly.clock.now
    nightly.run()
    assert nightly.rows("SELECT state FROM reminders_reminder") == [(state,)]
    assert [at - before < timedelta(minutes=1) for at in _rang(nightly)] == {
        dead_letters.Fate.RINGS: [True],
        dead_letters.Fate.WAITS: [False],
    }.get(fate, [])


def test_a_dead_letter_of_who_said_stop_is_cancelled_and_that_is_said(nightly: World) -> None:
    _dead(nightly)
    talk(nightly, "STOP")
    assert _replay(nightly) is dead_letters.Fate.STOPPED
    nightly.run()
    assert nightly.rows("SELECT state FROM reminders_reminder") == [("cancelled",)]


def _dead(world: World) -> None:
    talk(world, "Remind in 10 minutes about the flight")
    world.clock.step(600)
    world.see.execute("UPDATE reminders_reminder SET state = 'dead', ended_at = now()")
    world.see.execute("DELETE FROM reminders_timer WHERE kind = 'ring'")
    world.see.execute("UPDATE reminders_occurrence SET outcome = 'dead', ended_at = now()")


def _replay(world: World) -> dead_letters.Fate | None:
    ((reminder,),) = world.rows("SELECT id FROM reminders_reminder")
    misfire = POLICY_BY_NIGHT.misfire
    return dead_letters.replay(reminder_id=reminder, by="a test", misfire=misfire, at=world.clock.now)
