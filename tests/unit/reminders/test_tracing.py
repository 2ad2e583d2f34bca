"""Trace contexts: a trace of its own for each send, linked to what made it; valid also where nothing is recorded."""

import re

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from reminders import tracing

VALID = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a recording process would export."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("tests"))
    return exporter


def test_every_context_is_valid_where_nothing_is_recorded() -> None:
    with tracing.span("intake") as context:
        assert VALID.fullmatch(context)
    assert VALID.fullmatch(tracing.begin("ring", linked=("", "nonsense")).traceparent)


def test_a_send_is_a_trace_of_its_own_that_points_back(seen: InMemorySpanExporter) -> None:
    with tracing.span("intake") as text, tracing.span("attend ring") as batch:
        opened = tracing.begin("ring", linked=(text, batch), about={"reminder.id": "7"})
        opened.end(state="placed")
    ring = next(span for span in seen.get_finished_spans() if span.name == "ring")
    assert ring.context is not None
    assert f"{ring.context.trace_id:032x}" == tracing.trace_id(opened.traceparent)
    assert ring.parent is None
    assert [f"{link.context.trace_id:032x}" for link in ring.links] == [tracing.trace_id(one) for one in (text, batch)]
    assert tracing.trace_id(opened.traceparent) not in {tracing.trace_id(text), tracing.trace_id(batch)}
    assert ring.attributes == {"reminder.id": "7", "state": "placed"}


def test_what_was_not_placed_is_an_error_and_so_kept(seen: InMemorySpanExporter) -> None:
    tracing.begin("ring", linked=()).end(error="timeout", state="unknown")
    (span,) = seen.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
