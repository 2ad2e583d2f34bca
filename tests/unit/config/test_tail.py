"""What is kept of the traces: every error, every slow one, every one under watch, and one and the same share."""

import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, Span, Status, StatusCode, Tracer, set_span_in_context

from config import tail
from config.tail import TailProcessor, is_kept_by_share
from reminders.tracing import KEEP, MEMBERS


class Kept:
    """A tracer of its own, and what came through."""

    def __init__(self, *, ratio: float, slow_seconds: float = 60.0) -> None:
        self._seen = InMemorySpanExporter()
        self._provider = TracerProvider()
        following = SimpleSpanProcessor(self._seen)
        self._provider.add_span_processor(TailProcessor(following, ratio=ratio, slow_seconds=slow_seconds))
        self.tracer: Tracer = self._provider.get_tracer("tests")

    def names(self) -> list[str]:
        return [span.name for span in self._seen.get_finished_spans()]

    def close(self) -> None:
        self._provider.shutdown()


@pytest.fixture
def nothing() -> Iterator[Kept]:
    kept = Kept(ratio=0.0)
    yield kept
    kept.close()


def test_it_lets_an_ordinary_trace_go(nothing: Kept) -> None:
    with nothing.tracer.start_as_current_span("root"), nothing.tracer.start_as_current_span("child"):
        pass
    assert nothing.names() == []


def test_it_keeps_the_whole_trace_of_an_error_in_a_child(nothing: Kept) -> None:
    with nothing.tracer.start_as_current_span("root"):
        with nothing.tracer.start_as_current_span("good"):
            pass
        with nothing.tracer.start_as_current_span("bad") as bad:
            bad.set_status(Status(StatusCode.ERROR))
    assert nothing.names() == ["good", "bad", "root"]


def test_it_keeps_the_trace_of_a_person_under_watch(nothing: Kept) -> None:
    with nothing.tracer.start_as_current_span("root", attributes={KEEP: True}):
        pass
    assert nothing.names() == ["root"]


def test_it_keeps_what_took_long(nothing: Kept) -> None:
    nothing.tracer.start_span("quick", start_time=1_000).end(end_time=2_000)
    nothing.tracer.start_span("slow", start_time=0).end(end_time=61_000_000_000)
    assert nothing.names() == ["slow"]


def test_it_keeps_what_was_done_for_several_with_the_first_that_is_kept_and_once(nothing: Kept) -> None:
    kept, also, other = (nothing.tracer.start_span("text") for _ in range(3))
    commit(nothing, kept, also, other).end()
    other.end()
    assert nothing.names() == []
    for span in (kept, also):
        span.set_attribute(KEEP, True)
        span.end()
    assert nothing.names() == ["text", "commit", "text"]


def test_it_lets_go_what_was_done_for_several_of_whom_none_is_kept(nothing: Kept) -> None:
    several = [nothing.tracer.start_span("text") for _ in range(3)]
    commit(nothing, *several).end()
    for span in several:
        span.end()
    nothing.tracer.start_span("another", attributes={KEEP: True}).end()
    assert nothing.names() == ["another"]


def test_it_keeps_every_text_that_was_in_a_commit_that_failed(nothing: Kept) -> None:
    several = [nothing.tracer.start_span("text") for _ in range(2)]
    failed = commit(nothing, *several)
    failed.set_status(Status(StatusCode.ERROR))
    failed.end()
    for span in (*several, nothing.tracer.start_span("another")):
        span.end()
    assert nothing.names() == ["commit", "text", "text"]


def test_it_keeps_every_text_that_was_in_a_slow_commit() -> None:
    kept = Kept(ratio=0.0, slow_seconds=5)
    several = [kept.tracer.start_span("text") for _ in range(2)]
    began = time.time_ns()
    commit(kept, *several, at=began - 6_000_000_000).end(began)
    for span in several:
        span.end()
    assert kept.names() == ["commit", "text", "text"]
    kept.close()


def commit(kept: Kept, *members: Span, at: int | None = None) -> Span:
    links = [Link(span.get_span_context()) for span in members]
    return kept.tracer.start_span("commit", links=links, attributes={MEMBERS: len(members)}, start_time=at)


def test_every_process_keeps_the_same_share() -> None:
    ids = [number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128) for number in range(1, 401)]
    assert 60 < sum(is_kept_by_share(each, 0.25) for each in ids) < 140
    assert all(is_kept_by_share(each, 1.0) and not is_kept_by_share(each, 0.0) for each in ids)
    assert all(is_kept_by_share(each, 0.5) for each in ids if is_kept_by_share(each, 0.25))


def test_it_holds_no_more_open_traces_than_its_bound(nothing: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts whose root never ends here, such as those of a thread that died, do not pile up."""
    monkeypatch.setattr(tail, "OPEN_TRACES_MAX", 3)
    kept = Kept(ratio=1.0)
    roots = [kept.tracer.start_span(f"root {number}") for number in range(5)]
    for number, root in enumerate(roots):
        kept.tracer.start_span(f"child {number}", context=set_span_in_context(root)).end()
    for root in roots:
        root.end()
    assert kept.names() == [
        "root 0", "root 1", "child 2", "root 2", "child 3", "root 3", "child 4", "root 4",
    ]  # fmt: skip
    kept.close()
