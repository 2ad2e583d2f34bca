"""History: everything that happened to one person, in order; and their rows as they were known at any past moment.

Reads only. A reminder's row is replayed from its events by version alone (promise P8). Evidence about a call is
folded into its attempt, so for a past moment it counts as known from the first event that proves it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction

from billing import deadline, replica
from billing import queries as billing_queries
from billing.database import Statements, pipeline
from billing.queries import ChargeLine
from reminders import limits, tracing

statements: Final = Statements("reminders")

TOLD: Final = ("messages", "replies", "events", "attempts")
# What happened at the same instant, in one transaction of ours, is told in this order.
RANKS: Final = {"message": 0, "attempt": 1, "call": 2, "reminder": 3, "hold": 4, "charge": 5, "reply": 6}
CALL_STEPS: Final = (
    "attempt.intended",
    "call.ringing",
    "call.answered",
    "call.words_asked",
    "call.key_pressed",
    "call.ended",
)
WHOLE_SECOND: Final = timedelta(seconds=1)

Origin = tuple[UUID | None, int | None, str]
"""Of a message or an attempt: its reminder (id, number) and its trace context."""
NO_ORIGIN: Final[Origin] = (None, None, "")


class HistoryBroken(Exception):
    """A reminder's events do not begin with version 1, or miss or repeat one: its row cannot be replayed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Whose history it is."""

    id: UUID
    account_id: UUID
    number: str
    zone: str
    stopped: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One thing that happened: when, what, to which reminder and attempt; `version` where the reminder's row moved."""

    at: datetime
    recorded_at: datetime | None
    what: str
    reminder: UUID | None
    version: int | None
    attempt: UUID | None
    detail: Mapping[str, Any]
    trace_context: str
    number: int | None = None  # the reminder's, as the person knows it

    @property
    def trace_id(self) -> str | None:
        return tracing.trace_id(self.trace_context)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A reminder as it was known: its row's state, version and due time."""

    reminder: UUID
    number: int
    subject: str
    zone: str
    state: str
    version: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A timer of the person that has not been done yet."""

    kind: str
    reminder: UUID | None
    due_at: datetime
    parked: bool
    wait_cause: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What `trace` shows. `complete` is false where older history was left out (limits.TRACE_ROWS_MAX)."""

    person: Person
    events: tuple[Happened, ...]
    reminders: tuple[Known, ...]
    waiting: tuple[Waiting, ...]
    complete: bool


@contextmanager
def lately(*, seconds: int) -> Iterator[None]:
    """A snapshot for people to read: on a replica that has caught up with the primary, where there is one."""
    with replica.reading() as alias, snapshot(seconds=seconds, using=alias):
        yield


@contextmanager
def snapshot(*, seconds: int, using: str = "default") -> Iterator[None]:
    """One consistent, read-only view of every table; a statement in it may take so many seconds."""
    with deadline.patiently(seconds=seconds + 1), transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                f" SET LOCAL statement_timeout = '{int(seconds)}s';"
                f" SET LOCAL idle_in_transaction_session_timeout = '{int(seconds)}s'"
            )
        yield


def person(*, number: str) -> Person | None:
    """The person with this number, or None where nobody has texted from it."""
    row = statements.run("trace_person", {"number": number}).fetchone()
    if row is None:
        return None
    id_, account_id, found, zone, _, _, stopped_at, started_at = row
    stopped = stopped_at is not None and (started_at is None or started_at <= stopped_at)
    return Person(id=id_, account_id=account_id, number=found, zone=zone or "UTC", stopped=stopped)


def trace(*, person: Person, at: datetime | None) -> History:
    """Everything that happened to a person; with `at`, what was known then."""
    params = {
        "subscriber_id": person.id,
        "rows_max": limits.TRACE_ROWS_MAX,
        "attempts_max": limits.TRACE_ATTEMPTS_MAX,
    }
    with pipeline():  # each alone would wait for its turn on a busy machine, a new connection twice
        asked = {name: statements.read(f"trace_{name}", params) for name in (*TOLD, "reminders", "timers")}
        money = billing_queries.lines(account_id=person.account_id)  # waits, for all of them
    rows = {name: each.fetchall() for name, each in asked.items()}
    numbers = {row[0]: row[1] for row in rows["reminders"]}
    found = [_happened(row, numbers) for name in TOLD for row in rows[name]]
    found += list(_money(money, found))
    events = [one for one in found if _is_known(one, at)]
    return History(
        person=person,
        events=tuple(in_order(events)),
        reminders=tuple(_known(rows["reminders"], events, at)),
        waiting=() if at else tuple(map(_waiting, rows["timers"])),
        complete=_is_complete(rows),
    )


def lines(
    *, charges: Sequence[ChargeLine], known: Mapping[UUID, Origin]
) -> list[tuple[ChargeLine, UUID | None, int | None, str]]:
    """Each line of a statement with the reminder that it is about (id, number) and its trace context.

    `known` are messages and attempts that need not be read.
    """
    subjects = {line.transaction_id: _subject(line) for line in charges}
    unknown = [one for one in subjects.values() if one is not None and one not in known]
    rows = statements.read("trace_origins", {"ids": unknown}).fetchall() if unknown else []
    origins = {**known, **{row[0]: row[1:] for row in rows}}
    told = []
    for line in charges:
        subject = subjects[line.transaction_id] or subjects.get(line.key)  # a refund's key is what it gives back
        reminder, number, trace_context = origins.get(subject, NO_ORIGIN) if subject else NO_ORIGIN
        told.append((line, reminder, number, trace_context))
    return told


