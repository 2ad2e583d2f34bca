"""Outcomes: evidence about a call is folded into its attempt; when the call is over, what follows is decided once.

Evidence is folded, not followed: it may come in any order, twice, late or never. The decision itself is pure
(`retry`); this stage locks the reminder, moves attempt and reminder by one statement, and tells billing.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from billing import breaks, charges
from billing.database import GuardFailed, Statements, first, prove, uuid7
from billing.pricing import charges_call, is_machine
from reminders import limits, notices, recurrence, replies, retry, tracing
from reminders.carriers.base import Evidence
from reminders.retry import Ended, Next, Policy
from reminders.states import GONE_ATTEMPT, OPEN_ATTEMPT, AttemptState, Outcome, ReminderState

statements: Final = Statements("reminders")

NO_WORDS: Final = "no_words"  # picked up, and we had no words for it: nobody was reminded, so it is tried again


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What an answered call says."""

    subject: str
    language: str
    lateness_seconds: int  # 0 where it is on time
    machine: bool = False  # a voicemail picked up


class NoSuchAttempt(Exception):
    """A callback names an attempt that is not ours, or another call than the one that is bound to it."""


def first_look_up_seconds(policy: Policy) -> float:
    """How soon an attempt that nobody settled, or of unknown outcome, is looked up; looks spread over the horizon."""
    return policy.lookup_horizon_seconds / (limits.LOOK_UPS_MIN + 1)


def watch_seconds(policy: Policy) -> float:
    """When a call that nobody reported as over is asked for."""
    return policy.ring_timeout_seconds + policy.lookup_horizon_seconds


def fold(*, attempt_id: UUID, evidence: Evidence, policy: Policy, carrier: str, now: datetime) -> None:
    """Fold one piece of evidence, and conclude the attempt where its call is over. Raises NoSuchAttempt."""
    row = statements.run(
        "fold_call",
        {
            "attempt_id": attempt_id,
            "carrier_sid": evidence.carrier_sid,
            "ringing_at": evidence.ringing_at,
            "answered_at": evidence.answered_at,
            "call_ended_at": evidence.call_ended_at,
            "call_status": evidence.call_status,
            "answered_by": evidence.answered_by,
            "duration_seconds": evidence.duration_seconds,
            "pressed": evidence.pressed,
            "words_at": evidence.words_at,
            "placed_seconds": watch_seconds(policy),
            "in_call_seconds": policy.lookup_horizon_seconds,
            "at": now,
        },
    ).fetchone()
    if row is None:
        rebuilt = _rebuilt(attempt_id, carrier, evidence.carrier_sid)
        if rebuilt is None:
            raise NoSuchAttempt
        fold(attempt_id=rebuilt, evidence=evidence, policy=policy, carrier=carrier, now=now)
        return
    _, state, call_status, newly_pressed, never_again, reminder_id = row
    tracing.note(state=state, evidence=evidence.says, **tracing.ids(reminder=reminder_id))
    if state in OPEN_ATTEMPT:
        if call_status is not None:
            conclude(attempt_id=attempt_id, stops=never_again, policy=policy, carrier=carrier, now=now)
    elif state in GONE_ATTEMPT and evidence.call_status is None:
        _rings_after_all(attempt_id, evidence, now)
        if never_again:
            correct(attempt_id=attempt_id, policy=policy, now=now)
    elif newly_pressed or evidence.answered_at or evidence.answered_by or evidence.call_status:
        correct(attempt_id=attempt_id, policy=policy, now=now)


def ask_words(
    *, attempt_id: UUID, carrier: str, carrier_sid: str, answered_by: str | None, policy: Policy, now: datetime
) -> Words | None:
    """The words of an answered call, or None where it must hang up: superseded, cancelled, stopped, unknown.

    Decides and stores, once for the occurrence, whether it is late.
    """
    row = statements.run(
        "ask_words",
        {
            "attempt_id": attempt_id,
            "carrier_sid": carrier_sid,
            "answered_by": answered_by,
            "freshness_seconds": policy.freshness_seconds,
            "watch_seconds": policy.lookup_horizon_seconds,
            "at": now,
        },
    ).fetchone()
    if row is None:
        prove()
        rebuilt = _rebuilt(attempt_id, carrier, carrier_sid)
        if rebuilt is None:
            return None
        return ask_words(
            attempt_id=rebuilt,
            carrier=carrier,
            carrier_sid=carrier_sid,
            answered_by=answered_by,
            policy=policy,
            now=now,
        )
    reminder_id, subject, language, _, _, late, lateness_ms, by = row
    tracing.note(late=bool(late), lateness_ms=lateness_ms, **tracing.ids(reminder=reminder_id))
    return Words(
        subject=subject,
        language=language,
        lateness_seconds=lateness_ms // 1000 if late else 0,
        machine=is_machine(answered_by=by),
    )


