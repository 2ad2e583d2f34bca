"""Trace context as W3C `traceparent` text, so that it can be stored with a row and linked to days later.

A hop within the minute is a child; across a stored row or a gap of time a new root links to what made the row, from
its start. Without a configured SDK every message still gets a trace id, so that its history can be told.
What came from outside begins nothing and continues nothing: a webhook's trace headers and baggage are not read, and
the only context that a callback brings is the one that we had put into its address, which the carrier signs.
A span never holds a number or a text: what an exception says may, so that only its type is kept.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    ProxyTracer,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

_tracer: Final = trace.get_tracer("ringback")

REMINDER: Final = "reminder.id"
ATTEMPT: Final = "attempt.id"
REPLY: Final = "reply.id"
PERSON: Final = "person"
KEEP: Final = "ringback.keep"
"""An attribute of a span: its trace is kept, whatever the share."""
MEMBERS: Final = "members"
"""An attribute of what was done for several at once: for how many. It is kept where one of theirs is."""

HOP_SECONDS: Final = 60
_BROUGHT: Final = "trace"
_KEPT: Final = "keep"

Told = str | int | bool
NOTHING: Final[Mapping[str, Told]] = MappingProxyType({})


@dataclass(kw_only=True, slots=True)
class _Known:
    """How this process names a person in a span, and whom it watches; set by whoever configures an SDK."""

    is_configured: bool = False
    key: bytes = b""
    is_watched: Callable[[str], bool] = lambda _: False


_known: Final = _Known()


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A span that has begun and is ended by hand, in whatever thread; `traceparent` is stored with what it makes."""

    span: Span
    traceparent: str

    def end(self, *, error: str = "", **attributes: Told) -> None:
        """End it, with what became of it; `error` keeps its whole trace. Ended already: nothing."""
        if not self.span.is_recording():
            return
        for name, value in attributes.items():
            self.span.set_attribute(name, value)
        if error:
            self.span.set_status(Status(StatusCode.ERROR, error))
        self.span.end()

    @contextmanager
    def within(self) -> Iterator[None]:
        """What begins in here is its child. It stays open."""
        with trace.use_span(self.span, record_exception=False, set_status_on_exception=False):
            yield


def know(*, key: str, is_watched: Callable[[str], bool]) -> None:
    """An SDK is configured. How to name a person (a hash with this key), and who is under watch; once per process."""
    _known.is_configured, _known.key, _known.is_watched = True, key.encode()[:64], is_watched


def name_of(*, number: str, key: str) -> str:
    """A person in telemetry: a keyed hash of their number, as 32 hex digits."""
    return hashlib.blake2b(number.encode(), key=key.encode()[:64], digest_size=16).hexdigest()


def person(*, number: str) -> dict[str, Told]:
    """The attributes of a span that concerns a person: who, by a keyed hash, and whether they are under watch."""
    if not _known.key:
        return {}
    name = hashlib.blake2b(number.encode(), key=_known.key, digest_size=16).hexdigest()
    return {PERSON: name, KEEP: True} if _known.is_watched(name) else {PERSON: name}


def ids(*, reminder: UUID | None = None, attempt: UUID | None = None, reply: UUID | None = None) -> dict[str, Told]:
    """The attributes of a span that concerns these; None where it concerns none."""
    named = {REMINDER: reminder, ATTEMPT: attempt, REPLY: reply}
    return {name: str(id_) for name, id_ in named.items() if id_ is not None}


def begin(name: str, *, linked: tuple[str, ...], about: Mapping[str, Told] = NOTHING) -> Open:
    """Begin a trace of its own that points back to those that made it: one for each send, whatever the batch."""
    span = _tracer.start_span(name, context=Context(), links=_links(linked), attributes=about)
    own = span.get_span_context()
    return Open(span=span, traceparent=_format(own) if own.is_valid else new())


@contextmanager
def span(
    name: str, *, parent: str = "", linked: tuple[str, ...] = (), about: Mapping[str, Told] = NOTHING
) -> Iterator[str]:
    """A span around a piece of work; yields its `traceparent`.

    A child of `parent`, else of the span around it; where `linked` is given, a trace of its own that points back.
    """
    context = Context() if linked else _context(parent)
    with _around(name, context, SpanKind.INTERNAL, about, linked) as own:
        yield _format(own) if own.is_valid and own.trace_id else parent or new()


