"""The embedded trace store: what an exporter sends is kept, within bounds, and drawn for staff only."""

import gzip
import http.client
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link

from config.observing import otlp, receiver
from config.observing.otlp import Malformed
from config.observing.spans import Span, Store

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "traces" / "spans.sqlite")
    made.prepare()
    return made


def spans(count: int, *, start_ns: int = 0, trace: str = "ab" * 16) -> list[Span]:
    return [
        Span(
            trace_id=trace,
            span_id=f"{number:016x}",
            parent_id="",
            name=f"work {number}",
            instance="web-1",
            start_ns=start_ns + number,
            end_ns=start_ns + number + 5,
            error="",
            attributes={"reminder.id": "1"},
        )
        for number in range(count)
    ]


def test_it_keeps_a_span_once(store: Store) -> None:
    store.add(spans(3))
    store.add(spans(3))
    assert store.trace("ab" * 16) == spans(3)
    assert store.linked("ab" * 16) == []


def test_it_lets_the_oldest_go_first(store: Store) -> None:
    store.add(spans(10, start_ns=1_000))
    store.add(spans(10, start_ns=9_000, trace="cd" * 16))
    assert store.prune(before_ns=5_000, bytes_max=1 << 30) == 10
    assert (len(store.trace("ab" * 16)), len(store.trace("cd" * 16))) == (0, 10)
    assert store.prune(before_ns=0, bytes_max=1) == 10


def test_it_goes_on_where_its_file_was_deleted_to_free_the_disk(store: Store, tmp_path: Path) -> None:
    """As the runbook DiskNearlyFull has it; a reader that looked meanwhile has left an empty file."""
    store.add(spans(3))
    for place in (tmp_path / "traces").glob("spans.sqlite*"):
        place.unlink()
    with pytest.raises(sqlite3.OperationalError):
        store.trace("ab" * 16)
    store.add(spans(2))
    assert store.trace("ab" * 16) == spans(2)


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"not protobuf at all"])
def test_it_refuses_what_is_no_export(body: bytes) -> None:
    with pytest.raises(Malformed):
        otlp.spans(body, gzipped=False)


def test_it_refuses_what_inflates_beyond_its_bound() -> None:
    with pytest.raises(Malformed, match="inflated"):
        otlp.spans(gzip.compress(bytes(otlp.BODY_BYTES_MAX + 1)), gzipped=True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The receiver as the supervisor starts it: its port and its file."""
    place = tmp_path / "spans.sqlite"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {"RINGBACK_TRACE_STORE": str(place), "RINGBACK_TRACE_PORT": str(port), "RINGBACK_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.observing.receiver"],
        cwd=REPOSITORY,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == receiver.READY
        yield port, place
    finally:
        process.kill()
        process.communicate()


def answered(port: int, body: bytes, path: str = "/v1/traces") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_takes_what_an_exporter_sends_and_refuses_the_rest(served: tuple[int, Path]) -> None:
    port, place = served
    provider = TracerProvider(resource=Resource.create({"service.instance.id": "worker-1"}))
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("intake") as first:
        pass
    links = [Link(first.get_span_context())]
    with (
        tracer.start_as_current_span("ring", links=links, attributes={"batch": 2}) as ring,
        tracer.start_as_current_span("settle"),
    ):
        pass
    provider.shutdown()
    assert (answered(port, b"\xff\xff"), answered(port, b""), answered(port, b"x", "/elsewhere")) == (400, 413, 404)

    kept = Store(place)
    text_id, ring_id = (f"{one.get_span_context().trace_id:032x}" for one in (first, ring))
    assert [(span.name, span.instance) for span in kept.trace(ring_id)] == [
        ("ring", "worker-1"),
        ("settle", "worker-1"),
    ]
    assert kept.trace(ring_id)[0].attributes == {"batch": 2}
    assert [link.trace_id for link in kept.trace(ring_id)[0].links] == [text_id]
    assert (kept.linked(ring_id), kept.linked(text_id)) == ([text_id], [ring_id])
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def staff(world: object) -> Client:
    """A member of the staff, signed in."""
    client = Client()
    client.force_login(User.objects.create_user("teacher", is_staff=True))
    return client


def test_its_page_is_for_staff(world: object) -> None:
    assert Client().get(f"/trace/{'ab' * 16}/").status_code == 302


def test_its_page_draws_the_trace_with_its_links(staff: Client, store: Store, tmp_path: Path, settings: object) -> None:
    settings.RINGBACK_TRACE_STORE = str(tmp_path / "traces" / "spans.sqlite")  # type: ignore[attr-defined]
    store.add(spans(2))
    page = staff.get(f"/trace/{'ab' * 16}/")
    assert page.status_code == 200
    assert "work 1" in page.content.decode()


@pytest.mark.parametrize(("trace", "status"), [("ab" * 16, 404), ("no-trace", 404)])
def test_its_page_says_what_is_missing(staff: Client, trace: str, status: int) -> None:
    page = staff.get(f"/trace/{trace}/")
    assert page.status_code == status
    assert 'role="alert"' in page.content.decode()
