"""Recovery: what is not known is looked up at the carrier, never sent blindly again.

An attempt without an answer, a call that nobody reported as over, a reply that may not have left: each has a timer,
and each timer ends in a look-up that binds, concludes, or looks again. "Not placed" is concluded only after the
look-up horizon on one looker's monotonic clock, by at least limits.LOOK_UPS_MIN looks spread over it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from billing import breaks
from billing.database import Statements, first, prove
from reminders import limits, outcomes, tracing
from reminders.carriers import session
from reminders.carriers.account import choose
from reminders.carriers.base import (
    CallRecord,
    Carrier,
    CarrierError,
    Evidence,
    MessageRecord,
    RefusedUs,
    Rejected,
    Unavailable,
)
from reminders.carriers.twilio import CALL_ENDS
from reminders.clock import Looker
from reminders.retry import Policy
from reminders.states import GONE_ATTEMPT, OPEN_ATTEMPT, AttemptState, ReplyState

statements: Final = Statements("reminders")

# The carrier's creation dates are whole seconds, on its own clock.
CLOCK_SLACK: Final = timedelta(seconds=2)
LOOK_SECONDS: Final = limits.CARRIER_TIMEOUT_SECONDS + limits.SETTLE_SECONDS
LOOK_AGAIN_SECONDS_MIN: Final = 0.1
DELIVERED: Final = frozenset({"sent", "delivered", "read", "received"})
UNDELIVERED: Final = frozenset({"undelivered", "failed", "canceled"})
NOT_FINAL: Final = ("handed_over", "unknown")
HELD: Final = "held"


def look_up(*, attempt_id: UUID, carrier: Carrier, policy: Policy, looker: Looker, now: datetime) -> str:
    """Resolve one attempt; the word says what was found: over, going_on, absent, not_placed, ambiguous, failed."""
    row = _attempt(attempt_id)
    if row is None or row["state"] not in OPEN_ATTEMPT:
        return "over"
    tracing.note(**tracing.person(number=row["phone"]))
    if row["call_status"] is not None:  # who folded its end died before it was concluded
        stops = "9" in row["pressed"]
        outcomes.conclude(attempt_id=attempt_id, stops=stops, policy=policy, carrier=carrier.name, now=now)
        return "over"
    try:
        found = _find_calls(row, carrier)
    except (CarrierError, TimeoutError):
        return _failed(row, carrier, policy, looker, now)
    if len(found) == 1:
        return _take(row, found[0], carrier, policy, now)
    if found:
        return _ambiguous(row, carrier, policy, looker, now)
    return _absent(row, carrier, policy, looker, now)


def hang_up(
    *, attempt_id: UUID, since: datetime, carrier: Carrier, policy: Policy, looker: Looker, now: datetime
) -> float | None:
    """Cancel the call of an attempt that is not wanted any more, `since` when; in how many seconds it is tried again.

    None: it is done, or was tried for so long in vain that it is tried no more.
    """
    row = _attempt(attempt_id)
    if row is None or row["state"] not in (*OPEN_ATTEMPT, *GONE_ATTEMPT) or row["call_status"] is not None:
        return None
    if row["carrier_sid"] is None and row["state"] in GONE_ATTEMPT:
        return None
    if row["carrier_sid"] is None:
        look_up(attempt_id=attempt_id, carrier=carrier, policy=policy, looker=looker, now=now)
        return _hang_up_again(since, now)
    try:
        session.run(carrier.hang_up(row["carrier_sid"]), within_seconds=LOOK_SECONDS)
    except Rejected:
        return None  # the carrier knows no such call, or it has ended: its callback or the look-up concludes
    except (CarrierError, TimeoutError):
        return _hang_up_again(since, now)
    return None


def tend_reply(*, reply_id: UUID, carrier: Carrier, policy: Policy, elsewhere: Sequence[Carrier] = ()) -> str:
    """Send an SMS of ours, or look up one that is not known to have arrived; sent again only if absent.

    `carrier` is the account that was asked; `elsewhere` are those that a new sending may go to besides.
    """
    row = first(statements.run("load_reply", {"reply_id": reply_id}))
    if row is None or row["state"] in (ReplyState.SENT, ReplyState.UNDELIVERED):
        return "over"
    tracing.note(**tracing.person(number=row["number"]))
    if row["state"] == ReplyState.INTENDED:
        return _send(row, (carrier, *elsewhere), policy)
    try:
        record = _find_reply(row, carrier)
    except (CarrierError, TimeoutError) as error:
        unfound = isinstance(error, Rejected) and row["carrier_sid"] is not None
        return _reply_not_asked(row, carrier, unfound=unfound)
    if record is not None:
        return _settle_reply(row, record, carrier)
    if row["look_ups"] + 1 < limits.LOOK_UPS_MIN:
        wait = policy.lookup_horizon_seconds / limits.LOOK_UPS_MIN
        _move(reply_id, carrier.name, was=NOT_FINAL, state="unknown", seconds=wait, looked_up=True)
        return "absent"
    return _send(row, (carrier, *elsewhere), policy)


def evidence(*, record: CallRecord, now: datetime) -> Evidence:
    """What the carrier's record of a call proves; `now` where it does not say since when.

    It says when the call was dialled (Twilio's `start_time`), not when it rang. What still goes on rang by `now` at the
    latest, and in doubt is taken for late: nobody may hear that a late call was on time. Of one that is over, in which
    nothing is said any more, the dialling is nearer.
    """
    end = CALL_ENDS.get(record.status)
    answered = record.status == "in-progress" or (end is not None and bool(record.duration_seconds))
    since = record.started_at if end else now
    return Evidence(
        carrier_sid=record.sid,
        ringing_at=since if record.status != "queued" else None,
        answered_at=(since or now) if answered else None,
        call_ended_at=(record.ended_at or now) if end else None,
        call_status=end,
        answered_by=record.answered_by,
        duration_seconds=record.duration_seconds,
    )


def fold_message(*, reply_id: UUID, carrier_sid: str, status: str, error: str | None, carrier: str) -> bool:
    """Fold a status callback of an SMS of ours; False where it changes nothing."""
    if status in DELIVERED:
        return _fold(reply_id, carrier, "sent", carrier_sid, None)
    if status in UNDELIVERED:
        return _fold(reply_id, carrier, "undelivered", carrier_sid, error or status)
    return False


def _fold(reply_id: UUID, carrier: str, state: str, sid: str, error: str | None) -> bool:
    was = ("intended", "handed_over", "unknown") if state == "sent" else ("intended", "handed_over", "unknown", "sent")
    moved = _move(reply_id, carrier, was=was, state=state, seconds=None, sid=sid, error=error)
    if not moved:
        prove()  # it stands already, perhaps on one node alone
    return moved


def _find_calls(row: dict[str, Any], carrier: Carrier) -> list[CallRecord]:
    """The call that is bound to the attempt, or those to its number that are bound to nothing."""
    if row["carrier_sid"] is not None:
        try:
            return [session.run(carrier.fetch_call(row["carrier_sid"]), within_seconds=LOOK_SECONDS)]
        except Rejected:
            return []  # the carrier does not know a call that it gave us an id for
    since = row["intended_at"] - CLOCK_SLACK
    records = session.run(carrier.calls_to(row["phone"], since=since), within_seconds=LOOK_SECONDS)
    free = _unbound(carrier.name, [record.sid for record in records])
    return [record for record in records if record.sid in free]


def _failed(row: dict[str, Any], carrier: Carrier, policy: Policy, looker: Looker, now: datetime) -> str:
    """The carrier could not be asked: again later, until a day has passed; then a dead letter, with its alert."""
    if _is_given_up(row["intended_at"], now):
        return _not_placed(row, carrier, policy, now, reason="carrier_not_asked", dead=True)
    _look_again(row, policy, looker, counted=False)
    return "failed"


def _not_placed(
    row: dict[str, Any], carrier: Carrier, policy: Policy, now: datetime, *, reason: str, dead: bool
) -> str:
    """There is no call, as far as can be known: dialled again, or (`dead`) a dead letter."""
    outcomes.conclude_unsent(
        attempt_id=row["id"],
        reason=reason,
        rejected=False,
        lost=dead,
        at_once=True,  # it has waited for the whole look-up horizon
        policy=policy,
        carrier=carrier.name,
        now=now,
        state=AttemptState.NOT_PLACED,
    )
    return "not_placed"


def _take(row: dict[str, Any], record: CallRecord, carrier: Carrier, policy: Policy, now: datetime) -> str:
    proof = evidence(record=record, now=now)
    outcomes.fold(attempt_id=row["id"], evidence=proof, policy=policy, carrier=carrier.name, now=now)
    if proof.call_status is not None:
        return "over"
    _watch(row, policy, now)
    return "going_on"


def _watch(row: dict[str, Any], policy: Policy, now: datetime) -> None:
    """A call that still goes on: asked for again, at growing distances, so that nothing rings unseen."""
    age = (now - row["intended_at"]).total_seconds()
    statements.run(
        "watch_call",
        {"attempt_id": row["id"], "seconds": max(2.0, min(age / 2, policy.ring_timeout_seconds, 60.0))},
    )


def _absent(row: dict[str, Any], carrier: Carrier, policy: Policy, looker: Looker, now: datetime) -> str:
    here = row["looker"] == looker.boot  # else its clock says nothing here: the horizon begins anew
    looks = row["look_ups"] + 1 if here else 1
    left = policy.lookup_horizon_seconds - ((looker.monotonic_ms - row["looked_ms"]) / 1000 if here else 0)
    if left > 0 or looks < limits.LOOK_UPS_MIN:
        _look_again(row, policy, looker, counted=True, left_seconds=left)
        return "absent"
    return _not_placed(row, carrier, policy, now, reason="looked_up", dead=False)


def _ambiguous(row: dict[str, Any], carrier: Carrier, policy: Policy, looker: Looker, now: datetime) -> str:
    """Several calls may be this one: none is bound. A callback may tell yet; after a day nobody waits for it."""
    breaks.open_break(
        promise="P3",
        kind="calls_not_told_apart",
        subject=("attempt", row["id"]),
        detail={"reminder": str(row["reminder_id"])},
        at=now,
    )
    if _is_given_up(row["intended_at"], now):
        return _not_placed(row, carrier, policy, now, reason="not_told_apart", dead=True)
    _look_again(row, policy, looker, counted=False)
    return "ambiguous"


def _is_given_up(since: datetime, now: datetime) -> bool:
    """Whether the carrier was asked for so long in vain that it is asked no more."""
    return now - since >= timedelta(seconds=limits.UNKNOWN_SECONDS_MAX)


def _hang_up_again(since: datetime, now: datetime) -> float | None:
    if _is_given_up(since, now):
        return None
    return _half_of((now - since).total_seconds(), limits.HANG_UP_AGAIN_SECONDS)


def _half_of(age_seconds: float, bounds: tuple[float, float]) -> float:
    """A wait that grows with how long something has been tried."""
    least, most = bounds
    return min(max(age_seconds / 2, least), most)


def _look_again(
    row: dict[str, Any], policy: Policy, looker: Looker, *, counted: bool, left_seconds: float | None = None
) -> None:
    wait = outcomes.first_look_up_seconds(policy)
    if left_seconds is not None:
        wait = max(LOOK_AGAIN_SECONDS_MIN, min(wait, left_seconds + LOOK_AGAIN_SECONDS_MIN))
    statements.run(
        "look_again",
        {
            "attempt_id": row["id"],
            "looker": looker.boot,
            "monotonic_ms": looker.monotonic_ms,
            "counted": int(counted),
            "seconds": wait,
        },
    )


def _send(row: dict[str, Any], carriers: Sequence[Carrier], policy: Policy) -> str:
    """One sending, by the first account that is available; where nothing was sent for sure, the next one is asked."""
    if row["stopped"] or row["sends"] >= limits.REPLY_SENDS_MAX:
        error = "stopped" if row["stopped"] else "sends"
        _move(row["id"], carriers[0].name, was=(row["state"],), state="undelivered", seconds=None, error=error)
        return "undelivered"
    first = choose(carriers)
    ways = (first, *(one for one in carriers if one is not first))
    was, told = row["state"], "over"
    for carrier in ways[: limits.REPLY_SENDS_MAX - row["sends"]]:
        told, is_elsewhere = _send_by(row, carrier, policy, was)
        if not is_elsewhere:
            break
        was = ReplyState.INTENDED if told == HELD else ReplyState.UNKNOWN
    return told


def _send_by(row: dict[str, Any], carrier: Carrier, policy: Policy, was: str) -> tuple[str, bool]:
    """Send by one account, which is stored first; what came of it, and whether another account may be asked."""
    reply_id = row["id"]
    wait = max(limits.LOOK_UPS_MIN, policy.lookup_horizon_seconds / limits.LOOK_UPS_MIN)
    if not _move(reply_id, carrier.name, was=(was,), state="handed_over", seconds=wait, sent=1):
        return "over", False
    try:
        sid = session.run(
            carrier.send_message(to=row["number"], body=row["body"], reply_id=reply_id),
            within_seconds=LOOK_SECONDS,
        )
    except (Rejected, RefusedUs) as error:
        if _is_of_us(error) and row["age_seconds"] < limits.REPLY_HELD_SECONDS_MAX:
            return _hold(row, carrier, error.reason)
        _move(reply_id, carrier.name, was=NOT_FINAL, state="undelivered", seconds=None, error=error.reason)
        return "undelivered", False
    except (CarrierError, TimeoutError) as error:
        reason = error.reason if isinstance(error, CarrierError) else "timeout"
        _move(reply_id, carrier.name, was=NOT_FINAL, state="unknown", seconds=wait, error=reason)
        return "unknown", isinstance(error, Unavailable)
    _move(reply_id, carrier.name, was=NOT_FINAL, state="unknown", seconds=limits.REPLY_LOOK_UP_SECONDS, sid=sid)
    return "sent", False


def _reply_not_asked(row: dict[str, Any], carrier: Carrier, *, unfound: bool) -> str:
    """The carrier could not be asked for it, or does not know it by its own id (`unfound`, which it was given, so that
    it is not sent again): again later, until a day has passed."""
    if row["age_seconds"] < limits.UNKNOWN_SECONDS_MAX:
        wait: float = limits.REPLY_LOOK_UP_SECONDS
        if unfound:
            wait = _half_of(row["age_seconds"], limits.REPLY_UNFOUND_AGAIN_SECONDS)
        _move(row["id"], carrier.name, was=NOT_FINAL, state="unknown", seconds=wait)
        return "failed"
    error = "sid_not_known" if unfound else "carrier_not_asked"
    _move(row["id"], carrier.name, was=NOT_FINAL, state="undelivered", seconds=None, error=error)
    return "undelivered"


def _is_of_us(error: Rejected | RefusedUs) -> bool:
    """Whether it is our set-up that was refused, which can be mended, and not this person or text."""
    return isinstance(error, RefusedUs) or error.ours


def _hold(row: dict[str, Any], carrier: Carrier, reason: str) -> tuple[str, bool]:
    """Nothing left: it is as if it had not been handed over, and waits for whoever mends our set-up."""
    wait = _half_of(row["age_seconds"], limits.REPLY_HELD_AGAIN_SECONDS)
    is_ours = _move(
        row["id"], carrier.name, was=("handed_over",), state="intended", seconds=wait, error=reason, sent=-1
    )
    return (HELD, True) if is_ours else ("over", False)


def _find_reply(row: dict[str, Any], carrier: Carrier) -> MessageRecord | None:
    if row["carrier_sid"] is not None:
        return session.run(carrier.fetch_message(row["carrier_sid"]), within_seconds=LOOK_SECONDS)
    since = row["created_at"] - CLOCK_SLACK
    records = session.run(
        carrier.messages(number=row["number"], inbound=False, since=since), within_seconds=LOOK_SECONDS
    )
    same = [record for record in records if record.body == row["body"]]
    free = _unbound(carrier.name, [record.sid for record in same])
    return next((record for record in same if record.sid in free), None)


def _settle_reply(row: dict[str, Any], record: MessageRecord, carrier: Carrier) -> str:
    if record.status in UNDELIVERED:
        _fold(row["id"], carrier.name, "undelivered", record.sid, record.error or record.status)
        return "undelivered"
    if record.status in DELIVERED or row["look_ups"] >= limits.LOOK_UPS_MAX:
        _fold(row["id"], carrier.name, "sent", record.sid, None)
        return "sent"
    wait = limits.REPLY_LOOK_UP_SECONDS
    _move(row["id"], carrier.name, was=NOT_FINAL, state="unknown", seconds=wait, sid=record.sid, looked_up=True)
    return "going_on"


def _attempt(attempt_id: UUID) -> dict[str, Any] | None:
    with transaction.atomic():
        return first(
            statements.run("load_attempt", {"attempt_id": attempt_id, "oldest": UUID(int=0), "freshness_seconds": None})
        )


def _unbound(carrier: str, sids: list[str]) -> set[str]:
    rows = statements.run("known_sids", {"carrier": carrier, "sids": sids}).fetchall()
    return set(sids) - {sid for sid, _ in rows}


def _move(
    reply_id: UUID,
    carrier: str,
    *,
    was: tuple[str, ...],
    state: str,
    seconds: float | None,
    sid: str | None = None,
    error: str | None = None,
    sent: int = 0,
    looked_up: bool = False,
) -> bool:
    cursor = statements.run(
        "move_reply",
        {
            "reply_id": reply_id,
            "carrier": carrier,
            "was": list(was),
            "state": state,
            "seconds": seconds,
            "carrier_sid": sid,
            "error": error,
            "sent": sent,
            "looked_up": int(looked_up),
        },
    )
    return cursor.fetchone() is not None
