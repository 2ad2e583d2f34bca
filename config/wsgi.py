"""The web as WSGI: what a thread answers. `config/rsgi.py` serves it."""

import gc
import os
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

import structlog  # only once Django is set up, like what follows
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse

from config import checks, health
from reminders import drainer, urls, wiring

checks.refuse()
wiring.warm_up()
health.watch()
drainer.watch()
gc.freeze()  # what stands by now stays: no collection walks through it again while somebody waits
gc.set_threshold(5_000, 20, 20)  # what waits together is thousands of objects: by 700 they are walked for nothing

log = structlog.get_logger()
WEBHOOKS: Final = {f"/carriers/{pattern.pattern}": pattern.callback for pattern in urls.urlpatterns}
# A proxy asks twice a second: through the middleware an answer takes twice the processor, and only for names we know.
LOOKED_AT: Final = {"/livez": health.livez, "/readyz": health.readyz}
_DIRECT: Final = {**WEBHOOKS, **LOOKED_AT}
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_people: Final = WSGIHandler()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI: a carrier's webhooks, and how it goes, by their address alone, the rest through Django's handler."""
    view = _DIRECT.get(environ["PATH_INFO"])
    if view is None:
        return _people(environ, start_response)
    response = _answer(view, environ)
    start_response(_PHRASES[response.status_code], list(response.items()))
    return (response.content,)


def _answer(view: Any, environ: dict[str, Any]) -> HttpResponse:
    """No middleware, no signals, no search for the address: they cost as much as the rest of a webhook's Python."""
    try:
        answer: HttpResponse = view(WSGIRequest(environ))
        return answer
    except Exception:  # the process's edge
        log.exception("webhook.failed", path=environ["PATH_INFO"])
        return HttpResponse("An error of ours; nothing was answered.\n", status=500, content_type="text/plain")
    finally:
        close_old_connections()
