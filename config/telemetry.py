"""OpenTelemetry, Sentry and a worker's metrics, each only where it is switched on."""

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from config import errors
from reminders import tracing

log = structlog.get_logger()

WATCHED_SECONDS: Final = 5
_EXPORT_SECONDS: Final = 2


def configure() -> None:
    """Set up what the settings ask for; call once per process, after any fork."""
    if not settings.RINGBACK_METRICS:
        from reminders import metrics

        metrics.stop_counting()
    if settings.OTEL_ENDPOINT:
        _traces()
    if settings.SENTRY_DSN:
        errors.configure(dsn=settings.SENTRY_DSN, instance=settings.RINGBACK_INSTANCE, tier=settings.RINGBACK_TIER)


def serve_metrics() -> None:
    """Serve this process's /metrics on its own port, where it is no web."""
    if settings.RINGBACK_METRICS_PORT:
        from prometheus_client import start_http_server

        start_http_server(settings.RINGBACK_METRICS_PORT, addr="127.0.0.1")


def flush() -> None:
    """Send what is buffered; bounded by the exporter's own time-out."""
    from opentelemetry import trace

    errors.flush()
    provider = trace.get_tracer_provider()
    if hasattr(provider, "shutdown"):
        provider.shutdown()


def _traces() -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    from billing import database
    from config.tail import TailProcessor

    resource = Resource.create({"service.name": "ringback", "service.instance.id": settings.RINGBACK_INSTANCE})
    provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)  # what is kept is decided at a trace's end
    kept = BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS))
    ratio, slow_seconds = settings.RINGBACK_TRACE_RATIO, settings.RINGBACK_TRACE_SLOW_SECONDS
    provider.add_span_processor(TailProcessor(kept, ratio=ratio, slow_seconds=slow_seconds))
    trace.set_tracer_provider(provider)
    tracing.know(key=settings.RINGBACK_TELEMETRY_KEY, is_watched=lambda name: name in _watched.names)
    threading.Thread(target=_keep_up, name="under-watch", daemon=True).start()
    if settings.RINGBACK_TRACE_STATEMENTS:
        database.observed = statement


@dataclass
class _Watched:
    """Who is under watch, as this process read last."""

    names: frozenset[str] = frozenset()


_watched: Final = _Watched()


def _keep_up() -> None:
    while True:
        try:
            read_watched()
        except Exception:  # nobody else reads it: this thread outlives whatever it meets
            log.exception("watched.failed")
        time.sleep(WATCHED_SECONDS)


def read_watched() -> None:
    """Read who is under watch; while the database is away, whoever was stays."""
    from reminders import metrics, under_watch

    try:
        _watched.names = under_watch.names(now=timezone.now())
        metrics.UNDER_WATCH.set(len(_watched.names))
    except DatabaseError as error:
        log.debug("watched.not_read", error=type(error).__name__)
    finally:
        connection.close()


def statement(name: str) -> AbstractContextManager[str]:
    """A span around a named statement."""
    return tracing.span(f"sql {name}")
