"""Evidence is folded: whatever its order, however often, the end is the same; what comes late corrects once."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from reminders import limits, outcomes, recovery
from reminders.carriers.base import CallRecord, Evidence, Unavailable
from reminders.states import Outcome
from tests.world import promises
from tests.world.carrier import Fate
from tests.world.world import POLICY, World

TEA: Final = "Remind me in 1 minute about tea"
PERSON: Final = "+12025550101"
SILENT: Final = frozenset({"ringing", "in-progress", "end", "words", "keys"})


def _ring(world: World, number: str = PERSON) -> UUID:
    """An attempt whose call is with a carrier that will say nothing by itself."""
    world.carrier.fate_of = lambda _: Fate(end="no-answer", lose=SILENT | {"no-answer"})
    world.text(number, TEA)
    world.clock.step(60)
    world.turn()
    (attempt,) = world.rows(
        """SELECT a.id FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id
            WHERE s.number = %s ORDER BY a.id DESC LIMIT 1""",
        number,
    )[0]
    assert isinstance(attempt, UUID)
    return attempt


def _fold(world: World, attempt: UUID, **what: Any) -> None:
    outcomes.fold(attempt_id=attempt, evidence=Evidence(**what), policy=POLICY, carrier="twilio", now=world.clock.now)


def _give_words(world: World, attempt: UUID) -> None:
    """The carrier asked for the words as soon as the call was picked up, and got them."""
    _fold(world, attempt, words_at=world.clock.now)


def _ended(world: World, attempt: UUID) -> tuple[Any, ...]:
    """How it all stands in the end: attempt, reminder, occurrence, hold, and what is charged."""
    (row,) = world.rows(
        """SELECT a.state, a.outcome, a.pressed, a.answered_by, a.duration_seconds, r.state, r.sequence,
                  o.outcome, h.state,
                  (SELECT count(*) FROM billing_ledgertransaction l WHERE l.kind = 'call' AND l.key = o.id),
                  (SELECT count(*) FROM reminders_timer t WHERE t.key = r.id AND t.kind = 'ring')
             FROM reminders_attempt a JOIN reminders_reminder r ON r.id = a.reminder_id
             JOIN reminders_occurrence o ON o.id = a.occurrence_id JOIN billing_hold h ON h.id = a.id
            WHERE a.id = %s""",
        attempt,
    )
    return row


def _numbers() -> "itertools.count[int]":
    return itertools.count(12025552000)


PIECES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "answered": ({"ringing_at": 1}, {"answered_at": 4}, {"call_status": Outcome.ANSWERED, "duration_seconds": 6}),
    "answered, key 1": ({"answered_at": 4}, {"pressed": "1", "answered_at": 7}, {"call_status": Outcome.ANSWERED}),
    "machine": (
        {"ringing_at": 1},
        {"answered_at": 4, "answered_by": "machine_start"},
        {"call_status": Outcome.ANSWERED, "answered_by": "machine_start"},
    ),
    "answered, no words": (
        {"ringing_at": 1},
        {"answered_at": 4},
        {"call_status": Outcome.ANSWERED, "duration_seconds": 6},
    ),
    "busy": ({"ringing_at": 1}, {"call_status": Outcome.BUSY, "call_ended_at": 4}),
    "key 2 at the end": (
        {"answered_at": 4, "answered_by": "human"},
        {"pressed": "2", "answered_at": 7},
        {"call_status": Outcome.ANSWERED, "call_ended_at": 9},
    ),
}


def _instants(world: World, piece: dict[str, Any]) -> dict[str, Any]:
    now = world.clock.now
    return {name: now + timedelta(seconds=value) if name.endswith("_at") else value for name, value in piece.items()}


@pytest.mark.parametrize("name", PIECES)
def test_it_ends_the_same_in_every_order_and_however_often_told(world: World, name: str) -> None:
    """But for what a key decides after the end: a late snooze makes its occurrence once all the same."""
    ends, numbers = set(), _numbers()
    for order in itertools.permutations(PIECES[name]):
        for twice in (False, True):
            attempt = _ring(world, f"+{next(numbers)}")
            if name not in ("busy", "answered, no words"):
                _give_words(world, attempt)
            for piece in order:
                for _ in range(2 if twice else 1):
                    _fold(world, attempt, carrier_sid=None, **_instants(world, piece))
            ends.add(_ended(world, attempt))
    assert len(ends) == 1, ends


def test_it_refuses_evidence_of_another_call_and_of_no_attempt(world: World) -> None:
    attempt = _ring(world)
    before = _ended(world, attempt)
    with pytest.raises(outcomes.NoSuchAttempt):
        _fold(world, attempt, carrier_sid="CA-another", call_status=Outcome.ANSWERED)
    with pytest.raises(outcomes.NoSuchAttempt):
        _fold(world, UUID(int=1), call_status=Outcome.ANSWERED)
    assert _ended(world, attempt) == before


def test_it_corrects_a_missed_reminder_by_a_late_answer_cancels_the_retry_and_opens_a_break(world: World) -> None:
    attempt = _ring(world)
    _fold(world, attempt, call_status=Outcome.NO_ANSWER)
    assert _ended(world, attempt)[5] == "scheduled"
    _fold(world, attempt, answered_at=world.clock.now, duration_seconds=5)
    _fold(world, attempt, answered_at=world.clock.now, duration_seconds=5)
    assert _ended(world, attempt)[5:] == ("answered", 1, "answered", "posted", 1, 0)
    assert world.rows("SELECT kind FROM billing_break") == [("answer_proved_late",)]
    promises.history_gives_the_rows(world)


def test_it_never_charges_an_answer_that_is_proved_a_day_later(world: World) -> None:
    attempt = _ring(world)
    _fold(world, attempt, call_status=Outcome.NO_ANSWER)
    world.see.execute(
        "UPDATE reminders_timer SET wake_at = wake_at + interval '3 days', due_at = due_at + interval '3 days'"
    )
    world.clock.step(24 * 3600)
    _fold(world, attempt, answered_at=world.clock.now)
    assert _ended(world, attempt)[8:10] == ("voided", 0)


def test_it_gives_the_charge_back_where_a_machine_is_proved_after_the_post(world: World) -> None:
    attempt = _ring(world)
    _give_words(world, attempt)
    _fold(world, attempt, answered_at=world.clock.now)
    _fold(world, attempt, call_status=Outcome.ANSWERED)
    for _ in range(2):
        _fold(world, attempt, answered_by="machine_end_beep")
    kinds = sorted(kind for (kind,) in world.rows("SELECT kind FROM billing_ledgertransaction"))
    assert kinds == ["call", "refund", "sms"]


def test_it_keeps_the_charge_where_a_key_was_pressed_whatever_detection_says(world: World) -> None:
    attempt = _ring(world)
    _fold(world, attempt, answered_at=world.clock.now, pressed="1")
    _fold(world, attempt, call_status=Outcome.ANSWERED)
    _fold(world, attempt, answered_by="machine_end_beep")
    assert "refund" not in {kind for (kind,) in world.rows("SELECT kind FROM billing_ledgertransaction")}


@pytest.mark.parametrize(
    ("seconds", "snoozed"), [(limits.LATE_SNOOZE_SECONDS, True), (limits.LATE_SNOOZE_SECONDS + 1, False)]
)
def test_it_honours_a_snooze_by_key_within_a_quarter_of_an_hour_of_the_end(
    world: World, seconds: float, snoozed: bool
) -> None:
    attempt = _ring(world)
    _give_words(world, attempt)
    _fold(world, attempt, answered_at=world.clock.now, call_status=Outcome.ANSWERED)
    world.clock.step(seconds)
    _fold(world, attempt, pressed="2", answered_at=world.clock.now)
    _fold(world, attempt, pressed="2", answered_at=world.clock.now)
    state, sequence = _ended(world, attempt)[5:7]
    assert (state, sequence) == (("scheduled", 2) if snoozed else ("answered", 1))


def test_it_hangs_up_on_a_request_for_the_words_of_what_is_not_meant_any_more(world: World) -> None:
    attempt = _ring(world)
    sid = world.carrier.calls[0].sid

    def ask(carrier_sid: str) -> outcomes.Words | None:
        return outcomes.ask_words(
            attempt_id=attempt,
            carrier="twilio",
            carrier_sid=carrier_sid,
            answered_by=None,
            policy=POLICY,
            now=world.clock.now,
        )

    assert ask("CA-another") is None
    assert ask(sid) is not None
    world.text(PERSON, "STOP")
    assert ask(sid) is None


def test_it_charges_nothing_for_a_call_that_was_hung_up_instead_of_speaking(world: World) -> None:
    """They said stop while it rang, and picked up all the same."""
    attempt = _ring(world)
    world.text(PERSON, "STOP")
    words = outcomes.ask_words(
        attempt_id=attempt,
        carrier="twilio",
        carrier_sid=world.carrier.calls[0].sid,
        answered_by=None,
        policy=POLICY,
        now=world.clock.now,
    )
    assert words is None
    _fold(world, attempt, answered_at=world.clock.now, call_status=Outcome.ANSWERED, duration_seconds=1)
    assert _ended(world, attempt)[1:] == ("failed", "", None, 1, "cancelled", 1, "cancelled", "voided", 0, 0)


@pytest.mark.parametrize(("seconds", "late"), [(60.0, False), (60.001, True)])
def test_it_decides_once_whether_a_call_is_late_and_charges_by_the_same_decision(
    world: World, seconds: float, late: bool
) -> None:
    attempt = _ring(world)
    due = world.clock.now
    _fold(world, attempt, ringing_at=due + timedelta(seconds=seconds))
    sid = world.carrier.calls[0].sid
    words = outcomes.ask_words(
        attempt_id=attempt,
        carrier="twilio",
        carrier_sid=sid,
        answered_by=None,
        policy=POLICY,
        now=due + timedelta(seconds=65),
    )
    assert words is not None
    assert words.lateness_seconds == (60 if late else 0)
    again = outcomes.ask_words(
        attempt_id=attempt,
        carrier="twilio",
        carrier_sid=sid,
        answered_by=None,
        policy=replace(POLICY, freshness_seconds=1),
        now=due + timedelta(seconds=70),
    )
    assert again == words
    _fold(world, attempt, call_status=Outcome.ANSWERED)
    assert _ended(world, attempt)[8:10] == (("voided", 0) if late else ("posted", 1))


@pytest.mark.parametrize("times", [1, 2])
def test_a_call_that_was_picked_up_and_got_no_words_is_free_and_is_tried_again(world: World, times: int) -> None:
    """Our web was dead while they picked up: the carrier apologised, and nobody was reminded of anything."""
    attempt = _ring(world)
    _fold(world, attempt, ringing_at=world.clock.now + timedelta(seconds=1))
    for _ in range(times):
        _fold(world, attempt, answered_at=world.clock.now, call_status=Outcome.ANSWERED, duration_seconds=3)
    assert _ended(world, attempt) == (
        "ended", "failed", "", None, 3, "scheduled", 1, None, "voided", 0, 1,
    )  # fmt: skip
    assert world.rows("SELECT reason FROM reminders_attempt") == [("no_words",)]
    assert world.rows("SELECT late FROM reminders_occurrence") == [(None,)]  # the call that has words decides
    world.carrier.fate_of = lambda _: Fate(press="1")
    world.run(seconds=400)
    assert [call.heard for call in world.carrier.calls] == [False, True]
    assert _ended(world, attempt)[5:8] == ("answered", 1, "answered")
    assert [kind for (kind,) in world.rows("SELECT kind FROM billing_ledgertransaction WHERE kind = 'call'")] == [
        "call"
    ]
    assert world.rows("SELECT kind FROM billing_break") == []


def test_a_person_whose_calls_never_had_words_is_told_that_they_missed_it(world: World) -> None:
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"words"}))
    world.text(PERSON, TEA)
    world.run(seconds=2000)
    assert [call.status for call in world.carrier.calls] == ["completed"] * POLICY.attempts
    assert world.rows("SELECT state FROM reminders_reminder") == [("missed",)]
    assert [kind for (kind,) in world.rows("SELECT kind FROM billing_ledgertransaction")] == ["sms"]
    promises.assert_kept(world)


def test_an_answer_proved_late_of_a_call_that_was_late_is_free_too(world: World) -> None:
    attempt = _ring(world)
    _fold(world, attempt, ringing_at=world.clock.now + timedelta(seconds=61))
    _fold(world, attempt, call_status=Outcome.NO_ANSWER)
    _fold(world, attempt, answered_at=world.clock.now + timedelta(seconds=66))
    assert _ended(world, attempt)[8:10] == ("voided", 0)
    assert world.rows("SELECT late FROM reminders_occurrence") == [(True,)]


@pytest.mark.parametrize(("seconds", "late"), [(60.0, False), (60.001, True)])
def test_it_takes_a_call_for_late_where_only_the_answer_says_when_it_rang(
    world: World, seconds: float, late: bool
) -> None:
    """The carrier queued it, and its word of the ringing is still on its way: placed in time says nothing."""
    world.carrier.fate_of = lambda _: Fate(lose=SILENT)
    attempt = _ring(world)
    words = outcomes.ask_words(
        attempt_id=attempt,
        carrier="twilio",
        carrier_sid=world.carrier.calls[0].sid,
        answered_by=None,
        policy=POLICY,
        now=world.clock.now + timedelta(seconds=seconds),
    )
    assert words is not None
    assert words.lateness_seconds == (60 if late else 0)
    _fold(world, attempt, ringing_at=world.clock.now + timedelta(seconds=59), call_status=Outcome.ANSWERED)
    assert _ended(world, attempt)[8:10] == (("voided", 0) if late else ("posted", 1))  # as it was said


def test_a_call_that_was_dialled_in_time_and_rang_late_says_so_whatever_was_looked_up_between(world: World) -> None:
    """The carrier's record says when it dialled: a look-up while it rings once took that for the ringing."""
    world.carrier.fate_of = lambda _: Fate(lose=SILENT)
    attempt = _ring(world)
    due, sid = world.clock.now, world.carrier.calls[0].sid
    dialled, rang = due + timedelta(seconds=59), due + timedelta(seconds=61)
    record = CallRecord(
        sid=sid,
        to=PERSON,
        status="ringing",
        created_at=due,
        started_at=dialled,
        ended_at=None,
        duration_seconds=None,
        answered_by=None,
    )
    outcomes.fold(
        attempt_id=attempt,
        evidence=recovery.evidence(record=record, now=rang),
        policy=POLICY,
        carrier="twilio",
        now=rang,
    )
    words = outcomes.ask_words(
        attempt_id=attempt, carrier="twilio", carrier_sid=sid, answered_by=None, policy=POLICY, now=rang
    )
    assert words is not None
    assert words.lateness_seconds == 61
    _fold(world, attempt, call_status=Outcome.ANSWERED)
    assert _ended(world, attempt)[8:10] == ("voided", 0)


