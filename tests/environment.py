"""Loads Django's settings for the tests: from defaults only, never from a system that runs on this machine.

The addresses lead nowhere. A test that wants rows asks for the fixture `database`, which points Django's connection
to a fresh one; a test that forgets to ask is refused a connection instead of finding somebody's data.
"""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AUTH_TOKEN: Final = "test-auth-token"
ACCOUNT_SID: Final = "AC" + "5" * 32
PUBLIC_BASE: Final = "http://testserver"
SERVICE_NUMBER: Final = "+12025550100"
NOWHERE: Final = "postgresql://ringback_app:nothing@127.0.0.1:1/nothing"

_OURS: Final = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DATABASE_URL": NOWHERE,
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "RINGBACK_HOME": tempfile.gettempdir() + "/ringback-tests-no-home",
    "RINGBACK_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "RINGBACK_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "RINGBACK_TWILIO_BASE": "http://127.0.0.1:1",
    "RINGBACK_PUBLIC_BASE": PUBLIC_BASE,
    "RINGBACK_SERVICE_NUMBER": SERVICE_NUMBER,
    "RINGBACK_INSTANCE": "worker-test",
    "RINGBACK_MAY_FORGET": "1",
}
_PREFIXES: Final = ("RINGBACK_", "DATABASE_URL", "REDIS_URL", "SENTRY_", "OTEL_", "DJANGO_")


def load() -> None:
    """Set Django up once, for this process; its environment is as before afterwards."""
    import django
    import structlog
    from django.conf import settings

    if not settings.configured:
        with _environment():
            django.setup()
        from reminders import witness

        witness.ignore()  # tests share one data directory, and have a database each
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith(_PREFIXES)}
    for name in before:
        del os.environ[name]
    os.environ.update(_OURS)
    try:
        yield
    finally:
        for name in _OURS:
            del os.environ[name]
        os.environ.update(before)
