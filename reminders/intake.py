"""Intake: a text becomes a reminder, a command carried out, or a refusal that its sender is told of.

Read (one round trip), decide (pure), write (one statement, by itself a transaction): message, request, reminder,
timer, charge, event and reply stand together or not at all. The guard is the person's version: whoever loses a race
reads again. A repeated delivery finds its `MessageKey` and changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import charges
from billing import queries as billing_queries
from billing.database import GuardFailed, Rows, Statements, expect, named, pipeline, prove, uuid7
from billing.pricing import TARIFF
from reminders import arrival, conversation, limits, replies, tracing
from reminders.answers import Said
from reminders.arrival import Arrival
from reminders.carriers.base import Inbound
from reminders.group_commit import Group, NoTurn, Turns
from reminders.person import Decision, Person

statements: Final = Statements("reminders")

# SQLSTATEs that one message can cause: bad data, a broken constraint, a deadlock, a lock or time that ran out.
SPOILT_BY_ONE: Final = ("22", "23", "40", "55P03", "57014")


class Conflict(Exception):
    """The carrier's message id came again with another sender or text: refused, nothing changed."""


class Contended(Exception):
    """Another message of the same number won the race limits.INTAKE_TRIES_MAX times; the carrier may try again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the webhook answers: a reply (with the id for its status callback), or nothing."""

    reply_id: UUID | None = None
    body: str | None = None
    outcome: str
    repeated: bool = False
    due_at: datetime | None = None
    reminder_id: UUID | None = None


def accept(
    *,
    message: Inbound,
    received_at: datetime,
    trace_context: str,
    snooze_seconds: float = limits.SNOOZE_SECONDS,
    answers: bool = True,
) -> Answer:
    """Accept one message durably and answer it. Messages of one number go one after the other, as they came.

    `answers` false: nobody waits for the answer any more (it comes out of the spool), so its timer sends the reply.
    Raises Conflict or Contended, and the database's errors; then nothing was changed.
    """
    arrived = arrival.read(
        message=message,
        received_at=received_at,
        trace_context=trace_context,
        snooze_seconds=snooze_seconds,
        answers=answers,
    )
    try:
        with _turns.take(key=message.sender, seconds_max=limits.INTAKE_TURN_SECONDS, queue_max=limits.INTAKE_TURNS_MAX):
            # Never inside somebody's transaction: its end would be the end of what others were answered.
            if arrived.plain and not connection.in_atomic_block:
                answer = _group.join(item=arrived)
                if answer is not None:
                    return answer
            return _accept_alone(arrived)
    except NoTurn as error:
        raise Contended from error


def turn_at_once(*, sender: str) -> AbstractContextManager[bool]:
    """The turn of this number's messages, where none of them has it or waits for it; never waits."""
    return _turns.at_once(key=sender)


def accept_alone(*, arrived: Arrival) -> Answer:
    """`accept`, for who has its number's turn already, of what went with no others."""
    return _accept_alone(arrived)


def refuse(*, message: Inbound, received_at: datetime) -> None:
    """Keep a message by its key alone: it is known for good, was not acted on, and costs nothing."""
    _keep_key(message, arrival.digest_of(message), received_at)


def accept_together(arrivals: Sequence[Arrival]) -> list[Answer | None]:
    """Accept plain messages of different persons: one read, one decision each, one write, which is the transaction.

    None for each that is to go alone, and nothing of it was changed: a repetition, no reminder after all, a race that
    was lost; all of them where one was more than Postgres could take.
    """
    with tracing.together("commit", members=[one.trace_context for one in arrivals]):
        return _accept_together(arrivals)


def _accept_together(arrivals: Sequence[Arrival]) -> list[Answer | None]:
    rows = _contexts(arrivals)
    answers: list[Answer | None] = [None] * len(arrivals)
    wanted: dict[int, tuple[Answer, dict[str, Any]]] = {}
    for place, (arrived, row) in enumerate(zip(arrivals, rows, strict=True)):
        if row["message_id"] is None:
            said, decision = _decide(arrived, row)
            if decision.reminds:
                wanted[place] = _reminder(arrived, said, decision)
    if not wanted:
        return answers
    try:
        written = _remind({place: row for place, (_, row) in wanted.items()})
    except DatabaseError as error:
        if not _is_of_one(error):
            raise
        tracing.failed(reason=type(error).__name__)
        return answers
    for place in written:
        answers[place], _ = wanted[place]
    return answers


