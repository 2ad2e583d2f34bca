"""A message on its way in, the person who sent it, and the rows that it leaves behind. Nothing is read or written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from billing import charges
from billing.database import uuid7, uuid7_texts
from billing.segments import segments
from reminders import conversation, grammar, limits, phone
from reminders.answers import Said
from reminders.carriers.base import Inbound
from reminders.conversation import FALLBACK_ZONE
from reminders.person import Decision, Person, Standing

# STOP, refused numbers and what comes while stopped cost nothing.
FREE: Final = frozenset({"stop", "stopped", "not_callable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A message on its way in. `guess`: its text as understood from the number alone; `plain`: a reminder, no more."""

    message: Inbound
    sender: phone.Phone
    digest: bytes
    guess: grammar.Request
    plain: bool
    received_at: datetime
    trace_context: str
    snooze_seconds: float
    answers: bool


def read(
    *, message: Inbound, received_at: datetime, trace_context: str, snooze_seconds: float, answers: bool
) -> Arrival:
    """Understand a message as far as its text and its number go."""
    sender = phone.parse(message.sender)
    guess = grammar.understand(message.body, received_at, sender.zone or FALLBACK_ZONE, sender.dayfirst)
    return Arrival(
        message=message,
        sender=sender,
        digest=digest_of(message),
        guess=guess,
        plain=sender.e164 is not None and conversation.is_plain(body=message.body, guess=guess),
        received_at=received_at,
        trace_context=trace_context,
        snooze_seconds=snooze_seconds,
        answers=answers,
    )


def person(*, row: Mapping[str, Any], sender: phone.Phone) -> Person:
    """The sender, from a row of intake_context.sql or conversation_context.sql."""
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
        language_chosen=bool(row["language_chosen"]),
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


def record(*, arrival: Arrival, said: Said, decision: Decision) -> dict[str, Any]:
    """What intake_record.sql writes, by name."""
    message = arrival.message
    row = _common(arrival, said, decision, uuid7())
    charge = {name: row[name] for name in ("charge_id", "charge_minor", "charge_currency", "charge_evidence")}
    if decision.kind in FREE:
        charge = dict.fromkeys(charge)
    else:
        charge["charge_evidence"] = json.dumps(row["charge_evidence"])
    detail = {"outcome": decision.outcome, "message": str(said.message_id), "opt_out": message.opt_out}
    return (
        row
        | charge
        | {
            "subscriber_id": said.person.id,
            "message_id": said.message_id,
            "digest": arrival.digest,
            "received_at": said.now,
            "reply_id": uuid7() if decision.reply is not None else None,
            "reply_timer_id": uuid7(),
            "event_id": uuid7(),
            "zone": decision.zone,
            "reply_state": "handed_over" if said.answers else "intended",
            "reply_handed_over_at": said.now if said.answers else None,
            "reply_due_at": said.now + timedelta(seconds=limits.REPLY_LOOK_UP_SECONDS if said.answers else 0),
            "version": said.person.version or 0,
            "outcome": decision.outcome,
            "kind": decision.kind,
            "stopped_at": said.now if decision.stops else None,
            "started_at": said.now if decision.starts else None,
            "event_detail": json.dumps(detail),
            "held": json.dumps(dict(decision.held)) if decision.held is not None else None,
            "last_change": json.dumps(dict(decision.last_change)) if decision.last_change is not None else None,
            "language_chosen": decision.language_chosen,
            "consent": decision.consent,
            "consent_event_id": uuid7(),
        }
    )


def reminder(*, arrival: Arrival, said: Said, decision: Decision, reminder_id: UUID, reply_id: UUID) -> dict[str, Any]:
    """What intake_remind.sql writes, by name, as JSON has it; what is not there is null."""
    request, person = decision.request, said.person
    assert request.when is not None
    occurrence_id, ring_timer_id, reply_timer_id, event_id, charge_id = uuid7_texts(count=5)
    row = _common(arrival, said, decision, charge_id)
    row |= {
        "subscriber_id": person.id.hex,
        "account_id": person.account_id.hex,
        "bucket": person.bucket,
        "message_id": said.message_id.hex,
        "digest": f"\\x{arrival.digest.hex()}",
        "received_at": said.now.isoformat(),
        "answers": said.answers,
        "reminder_id": reminder_id.hex,
        "occurrence_id": occurrence_id,
        "ring_timer_id": ring_timer_id,
        "reminder_number": person.reminders_made + 1,
        "subject": request.subject[: limits.SUBJECT_CHARACTERS_MAX],
        "reminder_zone": decision.reminder_zone,
        "due_at": request.when.isoformat(),
        "event_id": event_id,
        "reply_id": reply_id.hex,
        "reply_timer_id": reply_timer_id,
    }
    if decision.zone is not None:
        row["zone"] = decision.zone
    if request.rrule:
        row |= {"rrule": request.rrule, "rule_at": row["due_at"]}
    if person.version is not None:
        row["version"] = person.version
    else:
        row |= {"new_number": person.number, "dayfirst": person.dayfirst}
        if person.zone_known:
            row["new_zone"] = person.zone
    return row


def _common(arrival: Arrival, said: Said, decision: Decision, charge_id: UUID | str) -> dict[str, Any]:
    """What every message leaves behind, but for ids and times."""
    message, reply = arrival.message, decision.reply
    counted = segments(message.body).segments
    row: dict[str, Any] = {
        "carrier": message.carrier,
        "carrier_sid": message.carrier_sid,
        "body": message.body,
        "segments": counted,
        "trace_context": arrival.trace_context,
        "reply_body": reply,
        "reply_segments": segments(reply).segments if reply is not None else None,
        "language": decision.request.language,
    }
    row |= charges.message_charge(
        charge_id=charge_id, message_id=said.message_id, carrier_sid=message.carrier_sid, segments=counted
    )
    return row


def digest_of(message: Inbound) -> bytes:
    """What tells one content of a message from another."""
    text = f"{message.sender}\0{message.body}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
