"""Messages.json: create, fetch, list, update. Parameters and errors as Twilio has them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from deploy.local.carrier.engine import Engine
from deploy.local.carrier.listing import day_filters, page
from deploy.local.carrier.messages import OPTED_OUT
from deploy.local.carrier.records import Message
from deploy.local.carrier.refusals import RefusedError
from deploy.local.carrier.render import message_resource

BODY_MAX = 1_600
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

Form = list[tuple[str, str]]


def create(engine: Engine, account: str, form: Form) -> dict[str, Any]:
    """Send a text; raises RefusedError."""
    fields = dict(form)
    to = _checked(engine, account, fields)
    message = engine.desk.send(
        account=account,
        to=to,
        body=fields["Body"],
        callbacks=tuple(filter(None, (fields.get("StatusCallback", "").strip(),))),
        direction="outbound-api",
    )
    return message_resource(message, engine.books.behaviour)


def fetch(engine: Engine, account: str, sid: str) -> dict[str, Any]:
    """One message; raises RefusedError."""
    return message_resource(_found(engine, account, sid), engine.books.behaviour)


def update(engine: Engine, account: str, sid: str, form: Form) -> dict[str, Any]:
    """Redact a message's body (an empty Body), as Twilio allows; raises RefusedError."""
    message, fields = _found(engine, account, sid), dict(form)
    if fields.get("Status") == "canceled":
        raise RefusedError(400, 30409, "Message is not in a cancelable state")
    if fields.get("Body") != "":
        raise RefusedError(400, 20001, "Only an empty Body may be given, which redacts the message")
    engine.books.change(message, body="")
    return message_resource(message, engine.books.behaviour)


def listed(engine: Engine, account: str, query: str) -> dict[str, Any]:
    """Messages in both directions, newest first, a page at a time; raises RefusedError."""
    asked = parse_qsl(query, keep_blank_values=True)
    fields = {name: value for name, value in asked if value}
    sent = day_filters(asked, "DateSent")
    behaviour, newest = engine.books.behaviour, time.time() - engine.books.behaviour.faults.list_lag_seconds
    rows = (
        message
        for message in _candidates(engine, fields)
        if message.account == account
        and message.created_at <= newest
        and fields.get("To", message.to) == message.to
        and fields.get("From", message.sender) == message.sender
        and all(one.holds(message.sent_at) for one in sent)
    )
    return page(
        rows=rows,
        asked=asked,
        kind="messages",
        base=f"/2010-04-01/Accounts/{account}/Messages.json",
        shown=lambda message: message_resource(message, behaviour),
    )


def _candidates(engine: Engine, fields: dict[str, str]) -> Iterable[Message]:
    for name in ("To", "From"):
        phone = engine.books.phones.get(fields.get(name, ""))
        if phone is not None:
            return reversed(phone.messages.values())
    return reversed(engine.books.messages.values())


def _found(engine: Engine, account: str, sid: str) -> Message:
    message = engine.books.messages.get(sid)
    if message is None or message.account != account:
        raise RefusedError.missing(f"/2010-04-01/Accounts/{account}/Messages/{sid}.json")
    return message


def _checked(engine: Engine, account: str, fields: dict[str, str]) -> str:
    """The number to send to, everything else being in order."""
    to, sender, body = (fields.get(name, "").strip() for name in ("To", "From", "Body"))
    if not to:
        raise RefusedError(400, 21604, "A 'To' phone number is required.")
    if not sender:
        raise RefusedError(400, 21603, "A 'From' phone number is required.")
    if not body:
        raise RefusedError(400, 21602, "Message body is required.")
    if len(fields["Body"]) > BODY_MAX:
        raise RefusedError(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if not E164.fullmatch(to):
        raise RefusedError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    if sender != engine.number_of(account):
        raise RefusedError(400, 21606, f"The 'From' phone number {sender} is not a valid, SMS-capable number.")
    callback = fields.get("StatusCallback", "").strip()
    if callback and not callback.startswith(("http://", "https://")):
        raise RefusedError(400, 21609, f"The StatusCallback URL {callback} is not a valid URL.")
    if engine.desk.blocked(account=account, number=to):
        raise RefusedError(400, OPTED_OUT, "Attempt to send to unsubscribed recipient")
    return to