def _accept_alone(arrived: Arrival) -> Answer:
    plain = arrived.plain
    for _ in range(limits.INTAKE_TRIES_MAX):
        (row,) = _contexts([arrived]) if plain else _conversation_context(arrived)
        if row["message_id"] is not None:
            return _repeated(row, arrived.digest, arrived.received_at)
        if arrived.sender.e164 is None:
            return _refuse_sender(arrived)
        said, decision = _decide(arrived, row)
        if plain and not decision.reminds:
            plain = False  # it was decided without having read enough of the person
            continue
        try:
            return _write(arrived, said, decision)
        except (GuardFailed, IntegrityError):
            continue  # somebody else was faster: read again
    raise Contended


def _decide(arrived: Arrival, row: dict[str, Any]) -> tuple[Said, Decision]:
    message, sender = arrived.message, arrived.sender
    person = arrival.person(row=row, sender=sender)
    request = conversation.heard(
        body=message.body, sender=sender, person=person, guess=arrived.guess, now=arrived.received_at
    )
    if request.kind == "balance":
        person = replace(person, balance_minor=billing_queries.balance(account_id=person.account_id))
    said = Said(
        body=message.body,
        opt_out=message.opt_out,
        sender=sender,
        person=person,
        message_id=uuid7(),
        snooze_seconds=arrived.snooze_seconds,
        now=arrived.received_at,
        answers=arrived.answers,
    )
    return said, conversation.decide(said=said, request=request)


