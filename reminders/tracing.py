"""Trace context as W3C `traceparent` text, so that it can be stored with a row and linked to days later.

A hop within the minute is a child; across a stored row or a gap of time a new root links to what made the row.
Without a configured SDK every message still gets a trace id, so that its history can be told.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

_tracer: Final = trace.get_tracer("ringback")


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A span that has begun and is ended by hand, in whatever thread; `traceparent` is stored with what it makes."""

    span: Span
    traceparent: str

    def end(self, *, error: str = "", **attributes: str | int) -> None:
        """End it, with what became of it; `error` keeps its whole trace."""
        for name, value in attributes.items():
            self.span.set_attribute(name, value)
        if error:
            self.span.set_status(Status(StatusCode.ERROR, error))
        self.span.end()


def begin(name: str, *, linked: tuple[str, ...], **attributes: str | int) -> Open:
    """Begin a trace of its own that points back to those that made it: one for each send, whatever the batch."""
    links = [Link(context) for context in map(_parse, linked) if context.is_valid]
    span = _tracer.start_span(name, context=Context(), links=links, attributes=attributes)
    own = span.get_span_context()
    return Open(span=span, traceparent=_format(own) if own.is_valid else new())


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
