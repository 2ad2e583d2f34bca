"""Twilio's REST contract `2010-04-01`, as measured and documented: https://www.twilio.com/docs/voice/api/call-resource

The simulated carrier speaks the same; only the base address differs.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID

import aiohttp

from reminders import limits, tracing
from reminders.carriers.base import (
    CallRecord,
    CallRequest,
    CarrierError,
    MessageRecord,
    Rejected,
    Told,
    Unavailable,
    Unknown,
)
from reminders.carriers.session import Session
from reminders.states import Outcome

Record = TypeVar("Record", CallRecord, MessageRecord)

NAME: Final = "twilio"

# https://www.twilio.com/docs/api/errors; what is not named here is taken as Unavailable on 429, else as Rejected.
FOR_THIS_NUMBER: Final = frozenset({21211, 21214, 21217, 21610, 21614, 13224, 30004, 30005, 30006})
OUR_SET_UP: Final = frozenset({20003, 20404, 21210, 21212, 21215, 21219, 21408, 21606, 21609, 30032, 30034})
LOCKED_OUT: Final = (None, 20003)  # with 401 or 403: our credential. Other codes are about one request.
FOR_NOW: Final = frozenset({20429, 21611, 30001, 30003, 30008})

# The answer to a call without a number, which is looked at once the account is: it is let in, and is not throttled.
NO_NUMBER: Final = "400"

# Twilio's CallStatus in our words, where it is an end.
CALL_ENDS: Final[Mapping[str, Outcome]] = {
    "completed": Outcome.ANSWERED,
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
}
_ATTEMPT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CALL_EVENTS: Final = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, kw_only=True)
class Twilio:
    """A Twilio account. `base` is the REST address, `public_base` ours; nothing here retries.

    `name` is what rows call it. Its webhooks come to one address for every account; they name theirs, and sign with it.
    `waiting` is a document that the carrier keeps: it holds a call's line and asks for the words again, where we did
    not answer when the call was picked up; empty where there is none.
    """

    base: str
    account_sid: str
    auth_token: str
    service_number: str
    public_base: str
    name: str = NAME
    waiting: str = ""
    session: Session = field(default_factory=Session)

    async def place_call(self, request: CallRequest) -> str:
        attempt = f"attempt={request.attempt_id}{tracing.carried()}"
        webhooks = f"{self.public_base}/carriers/{NAME}"
        words = f"{webhooks}/words?{attempt}"
        body = await self._post(
            "Calls.json",
            [
                ("To", request.to),
                ("From", self.service_number),
                ("Url", words),
                *((("FallbackUrl", f"{self.waiting}?{urlencode({'again': words})}"),) if self.waiting else ()),
                ("Timeout", str(request.ring_seconds)),
                ("StatusCallback", f"{webhooks}/call-status?{attempt}"),
                *(("StatusCallbackEvent", event) for event in CALL_EVENTS),
                *((("MachineDetection", "Enable"),) if request.detect_machine else ()),
            ],
        )
        return _sid(body)

    async def try_out(self) -> None:
        try:
            await self._post("Calls.json", [("From", self.service_number)])
        except Rejected as error:
            if not error.reason.startswith(NO_NUMBER):
                raise

    async def fetch_call(self, sid: str) -> CallRecord:
        return _call(await self._get(f"Calls/{quote(sid)}.json"))

    async def calls_to(self, number: str, *, since: datetime) -> Sequence[CallRecord]:
        # No StartTime filter: it is empty until a call is dialled, so a queued call would be left out.
        ends = {"From": self.service_number, **({"To": number} if number else {})}
        path = f"Calls.json?{urlencode({**ends, 'PageSize': limits.CALL_PAGE})}"
        pages_max = limits.CALL_LIST_MAX // limits.CALL_PAGE
        return await self._listed(path, "calls", _call, since=since, pages_max=pages_max)

    async def told(self, sid: str) -> Told | None:
        # There 15 minutes after a call, kept for 30 days: https://www.twilio.com/docs/voice/api/call-event-resource
        return _told(_items(await self._get(f"Calls/{quote(sid)}/Events.json?PageSize={limits.CALL_PAGE}"), "events"))

    async def hang_up(self, sid: str) -> None:
        record = await self.fetch_call(sid)
        if record.status in CALL_ENDS:
            return
        word = "completed" if record.status == "in-progress" else "canceled"
        await self._post(f"Calls/{quote(sid)}.json", [("Status", word)])

    async def send_message(self, *, to: str, body: str, reply_id: UUID) -> str:
        callback = f"{self.public_base}/carriers/{NAME}/message-status?reply={reply_id}{tracing.carried()}"
        form = [("To", to), ("From", self.service_number), ("Body", body), ("StatusCallback", callback)]
        return _sid(await self._post("Messages.json", form))

    async def fetch_message(self, sid: str) -> MessageRecord:
        return _message(await self._get(f"Messages/{quote(sid)}.json"))

    async def messages(
        self, *, number: str, inbound: bool, since: datetime, pages_max: int = 1
    ) -> Sequence[MessageRecord]:
        # DateSent filters by day only, and is empty while a message is queued.
        ends = {"From": number, "To": self.service_number} if inbound else {"To": number, "From": self.service_number}
        query = urlencode({**({k: v for k, v in ends.items() if v}), "PageSize": limits.MESSAGE_LIST_MAX})
        return await self._listed(f"Messages.json?{query}", "messages", _message, since=since, pages_max=pages_max)

    async def _listed(
        self, path: str, name: str, read: Callable[[Any], Record], *, since: datetime, pages_max: int
    ) -> list[Record]:
        """What was made since then, oldest first; the carrier lists the newest first, page by page."""
        found: dict[str, Record] = {}  # what comes in meanwhile moves the pages on: the same one may come twice
        for _ in range(pages_max):
            body = await self._get(path)
            page = [read(item) for item in _items(body, name)]
            found |= {one.sid: one for one in page}
            path = self._next_page(body)
            if not path or any(one.created_at is not None and one.created_at < since for one in page):
                break
        return sorted((one for one in found.values() if one.created_at is None or one.created_at >= since), key=_age)

    def _next_page(self, body: Any) -> str:
        """The next page as `_get` asks for it; empty where there is none. https://www.twilio.com/docs/usage/twilios-response#pagination"""
        uri = body.get("next_page_uri") if isinstance(body, dict) else None
        return uri.partition(f"/Accounts/{self.account_sid}/")[2] if isinstance(uri, str) else ""

    async def _post(self, path: str, form: list[tuple[str, str]]) -> Any:
        return await self._request("POST", path, data=urlencode(form).encode())

    async def _get(self, path: str) -> Any:
        return await self._request("GET", path, data=None)

    @cached_property
    def _headers(self) -> dict[str, str]:
        login = f"{self.account_sid}:{self.auth_token}".encode()
        return {
            "Authorization": f"Basic {base64.b64encode(login).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    async def _request(self, method: str, path: str, *, data: bytes | None) -> Any:
        with tracing.asked(f"{method} {_resource(path)}", about={"carrier": self.name}):
            try:
                return await self._answered(method, path, data=data)
            except CarrierError as error:
                tracing.failed(reason=error.reason)
                raise

    async def _answered(self, method: str, path: str, *, data: bytes | None) -> Any:
        url = f"{self.base}/2010-04-01/Accounts/{self.account_sid}/{path}"
        session = self.session.get()
        try:
            async with session.request(
                method, url, data=data, headers=self._headers, allow_redirects=False
            ) as response:
                text = await response.read()
                status = response.status
                body = json.loads(text) if text else {}
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unavailable("connection") from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unknown(type(error).__name__) from error
        tracing.note(**{"http.response.status_code": status})
        if status < 300:
            return body
        refusal = _refusal(status, body)
        if method == "GET" and status != 404 and isinstance(refusal, Rejected):
            raise Unavailable(refusal.reason)  # nothing was learnt: an expired token must not look like "no such call"
        raise refusal


def _resource(path: str) -> str:
    """What a request is about, for a span: without ids, and without its query, which has people's numbers."""
    name, _, item = path.partition("?")[0].partition("/")
    return name.removesuffix(".json") + ("/{sid}" if item else "")


def _refusal(status: int, body: Any) -> Rejected | Unavailable | Unknown:
    code = body.get("code") if isinstance(body, dict) else None
    reason = f"{status}/{code}" if code else str(status)
    if status >= 500 or status == 408 or 300 <= status < 400:
        return Unknown(reason)
    if status == 429 or code in FOR_NOW:
        return Unavailable(reason)
    return Rejected(reason, ours=code not in FOR_THIS_NUMBER, locked_out=status in (401, 403) and code in LOCKED_OUT)


def _sid(body: Any) -> str:
    sid = body.get("sid") if isinstance(body, dict) else None
    if not isinstance(sid, str) or not sid:
        raise Unknown("no sid")
    return sid


def _items(body: Any, name: str) -> list[dict[str, Any]]:
    items = body.get(name) if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Unknown(f"no {name}")
    return items


def _call(body: Any) -> CallRecord:
    sid = _sid(body)  # first: an answer that is no record is Unknown
    duration = str(body.get("duration") or "")
    return CallRecord(
        sid=sid,
        to=body.get("to") or "",
        status=body.get("status") or "",
        created_at=instant(body.get("date_created")),
        started_at=instant(body.get("start_time")),
        ended_at=instant(body.get("end_time")),
        duration_seconds=int(duration) if duration.isdecimal() else None,
        answered_by=body.get("answered_by"),
    )


def _told(events: Sequence[Any]) -> Told | None:
    """The attempt that the addresses of the requests name, the keys that they carried, and whether words were given."""
    attempt_id, pressed, had_words = None, "", False
    for event in events:
        request = event.get("request") if isinstance(event, dict) else None
        if not isinstance(request, dict):
            continue
        address = urlsplit(str(request.get("url")))
        named = parse_qs(address.query).get("attempt", [""])[0]
        if f"/carriers/{NAME}/" not in address.path or not _ATTEMPT.fullmatch(named):
            continue
        attempt_id = UUID(named)
        parameters = request.get("parameters")
        if address.path.endswith("/keys") and isinstance(parameters, dict):
            pressed += str(parameters.get("digits") or "")[:1]
        answer = event.get("response")
        if address.path.endswith("/words") and isinstance(answer, dict):
            had_words = had_words or str(answer.get("response_code")).startswith("2")
    return Told(attempt_id=attempt_id, pressed=pressed, had_words=had_words) if attempt_id is not None else None


def _message(body: Any) -> MessageRecord:
    sid = _sid(body)
    code = body.get("error_code")
    return MessageRecord(
        sid=sid,
        sender=body.get("from") or "",
        to=body.get("to") or "",
        body=body.get("body") or "",
        status=body.get("status") or "",
        inbound=str(body.get("direction", "")).startswith("inbound"),
        created_at=instant(body.get("date_created")),
        error=str(code) if code else None,
    )


def instant(text: str | None) -> datetime | None:
    """An RFC 2822 date of Twilio's as an aware instant (whole seconds), or None."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _age(record: CallRecord | MessageRecord) -> datetime:
    return record.created_at or datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
