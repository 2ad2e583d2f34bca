"""Logs: events with ids, JSON or coloured by terminal. Never a number or a text of a person."""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from django.conf import settings
from opentelemetry import trace

from config import errors


def configure() -> None:
    """Set up structlog and the standard library's logging on one stream; call once per process."""
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    text = settings.RINGBACK_LOG_FORMAT == "text" or (settings.RINGBACK_LOG_FORMAT == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer(colors=colours) if text else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        errors.report,
        structlog.processors.ExceptionRenderer(errors.formatted),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.RINGBACK_LOG_LEVEL)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _with_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The id of the trace that a line belongs to, where there is one: `/trace/ID/` draws it."""
    present = trace.get_current_span().get_span_context()
    if present.is_valid:
        event["trace_id"] = f"{present.trace_id:032x}"
    return event
