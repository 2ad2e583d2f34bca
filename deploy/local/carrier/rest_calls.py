"""Calls.json: create, fetch, list, update. Parameters and errors as Twilio has them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from deploy.local.carrier.callbacks import API_VERSION
from deploy.local.carrier.calls import CallRefusedError, new_sid
from deploy.local.carrier.engine import Engine
from deploy.local.carrier.listing import Filter, day_filters, page
from deploy.local.carrier.records import Call
from deploy.local.carrier.refusals import RefusedError
from deploy.local.carrier.render import call_events, call_resource

EVENTS = ("initiated", "ringing", "answered", "completed")
STATUSES = ("queued", "ringing", "in-progress", "canceled", "completed", "failed", "busy", "no-answer")
TWIML_MAX = 4_000
EVENTS_PAGE = 1_000
TIMEOUT_MAX, TIME_LIMIT_MAX = 600, 14_400
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

Form = list[tuple[str, str]]


def create(engine: Engine, account: str, form: Form) -> dict[str, Any]:
    """Queue a call; raises RefusedError."""
    fields = dict(form)
    call = Call(
        sid=new_sid("CA"),
        account=account,
        to=_to(fields),
        sender=_sender(engine, account, fields),
        created_at=time.time(),
        method=_method(fields, "Method"),
        fallback_url=_url(fields, "FallbackUrl", 21205),
        fallback_method=_method(fields, "FallbackMethod"),
        callback=_url(fields, "StatusCallback", 21609),
        callback_method=_method(fields, "StatusCallbackMethod"),
        callback_events=_events(form),
        timeout=_seconds(fields, "Timeout", 60, TIMEOUT_MAX),
        time_limit=_seconds(fields, "TimeLimit", TIME_LIMIT_MAX, TIME_LIMIT_MAX),
        machine_detection=fields.get("MachineDetection", ""),
    )
    call.url, call.twiml = _instructions(fields)
    engine.lines.place(call)
    return call_resource(call, engine.books.behaviour)


def fetch(engine: Engine, account: str, sid: str) -> dict[str, Any]:
    """One call; raises RefusedError."""
    return call_resource(_found(engine, account, sid), engine.books.behaviour)


def update(engine: Engine, account: str, sid: str, form: Form) -> dict[str, Any]:
    """Cancel, complete or redirect a call; raises RefusedError."""
    call, fields = _found(engine, account, sid), dict(form)
    status = fields.get("Status")
    if status not in (None, "canceled", "completed"):
        raise RefusedError(400, 20001, "Status must be canceled or completed")
    if call.ended:
        raise RefusedError(400, 21220, "Call is not in-progress. Cannot redirect.")
    if status is not None:
        _stop(engine, call, status)
    elif fields.get("Url") or fields.get("Twiml"):
        url, twiml = _instructions(fields)
        try:
            engine.lines.redirect(call, url=url, method=_method(fields, "Method"), twiml=twiml)
        except CallRefusedError as refused:
            raise RefusedError(400, 21220, "Call is not in-progress. Cannot redirect.") from refused
    return call_resource(call, engine.books.behaviour)


def listed(engine: Engine, account: str, query: str) -> dict[str, Any]:
    """Calls, newest first, a page at a time; raises RefusedError."""
    asked = parse_qsl(query, keep_blank_values=True)
    fields = {name: value for name, value in asked if value}
    if fields.get("Status") and fields["Status"] not in STATUSES:
        raise RefusedError(400, 20001, f"Status {fields['Status']!r} is not a status of a call")
    started = day_filters(asked, "StartTime") + day_filters(asked, "EndTime")
    behaviour, newest = engine.books.behaviour, time.time() - engine.books.behaviour.faults.list_lag_seconds
    rows = (
        call
        for call in _candidates(engine, fields.get("To"))
        if call.account == account and call.created_at <= newest and _matches(call, fields, started)
    )
    return page(
        rows=rows,
        asked=asked,
        kind="calls",
        base=f"/2010-04-01/Accounts/{account}/Calls.json",
        shown=lambda call: call_resource(call, behaviour),
    )


def events(engine: Engine, account: str, sid: str) -> dict[str, Any]:
    """Every request that this call has caused to the service, in one page; raises RefusedError.

    Twilio shows them a quarter of an hour after the call has ended; here they are there at once.
    """
    call = _found(engine, account, sid)
    uri = f"/{API_VERSION}/Accounts/{account}/Calls/{sid}/Events.json?PageSize={EVENTS_PAGE}&Page=0"
    shown = call_events(call)[:EVENTS_PAGE]
    return {
        "events": shown,
        "start": 0,
        "end": max(0, len(shown) - 1),
        "page": 0,
        "page_size": EVENTS_PAGE,
        "uri": uri,
        "first_page_uri": uri,
        "next_page_uri": None,
        "previous_page_uri": None,
    }


def _candidates(engine: Engine, to: str | None) -> Iterable[Call]:
    phone = engine.books.phones.get(to or "")
    if phone is not None:
        return reversed(phone.calls.values())
    return reversed(engine.books.calls.values())


def _matches(call: Call, fields: dict[str, str], started: list[Filter]) -> bool:
    if fields.get("To", call.to) != call.to or fields.get("From", call.sender) != call.sender:
        return False
    if fields.get("Status", call.status) != call.status:
        return False
    return all(one.holds(call.dialled_at if one.name == "StartTime" else call.ended_at) for one in started)


def _stop(engine: Engine, call: Call, status: str) -> None:
    if call.status == "in-progress":
        # "canceled" does not touch a call that has been answered.
        if status == "completed":
            engine.lines.end(call, "completed")
        return
    engine.lines.end(call, "canceled")


def _found(engine: Engine, account: str, sid: str) -> Call:
    call = engine.books.calls.get(sid)
    if call is None or call.account != account:
        raise RefusedError.missing(f"/2010-04-01/Accounts/{account}/Calls/{sid}.json")
    return call


def _to(fields: dict[str, str]) -> str:
    to = fields.get("To", "").strip()
    if not to:
        raise RefusedError(400, 21201, "No 'To' number is specified")
    if not E164.fullmatch(to):
        raise RefusedError(400, 21211, f"The phone number you are attempting to call, {to}, is not valid.")
    return to


def _sender(engine: Engine, account: str, fields: dict[str, str]) -> str:
    sender = fields.get("From", "").strip()
    if not sender:
        raise RefusedError(400, 21213, "No 'From' number is specified")
    own = engine.number_of(account)
    if sender != own:
        raise RefusedError(400, 21210, f"The source phone number provided, {sender}, is not yet verified.")
    # One string for every call of the account, not one for each.
    return own


def _instructions(fields: dict[str, str]) -> tuple[str, str]:
    """Url or Twiml; Twiml is left aside where both are given, as Twilio does."""
    url, twiml = _url(fields, "Url", 21205), fields.get("Twiml", "")
    if not url and not twiml:
        raise RefusedError(400, 21205, "Url parameter is required.")
    if len(twiml) > TWIML_MAX:
        raise RefusedError(400, 21205, f"Twiml may have {TWIML_MAX} characters.")
    return url, "" if url else twiml


def _url(fields: dict[str, str], name: str, code: int) -> str:
    url = fields.get(name, "").strip()
    if url and not url.startswith(("http://", "https://")):
        raise RefusedError(400, code, f"{name} is not a valid URL: {url}")
    return url


def _method(fields: dict[str, str], name: str) -> str:
    method = fields.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise RefusedError(400, 20001, f"{name} must be GET or POST")
    return method


def _events(form: Form) -> tuple[str, ...]:
    given = tuple(word for name, value in form if name == "StatusCallbackEvent" for word in value.split())
    if unknown := [word for word in given if word not in EVENTS]:
        raise RefusedError(400, 21626, f"Invalid status callback event: {', '.join(unknown)}")
    return given or ("completed",)


def _seconds(fields: dict[str, str], name: str, default: int, most: int) -> int:
    text = fields.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise RefusedError(400, 20001, f"{name} must be a number of seconds from 1 to {most}")
    return int(text)
