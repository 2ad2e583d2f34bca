"""The web: an event loop for the carrier's texts, threads for everything else, in one process."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, Final

import structlog
from django.conf import settings

from config import serving, wsgi
from config.heads import Head
from reminders import limits, views
from reminders.crew import Crew
from reminders.front import Front, Headers, Told, shown

log = structlog.get_logger()

SMS: Final = "/carriers/twilio/sms"
PLAIN: Final[Headers] = [("content-type", "text/plain; charset=utf-8")]


class Web:
    """What `config/serving.py` serves; made in its loop."""

    def __init__(self) -> None:
        self._crew = Crew(threads=settings.RINGBACK_WEB_THREADS, name="web")
        self._front = Front(crew=self._crew)

    def body_bytes_max(self, head: Head) -> int:
        """The longest body of this request that is read."""
        return limits.BODY_BYTES_MAX if head.path in wsgi.WEBHOOKS else limits.PAGE_BYTES_MAX

    async def answer(self, head: Head, body: bytes | None, peer: str) -> Told:
        """The answer to one request; `body` is None where it was too long to be read."""
        try:
            if body is None and head.path in wsgi.WEBHOOKS:
                return shown(views.refusal(error=views.TooLarge()))
            if body is None:
                return Told(413, PLAIN, b"The body is too large.\n")
            if head.path == SMS and head.method == "POST" and not head.query and _is_form(head):
                signature = head.fields.get("x-twilio-signature")
                return await self._front.sms(body=body, address=SMS, signature=signature)
            return await self._crew.call(partial(_by_wsgi, _environ(head, body, peer)))
        except Exception:  # the process's edge
            log.exception("web.failed", path=head.path)
            return Told(500, PLAIN, b"An error of ours; nothing was answered.\n")


def main() -> None:
    """Serve on 127.0.0.1:PORT until SIGTERM."""
    asyncio.run(_serve(int(os.environ["PORT"])))


async def _serve(port: int) -> None:
    await serving.serve(application=Web(), port=port)


def _is_form(head: Head) -> bool:
    return head.fields.get("content-type", "").partition(";")[0].strip().lower() == views.FORM


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


def _environ(head: Head, body: bytes, peer: str) -> dict[str, Any]:
    """A request as PEP 3333 has it. A header whose name has an underscore could pass for another one: left out."""
    fields = head.fields
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": head.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": os.environ.get("PORT", "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": fields.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in fields.items():
        if "_" not in name and name not in ("content-length", "content-type"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