def in_order(events: Sequence[Happened]) -> list[Happened]:
    """By time, but never against what must come first. Pure.

    The versions of a reminder go by version alone, whatever their clocks said; a call's evidence follows its intent
    and goes from ringing to the end, where the carrier's clock (whole seconds) says less than a second otherwise.
    """
    places = {**_by_version(events), **_by_call(events)}
    placed = [_at(one, places.get(id(one), one.at)) for one in events]
    return sorted(
        placed,
        key=lambda one: (
            one.at,
            RANKS.get(one.what.partition(".")[0], len(RANKS)),
            one.version or 0,
            CALL_STEPS.index(one.what) if one.what in CALL_STEPS else 0,
        ),
    )


def _at(one: Happened, at: datetime) -> Happened:
    """Moved to its place; what its own clock said stays in the detail."""
    return one if one.at == at else replace(one, at=at, detail={**one.detail, "said_at": one.at.isoformat()})


def _by_version(events: Iterable[Happened]) -> dict[int, datetime]:
    latest: dict[UUID, datetime] = {}
    places = {}
    moves = [one for one in events if one.version is not None and one.reminder is not None]
    for one in sorted(moves, key=lambda one: one.version or 0):
        assert one.reminder is not None
        places[id(one)] = latest[one.reminder] = max(one.at, latest.get(one.reminder, one.at))
    return places


def _by_call(events: Iterable[Happened]) -> dict[int, datetime]:
    latest: dict[UUID, datetime] = {}
    places = {}
    steps = [one for one in events if one.what in CALL_STEPS and one.attempt is not None]
    for one in sorted(steps, key=lambda one: CALL_STEPS.index(one.what)):
        assert one.attempt is not None
        before = latest.get(one.attempt, one.at)
        places[id(one)] = latest[one.attempt] = before if one.at < before < one.at + WHOLE_SECOND else one.at
    return places


def replay(moves: Iterable[Happened]) -> Mapping[str, Any]:
    """A reminder's row (state, sequence, due_at, generation, attempts, tries, ended_at) after these moves. Pure.

    Ordered by version only. Raises HistoryBroken.
    """
    ordered = sorted((one for one in moves if one.version is not None), key=lambda one: one.version or 0)
    if [one.version for one in ordered] != list(range(1, len(ordered) + 1)) or not ordered:
        raise HistoryBroken([one.version for one in ordered])
    return {**ordered[-1].detail, "version": ordered[-1].version}


def _is_known(one: Happened, at: datetime | None) -> bool:
    if at is None:
        return True
    return one.at <= at and one.recorded_at is not None and one.recorded_at <= at


def _known(reminders: Sequence[Any], events: Sequence[Happened], at: datetime | None) -> Iterable[Known]:
    moves: dict[UUID, list[Happened]] = {}
    for one in events:
        if one.reminder is not None and one.version is not None:
            moves.setdefault(one.reminder, []).append(one)
    for id_, number, subject, zone, state, version, due_at, _ in reversed(reminders):
        if at is None:
            row = {"state": state, "version": version, "due_at": due_at.timestamp()}
        elif id_ in moves:
            row = dict(replay(moves[id_]))
        else:
            continue  # not known yet
        yield Known(
            reminder=id_,
            number=number,
            subject=subject,
            zone=zone,
            state=row["state"],
            version=row["version"],
            due_at=datetime.fromtimestamp(float(row["due_at"]), tz=UTC),
        )


def _is_complete(rows: Mapping[str, Sequence[Sequence[Any]]]) -> bool:
    intended = sum(what == "attempt.intended" for _, _, what, *_ in rows["attempts"])
    others = (len(rows[name]) for name in TOLD if name != "attempts")
    return intended < limits.TRACE_ATTEMPTS_MAX and max(others) < limits.TRACE_ROWS_MAX


def _happened(row: Sequence[Any], numbers: Mapping[UUID, int]) -> Happened:
    at, recorded_at, what, reminder, version, attempt, detail, trace_context = row
    return Happened(
        at=at,
        recorded_at=recorded_at,
        what=what,
        reminder=reminder,
        version=version,
        attempt=attempt,
        detail={name: value for name, value in detail.items() if value is not None},
        trace_context=trace_context,
        number=numbers.get(reminder),
    )


def _money(charges: Sequence[ChargeLine], told: Iterable[Happened]) -> Iterable[Happened]:
    for line, reminder, number, trace_context in lines(charges=charges, known=_origins(told)):
        what = {"sms": "charge.sms", "call": "charge.call"}.get(line.kind, line.kind)
        yield Happened(
            at=line.at,
            recorded_at=_made_at(line.transaction_id),
            what=what,
            reminder=reminder,
            version=None,
            attempt=_uuid(line.evidence.get("attempt")),
            detail={"amount_minor": line.amount_minor, **line.evidence},
            trace_context=trace_context,
            number=number,
        )


def _origins(told: Iterable[Happened]) -> dict[UUID, Origin]:
    """What charges may be for: the messages and attempts that are told already."""
    found: dict[UUID, Origin] = {}
    for one in told:
        if one.what == "attempt.intended":
            subject = one.attempt
        elif one.what == "message.received":
            subject = _uuid(one.detail["message"])
        else:
            continue
        if subject is not None:
            found[subject] = one.reminder, one.number, one.trace_context
    return found


def _waiting(row: Sequence[Any]) -> Waiting:
    kind, _, due_at, _, _, parked, wait_cause, reminder = row
    return Waiting(kind=kind, reminder=reminder, due_at=due_at, parked=parked, wait_cause=wait_cause)


def _subject(line: ChargeLine) -> UUID | None:
    return _uuid(line.evidence.get("attempt") or line.evidence.get("id"))


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _made_at(id_: UUID) -> datetime:
    """The instant in a UUIDv7, which was made right before the write."""
    return datetime.fromtimestamp((id_.int >> 80) / 1000, tz=UTC)