def _contexts(arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
    """What is known about plain messages and their senders, in their order: one round trip."""
    asked = [
        {
            "place": place,
            "carrier": one.message.carrier,
            "carrier_sid": one.message.carrier_sid,
            "number": one.sender.e164,
        }
        for place, one in enumerate(arrivals)
    ]
    params = {"asked": json.dumps(asked), "open_limit": limits.OPEN_REMINDERS_MAX}
    return named(statements.run("intake_context", params))


def _conversation_context(arrived: Arrival) -> list[dict[str, Any]]:
    params = {
        "carrier": arrived.message.carrier,
        "carrier_sid": arrived.message.carrier_sid,
        "number": arrived.sender.e164,
        "open_limit": limits.OPEN_REMINDERS_MAX,
        "at": arrived.received_at,
    }
    return named(statements.run("conversation_context", params))


def _repeated(row: dict[str, Any], digest: bytes, now: datetime) -> Answer:
    prove()  # the row may stand on this node alone, its first answer an error
    if bytes(row["digest"]) != digest:
        raise Conflict
    if now - row["received_at"] < timedelta(seconds=limits.STORED_ANSWER_SECONDS):
        stored = statements.run("stored_reply", {"reply_id": row["reply_id"]}).fetchone()
        body = stored[0] if stored else None
        return Answer(reply_id=row["reply_id"], body=body, outcome="repeated", repeated=True)
    return Answer(outcome="repeated", repeated=True)


def _refuse_sender(arrived: Arrival) -> Answer:
    """A short code or a name: nobody who could be rung. Kept by its key alone, told politely, not charged."""
    _keep_key(arrived.message, arrived.digest, arrived.received_at)
    return Answer(body=replies.not_callable(language="en"), outcome="refused")


def _keep_key(message: Inbound, digest: bytes, received_at: datetime) -> None:
    with connection.wrap_database_errors:
        kept = statements.run(
            "intake_refused",
            {
                "message_id": uuid7(),
                "carrier": message.carrier,
                "carrier_sid": message.carrier_sid,
                "digest": digest,
                "received_at": received_at,
            },
        )
    if kept.rowcount == 0:
        prove()  # another delivery of it was faster


def _write(arrived: Arrival, said: Said, decision: Decision) -> Answer:
    if decision.reminds:
        answer, row = _reminder(arrived, said, decision)
        if not _remind({0: row}):
            raise GuardFailed
        return answer
    row = arrival.record(arrival=arrived, said=said, decision=decision)
    if said.person.version is not None and not decision.changes_rows:
        expect(statements.run("intake_record", row), 1)  # by itself a transaction
    else:
        with transaction.atomic():
            with pipeline():
                if said.person.version is None:
                    _open(said.person, said.now)
                guarded = [(statements.run("intake_record", row), 1), *_change(said, decision, arrived.trace_context)]
            for written, rows in guarded:
                expect(written, rows)
    return _answer(decision, row)


def _remind(rows: Mapping[int, dict[str, Any]]) -> list[int]:
    """Write reminders, each under its place; the places that were written. By itself a transaction."""
    for place, row in rows.items():
        row["place"] = place
    params = {
        "messages": json.dumps(list(rows.values())),
        "reply_seconds": limits.REPLY_LOOK_UP_SECONDS,
    }
    return [place for place, _ in statements.run("intake_remind", params).fetchall()]


def _is_of_one(error: DatabaseError) -> bool:
    """Whether one member may have spoiled the batch: the server lives, and refused what it was given."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return state.startswith(SPOILT_BY_ONE)


def _reminder(arrived: Arrival, said: Said, decision: Decision) -> tuple[Answer, dict[str, Any]]:
    """The answer to a message that makes a reminder, and what is to be written before."""
    reminder_id, reply_id = uuid7(), uuid7()
    row = arrival.reminder(arrival=arrived, said=said, decision=decision, reminder_id=reminder_id, reply_id=reply_id)
    answer = Answer(
        reply_id=reply_id,
        body=decision.reply,
        outcome=decision.outcome,
        due_at=decision.request.when,
        reminder_id=reminder_id,
    )
    return answer, row


def _answer(decision: Decision, row: dict[str, Any]) -> Answer:
    """The answer to any other message, which may be about the first reminder that it changed."""
    changed = decision.moves[0].reminder_id if decision.moves else None
    return Answer(
        reply_id=row["reply_id"],
        body=decision.reply,
        outcome=decision.outcome,
        due_at=min((move.due_at for move in decision.moves), default=None),
        reminder_id=decision.edit.reminder_id if decision.edit is not None else changed,
    )


def _open(person: Person, received_at: datetime) -> None:
    charges.open_account(account_id=person.account_id, bucket=person.bucket, currency=TARIFF.currency, at=received_at)
    statements.run(
        "subscriber_new",
        {
            "subscriber_id": person.id,
            "number": person.number,
            "bucket": person.bucket,
            "account_id": person.account_id,
            "zone": person.zone if person.zone_known else None,
            "language": person.language,
            "dayfirst": person.dayfirst,
            "received_at": received_at,
        },
    )


def _change(said: Said, decision: Decision, trace_context: str) -> list[tuple[Rows, int]]:
    """Run what changes reminders, by primary key; each statement with the rows that it must meet."""
    told = {"at": said.now, "trace_context": trace_context, "message_id": str(said.message_id)}
    if decision.stops:
        _stop(said, trace_context)
    guarded = [(_cancel(said, number, trace_context), 1) for number in sorted(decision.cancel)]
    for move in sorted(decision.moves, key=lambda move: move.reminder_id):
        params = told | {
            "reminder_id": move.reminder_id,
            "version": move.version,
            "was": move.was,
            "what": move.what,
            "due_at": move.due_at,
            "rule_at": move.rule_at,
            "occurrence_outcome": move.occurrence_outcome,
            "occurrence_id": uuid7(),
            "ring_timer_id": uuid7(),
            "event_id": uuid7(),
        }
        guarded.append((statements.run("move_reminder", params), 1))
    if (edit := decision.edit) is not None:
        params = told | {
            "reminder_id": edit.reminder_id,
            "version": edit.version,
            "subject": edit.subject,
            "event_id": uuid7(),
        }
        guarded.append((statements.run("edit_reminder", params), 1))
    return guarded


def _stop(said: Said, trace_context: str) -> None:
    started_at = said.person.started_at
    statements.run(
        "cancel_reminders",
        {
            "subscriber_id": said.person.id,
            "number": None,
            # A STOP that came after a newer START ends only what is older than itself.
            "made_before": said.now if started_at and started_at > said.now else None,
            "at": said.now,
            "cause": "stop",
            "trace_context": trace_context,
        },
    )


def _cancel(said: Said, number: int, trace_context: str) -> Rows:
    return statements.run(
        "cancel_reminders",
        {
            "subscriber_id": said.person.id,
            "number": number,
            "made_before": None,
            "at": said.now,
            "cause": "delete",
            "trace_context": trace_context,
        },
    )


_turns: Final = Turns()
_group: Final[Group[Arrival, Answer | None]] = Group(
    do=accept_together, batch_max=limits.INTAKE_BATCH_MAX, leaders_max=limits.INTAKE_LEADERS_MAX
)
