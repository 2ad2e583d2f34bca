"""./manage.py watch: the process that looks at all the others, until it is told to stop."""

import signal
import time
from threading import Event
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from prometheus_client import REGISTRY, start_http_server

from config.observing.canary import Canary
from config.observing.slos import looked_for
from config.observing.watching import Watch, Watched
from reminders import limits

log = structlog.get_logger()


class Command(BaseCommand):
    """Looks every RINGBACK_WATCH_SECONDS. A look that fails as nobody foresaw is told, and the next one comes."""

    requires_system_checks = ()  # what is refused at start is refused by those who serve; and it stays light
    help = "Look at every process, at the rows, at Redis and the carrier; say what fires. Runs until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        watch = Watch(watched=_watched(), looked_for=looked_for(), canary=_canary())
        REGISTRY.register(watch.shown)
        if settings.RINGBACK_METRICS_PORT:
            start_http_server(settings.RINGBACK_METRICS_PORT, addr="127.0.0.1")
        log.info("watch.started", instance=settings.RINGBACK_INSTANCE)
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + settings.RINGBACK_WATCH_SECONDS
            try:
                watch.look(now=timezone.now(), at=time.monotonic())
            except Exception:
                log.exception("watch.failed")
        log.info("watch.stopped")


def _watched() -> Watched:
    return Watched(
        home=settings.RINGBACK_HOME,
        carriers=tuple(filter(None, (settings.RINGBACK_TWILIO_BASE, settings.RINGBACK_TWILIO_2_BASE))),
        fresh_seconds=settings.RINGBACK_FRESHNESS_SECONDS,
        lease_seconds=settings.RINGBACK_LEASE_SECONDS,
        horizon_seconds=settings.RINGBACK_LOOKUP_HORIZON_SECONDS,
        call_seconds=settings.RINGBACK_RING_TIMEOUT_SECONDS + limits.CARRIER_QUEUE_SECONDS + limits.CALL_SECONDS_MAX,
        standbys=settings.RINGBACK_STANDBYS,
        version=settings.RINGBACK_VERSION,
        alertmanager=settings.RINGBACK_ALERTMANAGER_URL,
    )


def _canary() -> Canary | None:
    if not settings.RINGBACK_CANARY_SECONDS or not settings.RINGBACK_SIMULATED:
        return None
    return Canary(carrier=settings.RINGBACK_TWILIO_BASE, every_seconds=settings.RINGBACK_CANARY_SECONDS)
