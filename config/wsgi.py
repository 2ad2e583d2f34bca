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
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_people: Final = WSGIHandler()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI: a carrier's webhooks by their address alone, everything else through Django's handler."""
    webhook = WEBHOOKS.get(environ["PATH_INFO"])
    if webhook is None:
        return _people(environ, start_response)
    response = _answer(webhook, environ)
    start_response(_PHRASES[response.status_code], list(response.items()))
    return (response.content,)


def _answer(webhook: Any, environ: dict[str, Any]) -> HttpResponse:
    """No middleware, no signals, no search for the address: they cost as much as the rest of a webhook's Python."""
    try:
        answer: HttpResponse = webhook(WSGIRequest(environ))
        return answer
    except Exception:  # the process's edge
        log.exception("webhook.failed", path=environ["PATH_INFO"])
        return HttpResponse("An error of ours; nothing was answered.\n", status=500, content_type="text/plain")
    finally:
        close_old_connections()
