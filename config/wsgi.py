"""The web as granian serves it."""

import os
from collections.abc import Iterable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # only once Django is set up
from django.core.handlers.wsgi import WSGIHandler

from config import checks, health
from reminders import drainer, wiring

checks.refuse()
wiring.warm_up()
health.watch()
drainer.watch()


def _handler(middleware: list[str]) -> WSGIHandler:
    """A handler with a middleware list of its own; Django reads the list once, when the handler is made."""
    everybody, settings.MIDDLEWARE = settings.MIDDLEWARE, middleware
    try:
        return WSGIHandler()
    finally:
        settings.MIDDLEWARE = everybody


_people = _handler(settings.MIDDLEWARE)
_carriers = _handler(settings.WEBHOOK_MIDDLEWARE)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI: a carrier's webhooks without what only people need, everything else with it."""
    handler = _carriers if environ.get("PATH_INFO", "").startswith("/carriers/") else _people
    return handler(environ, start_response)
