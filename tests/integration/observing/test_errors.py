"""Errors: with a DSN one event per cause, which shares the trace's id and names nobody; without, nothing is loaded."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import errors

REPOSITORY = Path(__file__).resolve().parents[3]
NUMBER, WORDS = "+12025550163", "the quincunx pomander"


class Collector(ThreadingHTTPServer):
    """Takes whatever is posted, as Sentry and an OTLP receiver would."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[tuple[str, bytes]] = []

    def events(self) -> list[dict[str, Any]]:
        """The events of the envelopes (https://develop.sentry.dev/sdk/data-model/envelopes/)."""
        found = []
        for path, body in self.bodies:
            if path.endswith("/envelope/"):
                lines = body.split(b"\n")
                found += [json.loads(lines[place + 1]) for place, line in enumerate(lines) if b'"type":"event"' in line]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_gzip = self.headers.get("Content-Encoding") == "gzip"
        self.server.bodies.append((self.path, gzip.decompress(body) if is_gzip else body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def erring(collector: Collector, tmp_path: Path, *words: str, **settings: str) -> tuple[list[str], str]:
    """Run the process that errs: what it printed, in words, and what it logged."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RINGBACK_", "SENTRY_", "OTEL_"))}
    told = {
        "RINGBACK_HOME": str(tmp_path),
        "RINGBACK_INSTANCE": "web-7",
        "RINGBACK_TRACE_RATIO": "1",
        "RINGBACK_LOG_FORMAT": "json",
        "DATABASE_URL": "postgresql://ringback_app@127.0.0.1:1/nothing",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "PYTHONPATH": str(REPOSITORY),
    }
    done = subprocess.run(
        [sys.executable, "tests/integration/observing/erring.py", NUMBER, WORDS, *words],
        cwd=REPOSITORY,
        env={**kept, **told, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(maxsplit=1), done.stderr


def test_an_error_is_one_event_that_shares_the_trace_and_names_nobody(collector: Collector, tmp_path: Path) -> None:
    dsn = f"http://public@127.0.0.1:{collector.server_port}/7"
    (trace_context, rest), logged = erring(collector, tmp_path, SENTRY_DSN=dsn)
    assert rest.strip() == "['traceparent'] True"
    webhook, page = collector.events()
    assert (webhook["tags"]["event"], webhook["tags"]["attempt"]) == ("webhook.failed", "the attempt")
    assert [one["type"] for one in webhook["exception"]["values"]] == ["RuntimeError", "ValueError"]
    assert [one["value"] for one in webhook["exception"]["values"]] == ["", "ValueError"]
    assert webhook["exception"]["values"][1]["stacktrace"]["frames"][-1]["function"] == "_fail"
    assert page["tags"]["event"] == "django.request"
    assert [one["type"] for one in page["exception"]["values"]] == ["KeyError"]
    for event in (webhook, page):
        assert event["contexts"]["trace"]["trace_id"] == trace_context[3:35]
        assert event["contexts"]["trace"]["span_id"] == trace_context[36:52]
        assert event["server_name"] == "web-7"
        assert not {"user", "request", "breadcrumbs", "extra", "modules"} & event.keys()
    assert [path for path, _ in collector.bodies if path == "/v1/traces"] != []
    for place, body in [*collector.bodies]:
        assert NUMBER.lstrip("+").encode() not in body, place
        assert b"quincunx" not in body, place
    ours = [json.loads(line) for line in logged.splitlines() if '"event"' in line]
    traces = {line["event"]: line.get("trace_id") for line in ours}  # of which trace each line is
    assert [traces[event] for event in ("webhook.failed", "database.away")] == [trace_context[3:35]] * 2
    tracebacks = [json.loads(line)["exception"] for line in logged.splitlines() if '"exception"' in line]
    assert len(tracebacks) == 4  # each time, in the log
    assert tracebacks[0].endswith("ValueError")
    assert "_fail" in tracebacks[0]
    assert NUMBER not in "".join(tracebacks)
    assert "quincunx" not in "".join(tracebacks)


def test_what_nobody_catches_is_told_as_any_error_is(collector: Collector, tmp_path: Path) -> None:
    dsn = f"http://public@127.0.0.1:{collector.server_port}/7"
    printed, logged = erring(collector, tmp_path, "uncaught", SENTRY_DSN=dsn)
    assert [word.strip() for word in printed] == ["lives", "on"]
    assert sorted(
        (event["tags"]["event"], event["exception"]["values"][-1]["type"]) for event in collector.events()
    ) == [
        ("asyncio", "KeyError"),
        ("asyncio", "ValueError"),
        ("thread.failed", "ValueError"),
    ]
    ours = [line for line in map(json.loads, logged.splitlines()) if line["level"] == "error"]
    assert sorted((line["event"], line.get("thread")) for line in ours) == [
        ("loop.failed", None),
        ("loop.failed", None),
        ("thread.failed", "drain"),
    ]
    assert all("erring.py" in line["exception"] for line in ours)
    for said in (logged.encode(), *(body for _, body in collector.bodies)):
        assert NUMBER.lstrip("+").encode() not in said
        assert b"quincunx" not in said


def test_nothing_is_loaded_where_there_is_no_dsn(collector: Collector, tmp_path: Path) -> None:
    (_, rest), _ = erring(collector, tmp_path)
    assert rest.strip() == "['traceparent'] False"
    assert collector.events() == []


def test_a_cause_is_told_again_after_a_while_and_causes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter, now = errors._Reporter(), [0.0]
    monkeypatch.setattr("config.errors.time.monotonic", lambda: now[0])
    assert [reporter.is_new(("a",)) for _ in range(3)] == [True, False, False]
    assert reporter.is_new(("b",))
    now[0] += errors.CAUSE_SECONDS
    assert reporter.is_new(("a",))
    for number in range(2 * errors.CAUSES_MAX):
        reporter.is_new((number,))
    assert len(reporter._told) == errors.CAUSES_MAX


def test_an_error_tells_what_names_nobody() -> None:
    assert errors.told(ValueError(NUMBER)) == "ValueError"
    assert errors.told(ConnectionRefusedError(111, NUMBER)) == "ConnectionRefusedError 111"
    assert errors.told(psycopg.errors.UniqueViolation(NUMBER)) == "UniqueViolation"
