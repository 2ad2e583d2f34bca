"""Trace context as W3C `traceparent` text, so that it can be stored with a row and linked to days later.

A hop within the minute is a child; across a stored row or a gap of time a new root links to what made the row.
Without a configured SDK every message still gets a trace id, so that its history can be told.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags

_tracer: Final = trace.get_tracer("ringback")


@contextmanager
def span(name: str, *, parent: str = "", linked: str = "", **attributes: str | int) -> Iterator[str]:
    """A span around a piece of work; yields its `traceparent`. `linked` starts a new trace that points back."""
    context = trace.set_span_in_context(NonRecordingSpan(_parse(parent))) if _parse(parent).is_valid else None
    links = [Link(_parse(linked))] if _parse(linked).is_valid else []
    with _tracer.start_as_current_span(name, context=context, links=links, attributes=attributes) as current:
        own = current.get_span_context()
        yield _format(own) if own.is_valid and own.trace_id else parent or new()


def new() -> str:
    """A fresh, unsampled trace context."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def trace_id(traceparent: str) -> str | None:
    """The trace's id of a stored context, as 32 hex digits."""
    return traceparent[3:35] if len(traceparent) >= 55 else None


def _format(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _parse(traceparent: str) -> SpanContext:
    try:
        _, trace_hex, span_hex, flags = traceparent.split("-")
        return SpanContext(int(trace_hex, 16), int(span_hex, 16), True, TraceFlags(int(flags, 16)))
    except ValueError:
        return SpanContext(0, 0, False)
