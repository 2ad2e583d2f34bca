"""What follows the end of an attempt, decided from its evidence alone. Pure.

Precedence of the keys: 9 (never again), then 2 (snooze), then 1 (done), then the mere answer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.pricing import is_machine
from reminders import limits
from reminders.quiet import Misfire
from reminders.states import Outcome, ReminderState


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The times of the promises, from the settings. Seconds."""

    attempts: int
    retry_seconds: float
    snooze_seconds: float
    ring_timeout_seconds: float
    lookup_horizon_seconds: float
    freshness_seconds: float
    lease_seconds: float
    misfire: Misfire | None = None  # None: whatever is due rings, at any hour and however late
    detect_machines: bool = False

    @property
    def send_within_seconds(self) -> float:
        """How long after its intent a request may still leave: part of the look-up horizon."""
        return min(limits.SEND_WITHIN_SECONDS, self.lookup_horizon_seconds / 4)

    @property
    def request_seconds(self) -> float:
        """How long a request for a call may take: part of the look-up horizon."""
        return min(limits.CALL_REQUEST_SECONDS, self.lookup_horizon_seconds * 0.4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A call that has ended, as far as it is proved."""

    answered: bool
    call_status: Outcome | None
    answered_by: str | None
    pressed: str
    told: bool  # whether we gave it its words


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What becomes of the reminder. `ring_at` with `new_occurrence` is a snooze or the rule's next date."""

    state: ReminderState
    what: str  # the event's name behind `reminder.`
    occurrence_outcome: str | None = None
    ring_at: datetime | None = None
    new_occurrence: bool = False
    never_again: bool = False
    tell_missed: bool = False


def outcome_of(ended: Ended) -> Outcome:
    """The attempt's outcome: a key press proves a person, a detected machine is one, an answer is an answer.

    But for a call that was picked up and got no words of ours (the carrier apologises then): nobody was reminded.
    """
    if ended.pressed:
        return Outcome.ANSWERED
    if ended.answered or ended.call_status is Outcome.ANSWERED:
        if is_machine(answered_by=ended.answered_by):
            return Outcome.MACHINE
        return Outcome.ANSWERED if ended.told else Outcome.FAILED
    return ended.call_status or Outcome.NO_ANSWER


def after_call(
    *, outcome: Outcome, pressed: str, tries: int, following: datetime | None, policy: Policy, now: datetime
) -> Next:
    """What follows a call that the carrier took; `tries` counts it; `following` is the rule's next date."""
    if "9" in pressed:
        return Next(state=ReminderState.CANCELLED, what="cancelled", occurrence_outcome="answered", never_again=True)
    if "2" in pressed:
        return snoozed(policy=policy, now=now)
    if outcome is Outcome.ANSWERED:
        return _over(ReminderState.ANSWERED, following)
    if tries < policy.attempts:
        return Next(state=ReminderState.SCHEDULED, what="again", ring_at=now + timedelta(seconds=policy.retry_seconds))
    return _over(ReminderState.MISSED, following)


def snoozed(*, policy: Policy, now: datetime) -> Next:
    """Key 2: a new occurrence, a while later."""
    return Next(
        state=ReminderState.SCHEDULED,
        what="snoozed",
        occurrence_outcome="snoozed",
        ring_at=now + timedelta(seconds=policy.snooze_seconds),
        new_occurrence=True,
    )


def after_proof(
    *,
    answers: bool,
    snoozes: bool,
    state: ReminderState,
    occurrence_outcome: str | None,
    is_present: bool,
    went_on: bool,
    following: datetime | None,
    policy: Policy,
    now: datetime,
) -> Next | None:
    """What follows a proof that came after a call was concluded; None where the reminder stays as it is.

    `answers`: it was picked up after all; `snoozes`: key 2, in time. `is_present`: the call's occurrence is the
    reminder's; `went_on`: only the rule's next date is.
    """
    if is_present and answers and state in (ReminderState.SCHEDULED, ReminderState.MISSED):
        return snoozed(policy=policy, now=now) if snoozes else _over(ReminderState.ANSWERED, following)
    stands = (is_present and state is ReminderState.ANSWERED) or (went_on and state is ReminderState.SCHEDULED)
    if snoozes and stands and occurrence_outcome in ("answered", "missed"):
        return snoozed(policy=policy, now=now)
    return None


def after_refusal(*, following: datetime | None) -> Next:
    """What follows a carrier's definite refusal of this number: missed."""
    return _over(ReminderState.MISSED, following)


def after_nothing(*, attempts: int, at_once: bool, others_ring: bool, now: datetime) -> Next:
    """What follows a request that never left, or that was refused by no fault of the number: again, later each time.

    `at_once`: it has waited enough (it was looked up and not found), or another account takes it now. The number of
    tries stays. After limits.ATTEMPTS_MAX it is a dead letter, if `others_ring`; where nobody's phone does, it goes
    on, seldom, until the misfire policy tells its person.
    """
    is_last = attempts >= limits.ATTEMPTS_MAX
    if is_last and others_ring:
        return dead()
    waits = limits.NOT_SENT_RETRY_SECONDS
    wait = 0.0 if at_once and not is_last else waits[max(0, min(attempts, len(waits)) - 1)]
    return Next(state=ReminderState.SCHEDULED, what="again", ring_at=now + timedelta(seconds=wait))


def dead() -> Next:
    """A dead letter: it rings again only by hand."""
    return Next(state=ReminderState.DEAD, what="dead", occurrence_outcome="dead")


def _over(end: ReminderState, following: datetime | None) -> Next:
    missed = end is ReminderState.MISSED
    outcome = "missed" if missed else "answered"
    if following is not None:
        return Next(
            state=ReminderState.SCHEDULED,
            what="next",
            occurrence_outcome=outcome,
            ring_at=following,
            new_occurrence=True,
            tell_missed=missed,
        )
    return Next(state=end, what=outcome, occurrence_outcome=outcome, tell_missed=missed)