def conclude(*, attempt_id: UUID, stops: bool, policy: Policy, carrier: str, now: datetime) -> None:
    """End an attempt whose call is over, decide what follows, and post or void what was reserved.

    `stops` says that key 9 was pressed.
    """
    with _told("conclude", attempt_id), transaction.atomic():
        row = _load(attempt_id, person=stops, policy=policy)
        if row is None or row["state"] not in OPEN_ATTEMPT:
            return  # somebody else concluded it
        ended = _ended(row)
        outcome = retry.outcome_of(ended)
        next_ = retry.after_call(
            outcome=Outcome.ANSWERED if row["answered_before"] else outcome,
            pressed=ended.pressed,
            tries=row["tries"] + 1,
            following=_following(row, now, policy),
            policy=policy,
            now=now,
        )
        reason = NO_WORDS if _is_silent(ended, outcome) else None
        _move(row, state=AttemptState.ENDED, outcome=outcome, reason=reason, next_=next_, tried=True, now=now)
        _bill(row, outcome, now)
        _follow(row, next_, carrier, now)


def conclude_unsent(
    *,
    attempt_id: UUID,
    reason: str,
    rejected: bool,
    lost: bool,
    at_once: bool,
    policy: Policy,
    carrier: str,
    now: datetime,
    state: AttemptState = AttemptState.NOT_SENT,
) -> None:
    """End an attempt that never became a call: not sent, refused (`rejected`: its number), or looked up and not found.

    `lost`: it cannot even be asked for, and is a dead letter. `at_once`: it need not wait for its next attempt.
    """
    with _told("conclude", attempt_id), transaction.atomic():
        row = _load(attempt_id, person=False, policy=None)
        if row is None or row["state"] not in OPEN_ATTEMPT:
            return
        if lost:
            next_ = retry.dead()
        elif rejected:
            next_ = retry.after_refusal(following=_following(row, now, policy))
        else:
            next_ = retry.after_nothing(
                attempts=row["attempts"],
                at_once=at_once,
                others_ring=row["attempts"] >= limits.ATTEMPTS_MAX and _others_ring(),
                now=now,
            )
        _move(row, state=state, outcome=None, reason=reason, next_=next_, tried=False, now=now)
        charges.void(attempt_ids=[attempt_id], reason=state.value, at=now)
        _follow(row, next_, carrier, now)


def give_up(*, attempt_id: UUID, policy: Policy, now: datetime) -> bool:
    """End an attempt that cannot be concluded: its reminder is a dead letter, the person's others go on.

    False where somebody else ended it.
    """
    with _told("give up", attempt_id), transaction.atomic():
        row = _load(attempt_id, person=False, policy=policy)
        if row is None or row["state"] not in OPEN_ATTEMPT:
            return False
        outcome = retry.outcome_of(_ended(row))
        _move(row, state=AttemptState.ENDED, outcome=outcome, reason="poison", next_=retry.dead(), tried=True, now=now)
        _bill(row, outcome, now)
        return True


def correct(*, attempt_id: UUID, policy: Policy, now: datetime) -> None:
    """A proof that came after the conclusion: an answer, a key, a machine. Each corrects once, by a guarded move.

    Locks the person first: what it makes ring is made before a STOP, which cancels it, or not at all.
    """
    with _told("correct", attempt_id), transaction.atomic():
        row = _load(attempt_id, person=True, policy=policy)
        if row is None:
            return
        if row["state"] in (AttemptState.ENDED, AttemptState.NOT_PLACED):
            _prove_late(row, policy, now)
        if "9" in row["pressed"]:
            _never_again(row, now)  # consent is withdrawn whenever we hear of it


def _prove_late(row: dict[str, Any], policy: Policy, now: datetime) -> None:
    proved = retry.outcome_of(_ended(row))
    answers = proved is Outcome.ANSWERED and row["outcome"] != Outcome.ANSWERED
    if answers:
        _prove_answer(row, now)
    elif proved is Outcome.MACHINE and row["outcome"] == Outcome.ANSWERED:
        charges.reverse(attempt_id=row["id"], reason="machine", at=now)
    stopped = _stopped_since(row)
    next_ = retry.after_proof(
        answers=answers,
        snoozes=_snoozes_late(row, now) and not stopped,
        state=ReminderState(row["reminder_state"]),
        occurrence_outcome=row["occurrence_outcome"],
        is_present=row["present_sequence"] == row["sequence"],
        went_on=_went_on(row),
        following=_following(row, now, policy) if answers and not stopped else None,
        policy=policy,
        now=now,
    )
    if next_ is not None:
        _correct(row, next_, now)
    elif answers:
        statements.run("attempt_outcome", {"attempt_id": row["id"], "outcome": Outcome.ANSWERED.value})


