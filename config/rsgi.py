"""The web as granian serves it: an event loop for the carrier's texts, threads for everything else, in one process.

https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, Final

import structlog
from django.conf import settings
from granian._granian import RSGIHTTPProtocol, RSGIProtocolClosed
from granian.rsgi import Scope

from config import wsgi
from config.patience import Patience, TooSlow
from reminders import limits, views
from reminders.crew import Crew
from reminders.front import Front, Headers, Told, shown

log = structlog.get_logger()

SMS: Final = "/carriers/twilio/sms"
PLAIN: Final[Headers] = [("content-type", "text/plain; charset=utf-8")]
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


class Application:
    """RSGI."""

    _crew: Crew
    _front: Front
    _patience: Patience[bytes | None]

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Before the first request."""
        self._crew = Crew(threads=settings.RINGBACK_WEB_THREADS, name="web")
        self._front = Front(crew=self._crew)
        self._patience = Patience(loop=loop, seconds=limits.BODY_SECONDS)

    async def __rsgi__(self, scope: Scope, proto: RSGIHTTPProtocol) -> None:
        """One request. However many come, the server lets in a bounded number of them at once."""
        try:
            told = await self._answer(scope, proto)
        except RSGIProtocolClosed:
            return  # hung up before the body was there: nothing was begun, and nobody waits
        except TooSlow:
            told = Told(408, PLAIN, b"The body did not come in time.\n")
        except Exception:  # the process's edge
            log.exception("web.failed", path=scope.path)
            told = Told(500, PLAIN, b"An error of ours; nothing was answered.\n")
        proto.response_bytes(told.status_code, told.headers, told.content)

    async def _answer(self, scope: Scope, proto: RSGIHTTPProtocol) -> Told:
        is_webhook = scope.path in wsgi.WEBHOOKS
        body = await self._body(scope, proto, limits.BODY_BYTES_MAX if is_webhook else limits.PAGE_BYTES_MAX)
        if body is None:
            if is_webhook:
                return shown(views.refusal(error=views.TooLarge()))
            return Told(413, PLAIN, b"The body is too large.\n")
        if scope.path == SMS and scope.method == "POST" and not scope.query_string and _is_form(scope):
            signature = scope.headers.get("x-twilio-signature")
            return await self._front.sms(body=body, address=SMS, signature=signature)
        return await self._crew.call(partial(_by_wsgi, _environ(scope, body)))

    async def _body(self, scope: Scope, proto: RSGIHTTPProtocol, bytes_max: int) -> bytes | None:
        """The whole body, or None where it is over the bound: neither waited for nor kept beyond it. Raises TooSlow."""
        length = scope.headers.get("content-length")
        if length is None:
            if scope.method in _WITHOUT_BODY or "transfer-encoding" not in scope.headers:
                return b""
            return await self._patience.wait(_parts(proto, bytes_max))
        if not length.isdigit() or int(length) > bytes_max:
            return None
        return await self._patience.wait(proto())  # the server reads as much as the length says


application: Final = Application()


async def _parts(proto: RSGIHTTPProtocol, bytes_max: int) -> bytes | None:
    parts = bytearray()
    async for part in proto:
        parts += part
        if len(parts) > bytes_max:
            return None
    return bytes(parts)


def _is_form(scope: Scope) -> bool:
    kind: str = scope.headers.get("content-type") or ""
    return kind.partition(";")[0].strip().lower() == views.FORM


def _by_wsgi(environ: dict[str, Any]) -> Told:
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:  # noqa: ARG001
        started.append((status, headers))
        return lambda _: None  # nobody here writes so

    parts = wsgi.application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, headers = started[-1]
    return Told(int(status[:3]), headers, body)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """A request as PEP 3333 has it. A header whose name has an underscore could pass for another one: left out."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": scope.headers.get("content-type") or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name or name in ("content-length", "content-type"):
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        glue = "; " if name == "cookie" else ","
        environ[key] = f"{environ[key]}{glue}{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ
