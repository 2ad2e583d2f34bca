"""The receiver of the embedded trace store: `python -m config.observing.receiver`, a process of its own.

It speaks OTLP over HTTP on the loopback (`POST /v1/traces`), so that any other backend takes its place by one
setting. It knows no Django and no database: it goes on when everything else is broken, and costs nobody anything
when it is dead, since exporters drop what they cannot send.
"""

import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from config import settings
from config.observing import otlp
from config.observing.spans import Store

READY: Final = "traces are received"
_REQUEST_SECONDS: Final = 5.0
_AT_ONCE_MAX: Final = 8
_PRUNE_SECONDS: Final = 60.0
_DAY_NS: Final = 86_400 * 1_000_000_000


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, store: Store) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.store = store
        self.places = threading.BoundedSemaphore(_AT_ONCE_MAX)


class _Handler(BaseHTTPRequestHandler):
    """One exporter's connection."""

    server: _Server
    timeout = _REQUEST_SECONDS
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep the spans of one export."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/v1/traces":
            self._answer(404)
        elif not 0 < length <= otlp.BODY_BYTES_MAX:
            self._answer(413)
        elif not self.server.places.acquire(blocking=False):
            self._answer(503)
        else:
            try:
                self._answer(self._kept(self.rfile.read(length)))
            finally:
                self.server.places.release()

    def do_GET(self) -> None:
        """Whether it lives."""
        self._answer(200 if self.path == "/livez" else 404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing of each request: that it failed is counted by who sent it."""

    def _kept(self, body: bytes) -> int:
        try:
            self.server.store.add(otlp.spans(body, gzipped=self.headers.get("Content-Encoding") == "gzip"))
        except otlp.Malformed:
            return 400
        except sqlite3.Error as error:
            print(f"traces: not kept: {error}", file=sys.stderr, flush=True)
            return 503
        return 200

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        if status != 200:
            self.send_header("Connection", "close")  # what was not read must not be taken for the next request
        self.end_headers()
        self.close_connection = status != 200


def main() -> None:
    """Serve until told to stop."""
    if not settings.RINGBACK_TRACE_STORE:
        sys.exit("RINGBACK_TRACE_STORE names no file: set it to where spans are to be kept.")
    store = Store(Path(settings.RINGBACK_TRACE_STORE))
    store.prepare()
    threading.Thread(target=_prune, args=(store,), daemon=True).start()
    with _Server(settings.RINGBACK_TRACE_PORT, store) as server:
        print(READY, flush=True)
        server.serve_forever()


def _prune(store: Store) -> None:
    kept_ns = int(settings.RINGBACK_TRACE_DAYS * _DAY_NS)
    while True:
        try:
            store.prune(before_ns=time.time_ns() - kept_ns, bytes_max=settings.RINGBACK_TRACE_BYTES)
        except sqlite3.Error as error:
            print(f"traces: not pruned: {error}", file=sys.stderr, flush=True)
        time.sleep(_PRUNE_SECONDS)


if __name__ == "__main__":
    main()