def _never_again(row: dict[str, Any], now: datetime) -> None:
    """Key 9, once for a call: the person is not rung any more, as after STOP; every open reminder is cancelled.

    Where they said START after that call, it counts from the call's end: what they asked for since stands.
    """
    ended_at, started_at = row["call_ended_at"], row["started_at"]
    is_older = ended_at is not None and started_at is not None and started_at > ended_at
    person = {"subscriber_id": row["subscriber_id"], "at": now, "trace_context": row["trace_context"]}
    said_at = ended_at if is_older else now
    call = {"attempt_id": row["id"], "intended_at": row["intended_at"]}
    if statements.run("stop_person", {**person, **call, "said_at": said_at}).fetchone() is None:
        return
    made_before = ended_at if is_older else None
    statements.run("cancel_reminders", {**person, "number": None, "made_before": made_before, "cause": "key_9"})


def refuse_stopped(*, timer_ids: Sequence[UUID], token: UUID) -> None:
    """Claimed reminders that could not be intended: of a person who said stop (cancelled), or gone already."""
    statements.run("refuse_stopped", {"ids": list(timer_ids), "token": token})
    statements.run("drop_stale_rings", {"ids": list(timer_ids), "token": token})


def _told(name: str, attempt_id: UUID) -> AbstractContextManager[str]:
    return tracing.span(name, about=tracing.ids(attempt=attempt_id))


def _rebuilt(attempt_id: UUID, carrier: str, carrier_sid: str | None) -> UUID | None:
    """Where a call's attempt was rebuilt after a restore it may have another id than the call's addresses name."""
    row = statements.run("call_attempt", {"carrier": carrier, "carrier_sid": carrier_sid}).fetchone()
    return row[0] if row and row[0] != attempt_id else None


def _rings_after_all(attempt_id: UUID, evidence: Evidence, now: datetime) -> None:
    """A call of an attempt that we had given up: P3's confession. Counted, hung up, never charged twice."""
    breaks.open_break(
        promise="P3",
        kind="rang_after_given_up",
        subject=("attempt", attempt_id),
        detail={"carrier_sid": evidence.carrier_sid},
        at=now,
    )
    statements.run("hang_up_new", {"attempt_id": attempt_id})


def _load(attempt_id: UUID, *, person: bool, policy: Policy | None) -> dict[str, Any] | None:
    """The attempt with its reminder, locked; with `person` them first, as a STOP by text does.

    `policy` says from when on a call was late, where its words were never asked for; None where it was no call.
    """
    if person:
        statements.run("lock_person", {"attempt_id": attempt_id})
    late_after = policy.freshness_seconds if policy else None
    params = {"attempt_id": attempt_id, "oldest": UUID(int=0), "freshness_seconds": late_after}
    return first(statements.run("load_attempt", params))


def _ended(row: dict[str, Any]) -> Ended:
    return Ended(
        answered=row["answered_at"] is not None or bool(row["duration_seconds"]),
        call_status=Outcome(row["call_status"]) if row["call_status"] else None,
        answered_by=row["answered_by"],
        pressed=row["pressed"],
        # What proves an answer after we had given the call up was answered with a hang-up; it corrects all the same.
        told=row["words_at"] is not None or (row["state"] not in OPEN_ATTEMPT and row["reason"] != NO_WORDS),
    )


def _is_silent(ended: Ended, outcome: Outcome) -> bool:
    return outcome is Outcome.FAILED and (ended.answered or ended.call_status is Outcome.ANSWERED)


def _following(row: dict[str, Any], now: datetime, policy: Policy) -> datetime | None:
    if row["rrule"] is None:
        return None
    return recurrence.following_by_day(
        rule=row["rrule"],
        rule_at=row["rule_at"] or row["due_at"],
        zone=row["zone"],
        after=now,
        quiet=policy.misfire.quiet if policy.misfire else None,
    )


def _others_ring() -> bool:
    """Whether the carrier took anybody's call since the longest wait for another attempt began."""
    found = statements.run("others_ring", {"seconds": limits.NOT_SENT_RETRY_SECONDS[-1]}).fetchone()
    return bool(found and found[0])