@contextmanager
def called(
    name: str, *, brought: Mapping[str, str], of: UUID | None, about: Mapping[str, Told] = NOTHING
) -> Iterator[str]:
    """A span around a callback: a child of what asked for it (`of`) within the minute, else a trace with a link.

    `brought` is the address's query, where `carried` had put the context of what asked.
    """
    before = brought.get(_BROUGHT, "")
    if not before and not looks():
        yield new()  # nobody would see a span, and none goes on here
        return
    if brought.get(_KEPT):
        about = {**about, KEEP: True}
    is_hop = of is not None and time.time() - (of.int >> 80) / 1000 < HOP_SECONDS  # a UUIDv7 says when it was made
    context = _context(before) if is_hop else None
    links = () if is_hop else (before,)
    with _around(name, context or Context(), SpanKind.SERVER, about, links) as own:
        yield _format(own) if own.is_valid and own.trace_id else before or new()


@contextmanager
def together(name: str, *, members: Sequence[str]) -> Iterator[None]:
    """A span around what is done for several at once: a trace of its own that links to each of theirs.

    For one alone: inside the span around it, which is that one's.
    """
    if not looks():
        yield
        return
    linked = tuple(members) if len(members) > 1 else ()
    with _around(name, Context() if linked else None, SpanKind.INTERNAL, {MEMBERS: len(members)}, linked):
        yield


@contextmanager
def asked(name: str, *, about: Mapping[str, Told] = NOTHING) -> Iterator[None]:
    """A span around a request to somebody else, inside the present one."""
    with _around(name, None, SpanKind.CLIENT, about, ()):
        yield


def carried() -> str:
    """The present context, to be put at the end of an address of ours that has a query already."""
    present = trace.get_current_span()
    own = present.get_span_context()
    if not own.is_valid:
        return ""
    kept = f"&{_KEPT}=1" if (getattr(present, "attributes", None) or {}).get(KEEP) else ""
    return f"&{_BROUGHT}={_format(own)}{kept}"


def looks() -> bool:
    """Whether spans go anywhere: whether an SDK is configured."""
    # Asked thrice for every text: the API would read the environment each time.
    return _known.is_configured or not isinstance(_tracer, ProxyTracer)


def note(**attributes: Told) -> None:
    """Tell the present span what became of it."""
    present = trace.get_current_span()
    if present.is_recording():
        for name, value in attributes.items():
            present.set_attribute(name, value)


def failed(*, reason: str) -> None:
    """Tell the present span that it failed, which keeps its whole trace."""
    trace.get_current_span().set_status(Status(StatusCode.ERROR, reason))


def current() -> str:
    """The present context; a fresh one where there is none."""
    own = trace.get_current_span().get_span_context()
    return _format(own) if own.is_valid else new()


def new() -> str:
    """A fresh, unsampled trace context."""
    both = os.urandom(24).hex()
    return f"00-{both[:32]}-{both[32:]}-00"


def trace_id(traceparent: str) -> str | None:
    """The trace's id of a stored context, as 32 hex digits."""
    return traceparent[3:35] if len(traceparent) >= 55 else None


@contextmanager
def _around(
    name: str, context: Context | None, kind: SpanKind, about: Mapping[str, Told], linked: tuple[str, ...]
) -> Iterator[SpanContext]:
    with _tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        links=_links(linked),
        attributes=about,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made.get_span_context()
        except BaseException as error:
            told = getattr(made, "status", None)
            if told is None or told.status_code is not StatusCode.ERROR:
                made.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _context(traceparent: str) -> Context | None:
    parsed = _parse(traceparent)
    return trace.set_span_in_context(NonRecordingSpan(parsed), Context()) if parsed.is_valid else None


def _links(linked: tuple[str, ...]) -> list[Link]:
    return [Link(context) for context in map(_parse, filter(None, linked)) if context.is_valid]


def _format(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _parse(traceparent: str) -> SpanContext:
    try:
        _, trace_hex, span_hex, flags = traceparent.split("-")
        return SpanContext(int(trace_hex, 16), int(span_hex, 16), True, TraceFlags(int(flags, 16)))
    except ValueError:
        return SpanContext(0, 0, False)
