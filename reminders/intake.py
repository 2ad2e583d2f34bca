"""Intake: a text becomes a reminder, a command carried out, or a refusal that its sender is told of.

Read (one round trip), decide (pure), write (one statement, by itself a transaction): message, request, reminder,
timer, charge, event and reply stand together or not at all. The guard is the person's version: whoever loses a race
reads again. A repeated delivery finds its `MessageKey` and changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from billing import charges
from billing import queries as billing_queries
from billing.database import GuardFailed, Rows, Statements, expect, named, pipeline, prove, uuid7
from billing.pricing import TARIFF
from billing.segments import segments
from reminders import conversation, grammar, limits, phone, replies
from reminders.answers import Said
from reminders.carriers.base import Inbound
from reminders.conversation import FALLBACK_ZONE
from reminders.person import Decision, Person, Standing

statements: Final = Statements("reminders")

# STOP, refused numbers and what comes while stopped cost nothing.
FREE: Final = frozenset({"stop", "stopped", "not_callable"})


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


def accept(
    *,
    message: Inbound,
    received_at: datetime,
    trace_context: str,
    snooze_seconds: float = limits.SNOOZE_SECONDS,
    answers: bool = True,
) -> Answer:
    """Accept one message durably and answer it.

    `answers` false: nobody waits for the answer any more (it comes out of the spool), so its timer sends the reply.
    Raises Conflict or Contended, and the database's errors; then nothing was changed.
    """
    sender = phone.parse(message.sender)
    digest = _digest(message)
    guess = grammar.understand(message.body, received_at, sender.zone or FALLBACK_ZONE, sender.dayfirst)
    plain = conversation.is_plain(body=message.body, guess=guess)
    for _ in range(limits.INTAKE_TRIES_MAX):
        row = _context(message, sender.e164, received_at, plain=plain)
        if row["message_id"] is not None:
            return _repeated(row, digest, received_at)
        if sender.e164 is None:
            return _refuse_sender(message, digest, received_at)
        person = _person(row, sender)
        request = conversation.heard(body=message.body, sender=sender, person=person, guess=guess, now=received_at)
        if request.kind == "balance":
            person = replace(person, balance_minor=billing_queries.balance(account_id=person.account_id))
        said = Said(
            body=message.body,
            opt_out=message.opt_out,
            sender=sender,
            person=person,
            message_id=uuid7(),
            snooze_seconds=snooze_seconds,
            now=received_at,
            answers=answers,
        )
        decision = conversation.decide(said=said, request=request)
        if plain and not decision.reminds:
            plain = False  # it was decided without having read enough of the person
            continue
        try:
            return _write(message, said, decision, digest, trace_context)
        except (GuardFailed, IntegrityError):
            continue  # somebody else was faster: read again
    raise Contended


def _context(message: Inbound, number: str | None, at: datetime, *, plain: bool) -> dict[str, Any]:
    params = {
        "carrier": message.carrier,
        "carrier_sid": message.carrier_sid,
        "number": number,
        "open_limit": limits.OPEN_REMINDERS_MAX,
    }
    cursor = (
        statements.run("intake_context", params)
        if plain
        else statements.run("conversation_context", params | {"at": at})
    )
    (row,) = named(cursor)
    return row


def _repeated(row: dict[str, Any], digest: bytes, now: datetime) -> Answer:
    prove()  # the row may stand on this node alone, its first answer an error
    if bytes(row["digest"]) != digest:
        raise Conflict
    if now - row["received_at"] < timedelta(seconds=limits.STORED_ANSWER_SECONDS):
        stored = statements.run("stored_reply", {"reply_id": row["reply_id"]}).fetchone()
        body = stored[0] if stored else None
        return Answer(reply_id=row["reply_id"], body=body, outcome="repeated", repeated=True)
    return Answer(outcome="repeated", repeated=True)


def _refuse_sender(message: Inbound, digest: bytes, received_at: datetime) -> Answer:
    """A short code or a name: nobody who could be rung. Kept by its key alone, told politely, not charged."""
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
    return Answer(body=replies.not_callable(language="en"), outcome="refused")


def _person(row: dict[str, Any], sender: phone.Phone) -> Person:
    assert sender.e164 is not None
    known = row["subscriber_id"] is not None
    listed = row.get("open_reminders")
    held = row.get("held_message")
    return Person(
        id=row["subscriber_id"] if known else uuid7(),
        account_id=row["account_id"] if known else uuid7(),
        number=sender.e164,
        bucket=row["bucket"] if known else phone.bucket(sender.e164),
        zone=row["zone"] or sender.zone or FALLBACK_ZONE,
        zone_known=bool(row["zone"] or sender.zone),
        language=row["language"] or "en",
        dayfirst=row["dayfirst"] if known else sender.dayfirst,
        version=row["version"],
        reminders_made=row["reminders_made"] or 0,
        stopped_at=row["stopped_at"],
        started_at=row["started_at"],
        reminders_open=len(listed) if listed is not None else row.get("reminders_open") or 0,
        open_reminders=tuple(_standing(one) for one in listed or ()),
        rang=_standing(row["rang"]) if row.get("rang") else None,
        changed=tuple(_standing(one) for one in row.get("changed") or ()),
        held=row.get("held"),
        held_body=held["body"] if held else None,
        held_at=datetime.fromisoformat(held["received_at"]) if held else None,
        last_change=row.get("last_change"),
    )


def _standing(one: Mapping[str, Any]) -> Standing:
    return Standing(
        id=UUID(one["id"]),
        number=one["number"],
        subject=one["subject"],
        zone=one["zone"],
        due_at=datetime.fromisoformat(one["due_at"]),
        state=one["state"],
        version=one["version"],
        rrule=one["rrule"],
        rule_at=datetime.fromisoformat(one["rule_at"]) if one["rule_at"] else None,
        created_at=datetime.fromisoformat(one["created_at"]),
    )


def _write(message: Inbound, said: Said, decision: Decision, digest: bytes, trace_context: str) -> Answer:
    row = _row(message, said, decision, digest, trace_context)
    name = "intake_remind" if decision.reminds else "intake_record"
    if said.person.version is not None and not decision.changes_rows:
        expect(statements.run(name, row), 1)  # by itself a transaction
    else:
        with transaction.atomic():
            with pipeline():
                if said.person.version is None:
                    _open(said.person, said.now)
                guarded = [(statements.run(name, row), 1), *_change(said, decision, trace_context)]
            for written, rows in guarded:
                expect(written, rows)
    due_at = _soonest(decision)
    return Answer(reply_id=row["reply_id"], body=decision.reply, outcome=decision.outcome, due_at=due_at)


def _soonest(decision: Decision) -> datetime | None:
    """When the first of the new timers is due."""
    if decision.reminds:
        return decision.request.when
    return min((move.due_at for move in decision.moves), default=None)


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


def _row(message: Inbound, said: Said, decision: Decision, digest: bytes, trace_context: str) -> dict[str, Any]:
    reply_id = uuid7() if decision.reply is not None else None
    counted = segments(message.body).segments
    row: dict[str, Any] = {
        "subscriber_id": said.person.id,
        "version": said.person.version or 0,
        "message_id": said.message_id,
        "carrier": message.carrier,
        "carrier_sid": message.carrier_sid,
        "digest": digest,
        "body": message.body,
        "segments": counted,
        "received_at": said.now,
        "trace_context": trace_context,
        "reply_id": reply_id,
        "reply_body": decision.reply,
        "reply_segments": segments(decision.reply).segments if decision.reply is not None else None,
        "reply_timer_id": uuid7(),
        "reply_state": "handed_over" if said.answers else "intended",
        "reply_handed_over_at": said.now if said.answers else None,
        "reply_due_at": said.now + timedelta(seconds=limits.REPLY_LOOK_UP_SECONDS if said.answers else 0),
        "event_id": uuid7(),
        "language": decision.request.language,
        "zone": decision.zone,
    }
    charge = charges.message_charge(message_id=said.message_id, carrier_sid=message.carrier_sid, segments=counted)
    row |= charge if decision.kind not in FREE else dict.fromkeys(charge)
    if decision.reminds:
        return row | _reminder_row(decision, said.person)
    return row | _record_row(message, said, decision)


def _record_row(message: Inbound, said: Said, decision: Decision) -> dict[str, Any]:
    detail = {"outcome": decision.outcome, "message": str(said.message_id), "opt_out": message.opt_out}
    return {
        "outcome": decision.outcome,
        "kind": decision.kind,
        "stopped_at": said.now if decision.stops else None,
        "started_at": said.now if decision.starts else None,
        "event_detail": json.dumps(detail),
        "held": json.dumps(dict(decision.held)) if decision.held is not None else None,
        "last_change": json.dumps(dict(decision.last_change)) if decision.last_change is not None else None,
        "consent": decision.consent,
        "consent_event_id": uuid7(),
    }


def _reminder_row(decision: Decision, person: Person) -> dict[str, Any]:
    request = decision.request
    assert request.when is not None
    number = person.reminders_made + 1
    facts = {
        "state": "scheduled",
        "sequence": 1,
        "due_at": request.when.timestamp(),
        "generation": 1,
        "attempts": 0,
        "tries": 0,
        "ended_at": None,
        "number": number,
        "subject": request.subject,
        "zone": decision.reminder_zone,
        "rrule": request.rrule,
    }
    return {
        "reminder_id": uuid7(),
        "occurrence_id": uuid7(),
        "ring_timer_id": uuid7(),
        "reminder_number": number,
        "subject": request.subject[: limits.SUBJECT_CHARACTERS_MAX],
        "reminder_zone": decision.reminder_zone,
        "language": request.language,
        "rrule": request.rrule,
        "rule_at": request.when if request.rrule else None,
        "due_at": request.when,
        "event_detail": json.dumps(facts),
    }


def _digest(message: Inbound) -> bytes:
    text = f"{message.sender}\0{message.body}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
