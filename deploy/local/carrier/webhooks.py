"""Requests to the service as Twilio sends them: signed, bounded in time, with fragment overrides."""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from yarl import URL

from deploy.local.carrier.times import rfc3339

TOTAL_MS = 15_000
BODY_BYTES_MAX = 64 * 1024
IN_FLIGHT_MAX = 256
_RETRYABLE = frozenset({"4xx", "5xx", "ct", "rt", "all"})

Pairs = Sequence[tuple[str, str]]


def sign(*, token: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and its sorted parameters, repeated values once.

    Source: Twilio's "Validating requests"; judged by twilio.request_validator in the tests.
    """
    text = url + "".join(name + value for name, value in sorted(set(params)))
    mac = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), "sha1")
    return base64.b64encode(mac.digest()).decode()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The time limits and retries of one webhook. Milliseconds."""

    connect: int = 5_000
    read: int = 15_000
    total: int = TOTAL_MS
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})


def split_overrides(url: str) -> tuple[str, Limits]:
    """The address without its fragment, and the limits that `#ct=&rt=&tt=&rc=&rp=` asks for."""
    bare, _, fragment = url.partition("#")
    given = {name: values[-1] for name, values in parse_qs(fragment).items()}
    policy = frozenset(given.get("rp", "ct").split(",")) & _RETRYABLE
    limits = Limits(
        connect=_within(given.get("ct"), 100, 10_000, 5_000),
        read=_within(given.get("rt"), 100, 15_000, 15_000),
        total=_within(given.get("tt"), 100, TOTAL_MS, TOTAL_MS),
        retries=_within(given.get("rc"), 0, 5, 1),
        policy=policy or frozenset({"ct"}),
    )
    return bare, limits


def _within(text: str | None, low: int, high: int, default: int) -> int:
    if text is None or not text.isdigit():
        return default
    return min(high, max(low, int(text)))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one request brought: a status and body, or the error (ct, rt or another) instead."""

    at: float
    ms: int
    url: str
    status: int | None
    body: str = ""
    content_type: str = ""
    error: str | None = None

    @property
    def good(self) -> bool:
        """Whether the service took it."""
        return self.status is not None and 200 <= self.status < 300

    def shown(self) -> dict[str, Any]:
        """As GET /sim/messages/{sid} lists it."""
        line = {"at": rfc3339(self.at), "status": self.status, "ms": self.ms, "body": self.body}
        return line | ({"error": self.error} if self.error else {}) | {"url": self.url}


class Sender:
    """One HTTP session for everything that the carrier sends, at most IN_FLIGHT_MAX at a time."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        *,
        url: str,
        method: str,
        token: str,
        params: Pairs,
        fallback_url: str = "",
        fallback_method: str = "POST",
        spoil: bool = False,
    ) -> list[Answer]:
        """Send one webhook with its retries, then its fallback; every attempt's answer, oldest first.

        All attempts of an address share its total limit and one idempotency token. spoil makes the
        signature wrong.
        """
        async with self._gate:
            answers = await self._attempts(url, method, token, params, spoil)
            if fallback_url and not answers[-1].good:
                why = [("ErrorCode", _error_code(answers[-1])), ("ErrorUrl", url.partition("#")[0])]
                answers += await self._attempts(fallback_url, fallback_method, token, [*params, *why], spoil)
        return answers

    async def _attempts(self, url: str, method: str, token: str, params: Pairs, spoil: bool) -> list[Answer]:
        bare, limits = split_overrides(url)
        if method == "GET" and params:
            bare += ("&" if urlsplit(bare).query else "?") + encode(params)
            params = []
        signature = sign(token=token, url=bare, params=params)
        headers = {
            "X-Twilio-Signature": _spoiled(signature) if spoil else signature,
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        deadline = time.monotonic() + limits.total / 1000
        answers: list[Answer] = []
        while len(answers) <= limits.retries:
            timeout = _timeout(limits, deadline)
            answers.append(await self._once(bare, headers, params if method == "POST" else None, timeout))
            if not _again(answers[-1], limits.policy) or time.monotonic() >= deadline:
                break
        return answers

    async def _once(
        self, url: str, headers: dict[str, str], form: Pairs | None, timeout: aiohttp.ClientTimeout
    ) -> Answer:
        """One request: a POST of the form, or a GET where there is none."""
        at, began = time.time(), time.monotonic()
        status, body, kind, error = None, "", "", None
        try:
            async with self._opened().request(
                "GET" if form is None else "POST",
                URL(url, encoded=True),
                data=None if form is None else encode(form).encode(),
                headers=headers if form is None else headers | {"Content-Type": _FORM},
                timeout=timeout,
                allow_redirects=False,
            ) as reply:
                data = await _bounded(reply)
                status, kind = reply.status, reply.content_type
                body = data.decode(reply.charset or "utf-8", "replace")
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
            error = "ct"
        except TimeoutError:
            error = "rt"
        except (aiohttp.ClientError, OSError, ValueError, LookupError) as problem:
            error = type(problem).__name__
        return Answer(
            at=at,
            ms=round((time.monotonic() - began) * 1000),
            url=url,
            status=status,
            body=body,
            content_type=kind,
            error=error,
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=IN_FLIGHT_MAX, limit_per_host=IN_FLIGHT_MAX)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _timeout(limits: Limits, deadline: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=max(0.001, deadline - time.monotonic()),
        sock_connect=limits.connect / 1000,
        sock_read=limits.read / 1000,
    )


async def _bounded(reply: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in reply.content.iter_any():
        data += chunk
        if len(data) >= BODY_BYTES_MAX:
            break
    return bytes(data[:BODY_BYTES_MAX])


_FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def encode(params: Pairs) -> str:
    """The form, blank values kept."""
    return urlencode(params, errors="replace")


def _again(answer: Answer, policy: frozenset[str]) -> bool:
    if answer.good:
        return False
    if "all" in policy or answer.error in policy:
        return True
    return answer.status is not None and f"{answer.status // 100}xx" in policy


def _error_code(answer: Answer) -> str:
    """Twilio's codes: 11205 no connection, 11200 no good answer."""
    return "11205" if answer.error == "ct" else "11200"


def _spoiled(signature: str) -> str:
    return ("B" if signature[0] == "A" else "A") + signature[1:]
