"""The carrier's client sends a request once, whatever becomes of the connection. Timers are the only retry."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode

from reminders import limits, tracing
from reminders.carriers import session
from reminders.carriers.base import CallRequest, Rejected, Unavailable, Unknown
from reminders.carriers.twilio import Twilio

OK: Final = b'HTTP/1.1 201 Created\r\nContent-Length: 14\r\n\r\n{"sid": "CA1"}'
REQUEST: Final = CallRequest(attempt_id=UUID(int=7), to="+12025550101", ring_seconds=30)
Answer = Callable[[socket.socket], bool]


@dataclass
class Counter:
    """A server of one page: counts the requests whose head arrived, then does what it is told."""

    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                while data := _request(peer):
                    self.requests.append(data)
                    if not self.answer(peer):
                        break


@contextmanager
def _serving(answer: Answer) -> Iterator[Counter]:
    counter = Counter(answer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counter.port = listener.getsockname()[1]
        thread = threading.Thread(target=counter.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield counter
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=30)


def _request(peer: socket.socket) -> bytes:
    """One whole request; empty where the client has gone."""
    peer.settimeout(20)
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            chunk = peer.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += peer.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


@contextmanager
def _twilio(port: int) -> Iterator[Twilio]:
    carrier = Twilio(
        base=f"http://127.0.0.1:{port}",
        account_sid="AC1",
        auth_token="token",
        service_number="+12025550100",
        public_base="http://ringback.example",
    )
    try:
        yield carrier
    finally:
        session.run(carrier.session.close(), within_seconds=30)


def _place(carrier: Twilio) -> str:
    return session.run(carrier.place_call(REQUEST), within_seconds=30)


def _answers(response: bytes) -> Answer:
    def answer(peer: socket.socket) -> bool:
        peer.sendall(response)
        return True

    return answer


def test_it_sends_the_form_that_twilio_documents_and_gives_its_sid() -> None:
    with _serving(_answers(OK)) as server, _twilio(server.port) as carrier:
        assert _place(carrier) == "CA1"
    head, _, body = server.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /2010-04-01/Accounts/AC1/Calls.json HTTP/1.1\r\n")
    assert "Authorization: Basic QUMxOnRva2Vu" in head
    attempt = "00000000-0000-0000-0000-000000000007"
    webhooks = "http%3A%2F%2Fringback.example%2Fcarriers%2Ftwilio"
    assert body == (
        f"To=%2B12025550101&From=%2B12025550100&Url={webhooks}%2Fwords%3Fattempt%3D{attempt}&Timeout=30"
        f"&StatusCallback={webhooks}%2Fcall-status%3Fattempt%3D{attempt}&StatusCallbackEvent=initiated"
        "&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed"
    )


def test_it_asks_once_where_the_connection_closes_without_an_answer() -> None:
    with _serving(lambda _: False) as server, _twilio(server.port) as carrier, pytest.raises(Unknown):
        _place(carrier)
    assert len(server.requests) == 1


def test_it_asks_once_where_a_kept_connection_closes_under_the_next_request() -> None:
    answered: list[int] = []

    def once(peer: socket.socket) -> bool:
        answered.append(1)
        if len(answered) == 1:
            peer.sendall(OK)
            return True
        return False

    with _serving(once) as server, _twilio(server.port) as carrier:
        assert _place(carrier) == "CA1"
        with pytest.raises(Unknown):
            _place(carrier)
    assert len(server.requests) == 2


def test_it_asks_once_where_the_answer_breaks_off() -> None:
    def half(peer: socket.socket) -> bool:
        peer.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
        return False

    with _serving(half) as server, _twilio(server.port) as carrier, pytest.raises(Unknown):
        _place(carrier)
    assert len(server.requests) == 1


def test_it_asks_once_where_nothing_comes_back_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CARRIER_TIMEOUT_SECONDS", 1.0)
    held: list[socket.socket] = []

    def hang(peer: socket.socket) -> bool:
        held.append(peer.dup())
        return True

    with _serving(hang) as server, _twilio(server.port) as carrier, pytest.raises(Unknown, match="Timeout"):
        _place(carrier)
    for peer in held:
        peer.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, "", Unknown),
        (502, "<html>", Unknown),
        (503, '{"code": 20503}', Unknown),
        (504, "", Unknown),
        (408, "", Unknown),
        (307, "", Unknown),
        (429, '{"code": 20429}', Unavailable),
        (429, "", Unavailable),
        (201, "", Unknown),
        (201, "{}", Unknown),
        (201, "[]", Unknown),
        (201, "nonsense", Unknown),
        (400, '{"code": 21211}', Rejected),
        (400, '{"code": 21610}', Rejected),
        (401, '{"code": 20003}', Rejected),
        (404, "[]", Rejected),
    ],
)
def test_it_asks_once_and_says_what_to_do_about(status: int, body: str, error: type[Exception]) -> None:
    response = f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    with _serving(_answers(response)) as server, _twilio(server.port) as carrier, pytest.raises(error):
        _place(carrier)
    assert len(server.requests) == 1


def test_it_is_unavailable_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with _twilio(port) as carrier, pytest.raises(Unavailable):
        _place(carrier)


def test_it_ends_a_run_that_takes_too_long() -> None:
    cancelled = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        session.run(slow(), within_seconds=0.05)
    assert cancelled.wait(timeout=30)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a recording process would export."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_ON)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("tests"))
    return exporter


def test_a_request_is_a_span_inside_what_asked_for_it_and_names_nobody(seen: InMemorySpanExporter) -> None:
    """Its trace goes into the addresses that come back to us, and into nothing that the carrier would read."""
    with (
        _serving(_answers(OK)) as server,
        _twilio(server.port) as carrier,
        tracing.span("ring", about={tracing.KEEP: True}) as ring,
    ):
        _place(carrier)
        with suppress(Unknown):  # the answer is no list
            session.run(carrier.calls_to("+12025550101", since=datetime.now(UTC)), within_seconds=30)
    spans = {span.name: span for span in seen.get_finished_spans()}
    assert set(spans) == {"POST Calls", "GET Calls", "ring"}
    for name in ("POST Calls", "GET Calls"):
        assert spans[name].kind is SpanKind.CLIENT
        assert spans[name].parent == spans["ring"].context
        assert spans[name].attributes == {"carrier": "twilio", "http.response.status_code": 201}
        assert "2025550101" not in spans[name].to_json()
    posted, listed = (request.decode() for request in server.requests)
    assert f"words%3Fattempt%3D{REQUEST.attempt_id}%26trace%3D{ring}%26keep%3D1&" in posted
    assert f"call-status%3Fattempt%3D{REQUEST.attempt_id}%26trace%3D{ring}%26keep%3D1&" in posted
    for request in (posted, listed):
        head = request.partition("\r\n\r\n")[0].lower()
        assert not any(f"\n{name}:" in head for name in ("traceparent", "tracestate", "baggage", "sentry-trace"))


@pytest.mark.parametrize(("answer", "reason"), [(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", "503"), (b"", "")])
def test_a_request_that_failed_is_an_error_with_its_reason(
    seen: InMemorySpanExporter, answer: bytes, reason: str
) -> None:
    def fails(peer: socket.socket) -> bool:
        peer.sendall(answer)
        return False

    with _serving(fails) as server, _twilio(server.port) as carrier, pytest.raises(Unknown) as failed:
        _place(carrier)
    (span,) = seen.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == failed.value.reason
    assert span.status.description == reason or not reason
