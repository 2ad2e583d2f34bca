"""Twilio's REST interface: who asks, what is asked of which resource, and its errors."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web

from deploy.local.carrier import rest_calls, rest_messages
from deploy.local.carrier.engine import Engine
from deploy.local.carrier.refusals import RefusedError

FORM_BYTES_MAX, FIELDS_MAX = 128 * 1024, 200
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

Form = list[tuple[str, str]]
Shown = dict[str, Any]


class Resource(NamedTuple):
    """What can be done to one kind of resource."""

    create: Callable[[Engine, str, Form], Shown]
    fetch: Callable[[Engine, str, str], Shown]
    listed: Callable[[Engine, str, str], Shown]
    update: Callable[[Engine, str, str, Form], Shown]


RESOURCES = {
    "Calls": Resource(rest_calls.create, rest_calls.fetch, rest_calls.listed, rest_calls.update),
    "Messages": Resource(rest_messages.create, rest_messages.fetch, rest_messages.listed, rest_messages.update),
}


class Rest:
    """Answers everything under /2010-04-01/Accounts/."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = {
            account.sid: "Basic " + base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
            for account in engine.settings.accounts
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request; every refusal is Twilio's error body."""
        try:
            return await self._route(request)
        except RefusedError as refused:
            return _json(refused.body(), refused.status)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        account, _, path = request.match_info["rest"].partition("/")
        self._authenticate(request, account)
        kind, _, name = path.removesuffix(".json").partition("/")
        resource = RESOURCES.get(kind)
        if resource is None or not path.endswith(".json"):
            raise RefusedError.missing(request.path)
        if request.method == "GET":
            if kind == "Calls" and name.endswith("/Events"):
                return _json(rest_calls.events(self._engine, account, name.removesuffix("/Events")))
            if name:
                return _json(resource.fetch(self._engine, account, name))
            return _json(resource.listed(self._engine, account, request.rel_url.raw_query_string))
        if request.method != "POST":
            raise RefusedError(405, 20004, "Method not allowed")
        form = await _form(request)
        if name:
            return _json(resource.update(self._engine, account, name, form))
        return await self._create(request, resource.create, account, form)

    def _authenticate(self, request: web.Request, account: str) -> None:
        key, given = self._keys.get(account), request.headers.get("Authorization", "")
        if key is None or not hmac.compare_digest(given.encode(), key.encode()):
            raise RefusedError(401, 20003, "Authenticate")

    async def _create(
        self, request: web.Request, create: Callable[[Engine, str, Form], Shown], account: str, form: Form
    ) -> web.StreamResponse:
        """Create, with every fault that can lie between a create and its reply."""
        behaviour, faults = self._engine.books.behaviour, self._engine.books.behaviour.faults
        key = dict(form).get("To", "") + "|" + self._engine.next_number()
        if behaviour.drawn(faults.create_429, "429", key):
            raise RefusedError(429, 20429, "Too Many Requests")
        if faults.create_hold_seconds:
            await asyncio.sleep(faults.create_hold_seconds)
        created = create(self._engine, account, form)
        if faults.create_hang_seconds:
            await asyncio.sleep(faults.create_hang_seconds)
        if behaviour.drawn(faults.create_5xx_after_placing, "5xx", key):
            raise RefusedError(503, 20503, "Service unavailable")
        if behaviour.drawn(faults.create_reply_lost, "lost", key) and request.transport is not None:
            request.transport.abort()
        return _json(created, 201)


async def _form(request: web.Request) -> Form:
    if request.content_length is not None and request.content_length > FORM_BYTES_MAX:
        raise RefusedError(413, 20413, "Request entity too large")
    body = await request.read()
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as problem:
        raise RefusedError(400, 20001, f"A form may have {FIELDS_MAX} fields") from problem


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(body).encode(), status=status, content_type="application/json")
