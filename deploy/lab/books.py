"""The three books of a trial: what people were promised, what the carrier did, what our rows and ledger say.

The carrier's book is read from its control interface, which knows no id of the service; ours is read as the
owner of the rows, with no code of the service in between. The naive tier has a book of its own, two tables.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from deploy.lab.experiment import NAIVE
from deploy.lab.load import Promise, note
from deploy.lab.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call, by the carrier's book. Unix times. `heard`: what its person heard, sentence by sentence."""

    sid: str
    to: str
    state: str
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    heard: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether the carrier is done with it."""
        return self.state in ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One reminder, by our book. `told_late`: it was decided, and said to the person, that the ring is late."""

    id: str
    number: str
    message_sid: str
    state: str
    told_late: bool = False
    trace_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One line of somebody's statement; `sid` is its evidence: the message's or the call's id at the carrier."""

    number: str
    kind: str
    amount_minor: int
    sid: str


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Our book. `messages`: the carrier's message id → what became of it. `attempts`: call id → reminder's id.

    `knows_attempts` is false for the naive tier, which does not keep them. `open`: what is still on its way.
    """

    messages: Mapping[str, str] = field(default_factory=dict)
    reminders: Sequence[Reminder] = ()
    attempts: Mapping[str, str] = field(default_factory=dict)
    charges: Sequence[Charge] = ()
    open: Mapping[str, int] = field(default_factory=dict)
    knows_attempts: bool = True


@dataclass(frozen=True, kw_only=True)
class Books:
    """All three. `sms_minor`, `call_minor`: the tariff; `freshness_seconds`: later than this is late, and free."""

    promises: Sequence[Promise]
    calls: Sequence[Call]
    ours: Ours
    sms_minor: int = 1
    call_minor: int = 10
    freshness_seconds: float = 60.0


MESSAGES: Final = """
SELECT k.carrier_sid, k.outcome FROM reminders_messagekey k JOIN reminders_message m ON m.id = k.id
  JOIN reminders_subscriber s ON s.id = m.subscriber_id WHERE s.number = ANY (%s)
"""
REMINDERS: Final = """
SELECT r.id::text, s.number, m.carrier_sid, r.state, coalesce(o.late, false), substr(r.trace_context, 4, 32)
  FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id
  LEFT JOIN reminders_messagekey m ON m.id = r.message_id
  LEFT JOIN LATERAL (SELECT bool_or(o.late) AS late FROM reminders_occurrence o WHERE o.reminder_id = r.id) AS o ON true
 WHERE s.number = ANY (%s)
"""
ATTEMPTS: Final = """
SELECT a.carrier_sid, a.reminder_id::text FROM reminders_attempt a
  JOIN reminders_subscriber s ON s.id = a.subscriber_id WHERE a.carrier_sid IS NOT NULL AND s.number = ANY (%s)
"""
CHARGES: Final = """
SELECT s.number, t.kind, -e.amount_minor, coalesce(t.evidence ->> 'carrier_sid', t.evidence ->> 'sid', '')
  FROM billing_entry e JOIN billing_ledgertransaction t ON t.id = e.transaction_id
  JOIN reminders_subscriber s ON s.account_id = e.account_id
 WHERE t.kind <> 'credit' AND s.number = ANY (%s)
"""
OPEN: Final = """
SELECT t.kind, count(*) FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id
 WHERE t.kind IN ('ring', 'look_up', 'hang_up') AND s.number = ANY (%(numbers)s)
   AND t.due_at < now() + interval '1 hour' GROUP BY 1
UNION ALL
SELECT 'open call', count(*) FROM reminders_opencall c JOIN reminders_subscriber s ON s.id = c.subscriber_id
 WHERE s.number = ANY (%(numbers)s) HAVING count(*) > 0
UNION ALL
SELECT 'hold', count(*) FROM billing_hold h JOIN reminders_subscriber s ON s.account_id = h.account_id
 WHERE h.state = 'reserved' AND s.number = ANY (%(numbers)s) HAVING count(*) > 0
