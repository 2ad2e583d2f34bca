"""What follows the end of an attempt."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from reminders import limits, retry
from reminders.retry import Ended, Policy
from reminders.states import REMINDER_TRANSITIONS, Outcome, ReminderState

NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
POLICY: Final = Policy(
    attempts=3,
    retry_seconds=300,
    snooze_seconds=600,
    ring_timeout_seconds=30,
    lookup_horizon_seconds=20,
    freshness_seconds=60,
    lease_seconds=15,
)
pressed = st.text(alphabet="129", max_size=3)
outcomes = st.sampled_from(Outcome)
following = st.sampled_from((None, NOW + timedelta(days=1)))
tries = st.integers(1, 6)
answered_by = st.sampled_from((None, "human", "unknown", "machine_start", "machine_end_beep", "fax", "other"))


def _after(outcome: Outcome, keys: str, tried: int = 1, following: datetime | None = None) -> retry.Next:
    return retry.after_call(outcome=outcome, pressed=keys, tries=tried, following=following, policy=POLICY, now=NOW)


@given(outcomes, pressed, tries, following)
def test_it_decides_every_end_and_only_by_moves_that_exist(
    outcome: Outcome, keys: str, tried: int, next_date: datetime | None
) -> None:
    next_ = _after(outcome, keys, tried, next_date)
    assert next_.state in REMINDER_TRANSITIONS[ReminderState.RINGING]
    assert (next_.state is ReminderState.SCHEDULED) == (next_.ring_at is not None)
    assert next_.ring_at is None or next_.ring_at > NOW
    assert not next_.new_occurrence or next_.occurrence_outcome is not None


@given(outcomes, st.text(alphabet="12", max_size=2), st.text(alphabet="12", max_size=2), tries, following)
def test_it_lets_key_9_win_over_every_other(
    outcome: Outcome, before: str, after: str, tried: int, next_date: datetime | None
) -> None:
    next_ = _after(outcome, before + "9" + after, tried, next_date)
    assert (next_.state, next_.never_again, next_.ring_at) == (ReminderState.CANCELLED, True, None)


@given(outcomes, st.sampled_from(("2", "12", "21")), tries, following)
def test_it_lets_key_2_win_over_1_and_over_the_answer(
    outcome: Outcome, keys: str, tried: int, next_date: datetime | None
) -> None:
    next_ = _after(outcome, keys, tried, next_date)
    assert (next_.what, next_.ring_at, next_.new_occurrence) == ("snoozed", NOW + timedelta(minutes=10), True)


@given(tries)
def test_it_ends_an_answered_reminder_whatever_was_tried(tried: int) -> None:
    assert _after(Outcome.ANSWERED, "1", tried).state is ReminderState.ANSWERED
    assert _after(Outcome.ANSWERED, "", tried).state is ReminderState.ANSWERED


@given(outcomes.filter(lambda o: o is not Outcome.ANSWERED), tries)
def test_it_rings_again_until_its_attempts_are_spent_and_then_tells(outcome: Outcome, tried: int) -> None:
    next_ = _after(outcome, "", tried)
    if tried < POLICY.attempts:
        assert (next_.what, next_.ring_at, next_.tell_missed) == ("again", NOW + timedelta(seconds=300), False)
        assert not next_.new_occurrence
    else:
        assert (next_.state, next_.tell_missed) == (ReminderState.MISSED, True)


@given(outcomes, tries)
def test_it_goes_on_to_the_rules_next_date_and_still_tells_what_was_missed(outcome: Outcome, tried: int) -> None:
    next_date = NOW + timedelta(days=1)
    next_ = _after(outcome, "", tried, next_date)
    if outcome is Outcome.ANSWERED or tried >= POLICY.attempts:
        assert (next_.what, next_.ring_at, next_.new_occurrence) == ("next", next_date, True)
        assert next_.tell_missed == (outcome is not Outcome.ANSWERED)


@given(st.booleans(), st.sampled_from((None, *Outcome)), answered_by, pressed, st.booleans())
def test_it_takes_a_key_as_a_person_and_a_detected_machine_as_none(
    answered: bool, status: Outcome | None, by: str | None, keys: str, told: bool
) -> None:
    found = retry.outcome_of(Ended(answered=answered, call_status=status, answered_by=by, pressed=keys, told=told))
    picked_up = answered or status is Outcome.ANSWERED
    if keys:
        assert found is Outcome.ANSWERED
    elif picked_up:
        machine = by in ("machine_start", "machine_end_beep", "fax")
        assert found is (Outcome.MACHINE if machine else Outcome.ANSWERED if told else Outcome.FAILED)
    else:
        assert found is (status or Outcome.NO_ANSWER)


@given(st.booleans(), st.booleans(), st.sampled_from(ReminderState), st.booleans(), st.booleans(), following)
def test_it_corrects_by_a_late_proof_only_by_moves_that_exist(
    answers: bool, snoozes: bool, state: ReminderState, is_present: bool, went_on: bool, next_date: datetime | None
) -> None:
    for occurrence_outcome in (None, "answered", "missed", "snoozed", "cancelled", "dead"):
        next_ = retry.after_proof(
            answers=answers,
            snoozes=snoozes,
            state=state,
            occurrence_outcome=occurrence_outcome,
            is_present=is_present,
            went_on=went_on and not is_present,
            following=next_date,
            policy=POLICY,
            now=NOW,
        )
        if next_ is None:
            continue
        assert next_.state in REMINDER_TRANSITIONS[state]
        assert snoozes or answers, "by nothing"
        assert (next_.what == "snoozed") is snoozes
        assert not (next_.what == "snoozed" and occurrence_outcome == "snoozed") or answers, "a second time"


def test_it_calls_a_refusal_of_a_number_missed() -> None:
    assert retry.after_refusal(following=None).state is ReminderState.MISSED


@given(st.integers(0, limits.ATTEMPTS_MAX - 1))
def test_it_tries_again_soon_what_never_left(attempts: int) -> None:
    next_ = retry.after_nothing(attempts=attempts, at_once=False, others_ring=True, now=NOW)
    assert next_.state is ReminderState.SCHEDULED
    assert next_.ring_at is not None
    assert timedelta(0) < next_.ring_at - NOW <= timedelta(seconds=max(limits.NOT_SENT_RETRY_SECONDS))


@given(st.integers(limits.ATTEMPTS_MAX, 1000), st.booleans())
def test_it_makes_a_dead_letter_of_what_never_leaves_while_others_ring(attempts: int, at_once: bool) -> None:
    next_ = retry.after_nothing(attempts=attempts, at_once=at_once, others_ring=True, now=NOW)
    assert next_.state is ReminderState.DEAD


@given(st.integers(limits.ATTEMPTS_MAX, 1000), st.booleans())
def test_it_goes_on_seldom_where_nobody_rings(attempts: int, at_once: bool) -> None:
    next_ = retry.after_nothing(attempts=attempts, at_once=at_once, others_ring=False, now=NOW)
    assert next_.state is ReminderState.SCHEDULED
    assert next_.ring_at == NOW + timedelta(seconds=limits.NOT_SENT_RETRY_SECONDS[-1])


def test_it_dials_again_at_once_what_was_not_found_or_may_go_elsewhere() -> None:
    assert retry.after_nothing(attempts=1, at_once=True, others_ring=False, now=NOW).ring_at == NOW