def test_it_says_how_late_it_is_where_the_first_attempt_never_rang(world: World) -> None:
    """An attempt that ended without a ringing once left a lateness of 0 behind, which the next one kept."""
    world.carrier.refuse_call = lambda _: Unavailable("429")
    world.text(PERSON, TEA)
    world.clock.step(60)
    world.turn()
    assert world.rows("SELECT rang_at, lateness_ms FROM reminders_occurrence") == [(None, None)]
    world.carrier.refuse_call = lambda _: None
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"words"}))
    world.clock.step(300)
    world.run(seconds=3)
    (call,) = world.carrier.calls
    words = outcomes.ask_words(
        attempt_id=call.attempt,
        carrier="twilio",
        carrier_sid=call.sid,
        answered_by=None,
        policy=POLICY,
        now=world.clock.now,
    )
    assert words is not None
    assert words.lateness_seconds == 301


def test_it_changes_nothing_by_callbacks_after_the_end(world: World) -> None:
    attempt = _ring(world)
    _give_words(world, attempt)
    _fold(world, attempt, answered_at=world.clock.now, call_status=Outcome.ANSWERED)
    before = _ended(world, attempt)
    _fold(world, attempt, ringing_at=world.clock.now)
    _fold(world, attempt, call_status=Outcome.BUSY)
    assert _ended(world, attempt) == before