"""
NAIVE_REMINDERS: Final = "SELECT id::text, number, message_sid, status FROM naive_reminder WHERE number = ANY (%s)"
NAIVE_CHARGES: Final = "SELECT number, kind, amount, sid FROM naive_charge WHERE number = ANY (%s)"


def gather(subject: Subject, promises: Sequence[Promise]) -> Books:
    """Read the books as they stand. OSError where one cannot be read."""
    learn(subject, promises)
    numbers = sorted({promise.number for promise in promises})
    wanted = set(numbers)
    ours = naive(subject, numbers) if subject.tier == NAIVE else kept(subject, numbers)
    return Books(
        promises=promises,
        calls=heard(subject, [call(one) for one in subject.calls() if one["to"] in wanted]),
        ours=ours,
        freshness_seconds=float(subject.settings.get("RINGBACK_FRESHNESS_SECONDS", "60")),
    )


def learn(subject: Subject, promises: Sequence[Promise]) -> None:
    """What was not known of a promise when the load ended: answers that came later, texts that were taken."""
    for promise in promises:
        if promise.answer == "unsent" and not promise.sid:
            found = [one for one in subject.phone(promise.number)["messages"] if one["direction"] == "in"]
            promise.sid = found[0]["sid"] if found else ""
        if promise.sid and promise.answer in ("unsent", "unknown"):
            with contextlib.suppress(OSError):  # a webhook of the load itself: the carrier knows nothing of it
                note(promise, subject.carrier(f"/sim/messages/{promise.sid}")["webhooks"])


def heard(subject: Subject, calls: Sequence[Call]) -> list[Call]:
    """The calls with what was heard in those that were answered: the phones know, the list of calls does not."""
    said: dict[str, tuple[str, ...]] = {}
    for number in sorted({one.to for one in calls if one.answered_at is not None}):
        said |= {one["sid"]: tuple(one["heard"]) for one in subject.phone(number)["calls"]}
    return [replace(one, heard=said.get(one.sid, ())) for one in calls]


def kept(subject: Subject, numbers: list[str]) -> Ours:
    """Ringback's rows and ledger."""
    return Ours(
        messages=dict(subject.rows(MESSAGES, [numbers])),
        reminders=[
            Reminder(id=id_, number=number, message_sid=sid or "", state=state, told_late=late, trace_id=trace or "")
            for id_, number, sid, state, late, trace in subject.rows(REMINDERS, [numbers])
        ],
        attempts=dict(subject.rows(ATTEMPTS, [numbers])),
        charges=[_charge(*row) for row in subject.rows(CHARGES, [numbers])],
        open=open_work(subject, numbers),
    )


def naive(subject: Subject, numbers: list[str]) -> Ours:
    """The naive tier's two tables."""
    rows = subject.rows(NAIVE_REMINDERS, [numbers])
    return Ours(
        messages={sid: "reminder" for _, _, sid, _ in rows},
        reminders=[Reminder(id=id_, number=number, message_sid=sid, state=state) for id_, number, sid, state in rows],
        charges=[_charge(*row) for row in subject.rows(NAIVE_CHARGES, [numbers])],
        knows_attempts=False,
    )


def open_work(subject: Subject, numbers: list[str]) -> dict[str, int]:
    """What is still on its way for these people, by kind."""
    return dict(subject.rows(OPEN, {"numbers": numbers}))


def by_number(things: Sequence[Any], name: str = "number") -> dict[str, list[Any]]:
    """The things of each number, in their order."""
    found: dict[str, list[Any]] = defaultdict(list)
    for one in things:
        found[getattr(one, name)].append(one)
    return found


def _charge(number: str, kind: str, amount_minor: int, sid: str) -> Charge:
    return Charge(number=number, kind=kind, amount_minor=int(amount_minor), sid=sid)


def call(found: Mapping[str, Any]) -> Call:
    return Call(
        sid=found["sid"],
        to=found["to"],
        state=found["state"],
        created_at=_unix(found["created_at"]) or 0.0,
        ringing_at=_unix(found["ringing_at"]),
        answered_at=_unix(found["answered_at"]),
    )


def _unix(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def sids(promises: Sequence[Promise], *, answer: str) -> Iterator[str]:
    """The message ids of the promises with this answer."""
    return (promise.sid for promise in promises if promise.answer == answer and promise.sid)
