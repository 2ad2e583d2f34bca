"""/sim/…: what tests, classes and the page do to phones and to the carrier's behaviour."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from deploy.local.carrier.behaviour import KEYS, BehaviourError
from deploy.local.carrier.calls import CallRefusedError, new_sid
from deploy.local.carrier.engine import Engine
from deploy.local.carrier.records import Call
from deploy.local.carrier.render import call_truth, on_phone, phone_call, phone_message

NUMBER_MAX, BODY_MAX, DIGITS_MAX = 64, 100_000, 32

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WrongInputError(Exception):
    """The request cannot be carried out; the text says what is wrong with it."""


def routes(engine: Engine) -> list[web.RouteDef]:
    """The control interface's routes."""
    control = Control(engine)
    return [
        web.post("/sim/sms", guarded(control.text)),
        web.get("/sim/messages/{sid}", guarded(control.message)),
        web.get("/sim/phones/{number}", guarded(control.phone)),
        web.get("/sim/calls", guarded(control.calls)),
        web.post("/sim/calls", guarded(control.call)),
        web.post("/sim/calls/{sid}/answer", guarded(control.answer)),
        web.post("/sim/calls/{sid}/decline", guarded(control.decline)),
        web.post("/sim/calls/{sid}/hangup", guarded(control.decline)),
        web.post("/sim/calls/{sid}/press", guarded(control.press)),
        web.get("/sim/behaviour", guarded(control.behaviour)),
        web.post("/sim/behaviour", guarded(control.behave)),
    ]


def guarded(handler: Handler) -> Handler:
    """Only this machine's own pages and programs: a foreign Host or Origin is refused.

    The Host header defeats DNS rebinding, the Origin header another page's form.
    """

    async def guard(request: web.Request) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] or request.host
        if host not in ("127.0.0.1", "localhost") and request.host not in ("127.0.0.1", "localhost"):
            return problem(403, "only 127.0.0.1 and localhost are served here")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return problem(403, "another page may not drive the phones")
        try:
            return await handler(request)
        except (WrongInputError, BehaviourError) as wrong:
            return problem(400, str(wrong))
        except CallRefusedError as refused:
            return problem(409, str(refused))

    return guard


def problem(status: int, text: str) -> web.Response:
    """An error that a person understands."""
    return web.json_response({"error": text}, status=status)


class Control:
    """One method for each request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def text(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/sms: a phone sends a text; the webhook follows by itself."""
        wanted = await _object(request)
        account = self._account(wanted)
        sender, body = _text(wanted, "from", NUMBER_MAX), _text(wanted, "body", BODY_MAX, blank=True)
        message = self._engine.desk.receive(account=account, sender=sender, body=body)
        return web.json_response({"sid": message.sid})

    async def message(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/messages/{sid}: what the webhook brought."""
        message = self._engine.books.messages.get(request.match_info["sid"])
        if message is None:
            return problem(404, "there is no such message")
        return web.json_response({"webhooks": message.webhooks})

    async def phone(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/phones/{number}: its messages and calls, oldest first."""
        return web.json_response(shown_phone(self._engine, request.match_info["number"]))

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/calls?to=: the carrier's own truth about calls, oldest first."""
        to = request.query.get("to")
        books = self._engine.books
        if to is None:
            calls = list(books.calls.values())
        else:
            phone = books.phones.get(to)
            calls = [call for call in phone.calls.values() if call.to == to] if phone else []
        return web.json_response([call_truth(call) for call in calls])

    async def call(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/calls: a phone calls the service number."""
        wanted = await _object(request)
        account = self._account(wanted)
        behaviour, settings = self._engine.books.behaviour, self._engine.settings
        call = Call(
            sid=new_sid("CA"),
            account=account,
            to=self._engine.number_of(account),
            sender=_text(wanted, "from", NUMBER_MAX),
            created_at=time.time(),
            direction="inbound",
            url=behaviour.voice_url or settings.voice_url,
            fallback_url=behaviour.voice_fallback_url,
        )
        self._engine.lines.receive(call)
        return web.json_response({"sid": call.sid})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/calls/{sid}/answer."""
        call = self._call(request)
        self._engine.lines.answer(call)
        return web.json_response(phone_call(call))

    async def decline(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/calls/{sid}/decline: refuse a ringing call, or hang up."""
        call = self._call(request)
        self._engine.lines.decline(call)
        return web.json_response(phone_call(call))

    async def press(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/calls/{sid}/press {"digits"}."""
        call = self._call(request)
        digits = _text(await _object(request), "digits", DIGITS_MAX)
        if not set(digits) <= KEYS:
            raise WrongInputError("digits must be of the keys 0-9, * and #")
        self._engine.lines.press(call, digits)
        return web.json_response(phone_call(call))

    async def behaviour(self, _: web.Request) -> web.StreamResponse:
        """GET /sim/behaviour."""
        return web.json_response(self._engine.books.behaviour.shown())

    async def behave(self, request: web.Request) -> web.StreamResponse:
        """POST /sim/behaviour: change the keys that are given."""
        self._engine.books.behave(await _object(request))
        self._engine.lines.pace_changed()
        return web.json_response(self._engine.books.behaviour.shown())

    def _call(self, request: web.Request) -> Call:
        call = self._engine.books.calls.get(request.match_info["sid"])
        if call is None:
            raise web.HTTPNotFound(text='{"error": "there is no such call"}', content_type="application/json")
        return call

    def _account(self, wanted: Mapping[str, Any]) -> str:
        """The account whose number is called or texted: `to`, or the first."""
        to = wanted.get("to")
        for account in self._engine.settings.accounts:
            if to is None or account.number == to:
                return account.sid
        raise WrongInputError("to must be a service number of this carrier")


def shown_phone(engine: Engine, number: str) -> dict[str, Any]:
    """Everything that a phone shows."""
    phone = engine.books.phones.get(number)
    messages = phone.messages.values() if phone else ()
    return {
        "number": number,
        "messages": [phone_message(message) for message in messages if on_phone(message)],
        "calls": [phone_call(call) for call in phone.calls.values()] if phone else [],
    }


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        wanted = json.loads(await request.read() or b"{}")
    except ValueError as wrong:
        raise WrongInputError(f"the body must be JSON: {wrong}") from wrong
    if not isinstance(wanted, dict):
        raise WrongInputError("the body must be a JSON object")
    return wanted


def _text(wanted: Mapping[str, Any], name: str, most: int, *, blank: bool = False) -> str:
    value = wanted.get(name)
    if not isinstance(value, str) or not (blank or value) or len(value) > most:
        raise WrongInputError(f"{name} must be a text of {0 if blank else 1} to {most} characters")
    return value