def _move(
    row: dict[str, Any],
    *,
    state: AttemptState,
    outcome: Outcome | None,
    reason: str | None,
    next_: Next,
    tried: bool,
    now: datetime,
) -> None:
    told = {"outcome": outcome.value} if outcome else {}
    tracing.note(state=state.value, next=next_.what, **told, **tracing.ids(reminder=row["reminder_id"]))
    # A reminder that was cancelled, or corrected, while its phone rang: only the attempt ends.
    moves = row["reminder_state"] == ReminderState.RINGING and row["present_sequence"] == row["sequence"]
    result = statements.run(
        "conclude",
        {
            "attempt_id": row["id"],
            "attempt_was": row["state"],
            "attempt_state": state.value,
            "outcome": outcome.value if outcome else None,
            "reason": reason,
            "at": now,
            "reminder_state": next_.state.value if moves else None,
            "version": row["version"],
            "ring_at": next_.ring_at,
            "next_occurrence_id": uuid7() if next_.new_occurrence else None,
            "next_due_at": next_.ring_at if next_.new_occurrence else None,
            "rule_at": next_.ring_at if next_.what == "next" else None,
            "tried": int(tried),
            "occurrence_outcome": next_.occurrence_outcome if moves else None,
            "late": row["late"] if outcome in (Outcome.ANSWERED, Outcome.MACHINE) else None,
            "wait_cause": None if tried else "carrier",
            "what": next_.what,
        },
    ).fetchone()
    if result != (1, int(moves)):
        raise GuardFailed(f"attempt {row['id']}: moved {result}")


def _bill(row: dict[str, Any], outcome: Outcome, now: datetime) -> None:
    answered = outcome in (Outcome.ANSWERED, Outcome.MACHINE)
    if answered and charges_call(answered_by=row["answered_by"], pressed=row["pressed"], late=bool(row["late"])):
        charges.post(attempt_id=row["id"], evidence=_proof(row), at=now)
        tracing.note(hold="posted")
    else:
        reason = "late" if answered and row["late"] else outcome.value
        tracing.note(hold="voided")
        charges.void(attempt_ids=[row["id"]], reason=reason, at=now)


def _proof(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "carrier_sid": row["carrier_sid"],
        "answered_at": row["answered_at"].isoformat() if row["answered_at"] else None,
        "answered_by": row["answered_by"],
        "pressed": row["pressed"],
        "duration_seconds": row["duration_seconds"],
        "reminder": str(row["reminder_id"]),
        "reminder_number": row["reminder_number"],
    }


def _follow(row: dict[str, Any], next_: Next, carrier: str, now: datetime) -> None:
    if next_.never_again:
        _never_again(row, now)
    if next_.tell_missed and row["reminder_state"] == ReminderState.RINGING:
        body = replies.missed(subject=row["subject"], due=row["due_at"], zone=row["zone"], language=row["language"])
        notices.tell_missed(of=row, body=body, carrier=carrier, now=now)


def _prove_answer(row: dict[str, Any], now: datetime) -> None:
    if charges_call(answered_by=row["answered_by"], pressed=row["pressed"], late=bool(row["late"])):
        charges.post(attempt_id=row["id"], evidence=_proof(row), at=now)
    breaks.open_break(
        promise="P3" if row["state"] == "not_placed" else "P6",
        kind="answer_proved_late",
        subject=("attempt", row["id"]),
        detail={
            "reminder": str(row["reminder_id"]),
            "was": row["outcome"],
            "carrier_sid": row["carrier_sid"],
        },
        at=now,
    )


def _went_on(row: dict[str, Any]) -> bool:
    """Whether the rule's next date was made by this occurrence's end, and nothing has moved it since."""
    return row["rrule"] is not None and row["present_sequence"] == row["sequence"] + 1


def _correct(row: dict[str, Any], next_: Next, now: datetime) -> None:
    rule_at = next_.ring_at if next_.what == "next" else None
    if next_.what == "snoozed" and _went_on(row):  # the rule comes to its next date again, after the snooze
        rule_at = recurrence.before(rule=row["rrule"], rule_at=row["rule_at"], zone=row["zone"])
    moved = statements.run(
        "correct",
        {
            "attempt_id": row["id"],
            "occurrence_id": row["occurrence_id"],
            "reminder_id": row["reminder_id"],
            "version": row["version"],
            "reminder_state": next_.state.value,
            "outcome": Outcome.ANSWERED.value,
            "occurrence_outcome": next_.occurrence_outcome,
            "late": row["late"],
            "ring_at": next_.ring_at,
            "rule_at": rule_at,
            "next_occurrence_id": uuid7() if next_.new_occurrence else None,
            "what": next_.what,
            "at": now,
        },
    ).fetchone()
    if moved is None:
        raise GuardFailed(f"reminder {row['reminder_id']} was not corrected")


def _snoozes_late(row: dict[str, Any], now: datetime) -> bool:
    """Whether a key 2 that comes after the end still counts; 9 goes before it."""
    window = timedelta(seconds=limits.LATE_SNOOZE_SECONDS)
    return "2" in row["pressed"] and "9" not in row["pressed"] and now - row["ended_at"] <= window


def _stopped_since(row: dict[str, Any]) -> bool:
    """Whether the person said stop since the call, or has not said START since."""
    stopped_at, started_at = row["stopped_at"], row["started_at"]
    return stopped_at is not None and (stopped_at >= row["ended_at"] or started_at is None or started_at <= stopped_at)
