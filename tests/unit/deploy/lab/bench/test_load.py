"""The load generator: what it counts as answered, and when it starts counting."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.lab.bench import load

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers each request of each connection with the next of `answers`, round and round."""

    def __init__(self, answers: list[bytes], wait_seconds: float = 0.0) -> None:
        self.answers = answers
        self.wait_seconds = wait_seconds
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = ("127.0.0.1", int(self.listener.getsockname()[1]))
        self.given = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, made: socket.socket) -> None:
        with made:
            while made.recv(65536):
                time.sleep(self.wait_seconds)
                answer = self.answers[self.given % len(self.answers)]
                self.given += 1
                if not answer:
                    return
                made.sendall(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server([ANSWER])
    yield made
    made.listener.close()


def test_a_closed_run_ends_when_its_requests_are_used_up(server: Server) -> None:
    run = load.closed(targets=[server.address], requests=[REQUEST] * 50, connections=4, seconds=30)
    assert (run.sent, run.good, run.failed, len(run.latencies)) == (50, 50, 0, 50)


def test_refusals_are_failures_and_have_no_latency(server: Server) -> None:
    server.answers = [ANSWER, REFUSAL]
    run = load.closed(targets=[server.address], requests=[REQUEST] * 10, connections=1, seconds=30)
    assert (run.sent, run.good, run.failed, len(run.latencies)) == (10, 5, 5, 5)
    assert run.statuses == {"200": 5, "503": 5}


def test_a_connection_that_is_closed_fails_its_request_and_is_made_again(server: Server) -> None:
    server.answers = [ANSWER, b""]
    run = load.closed(targets=[server.address], requests=[REQUEST] * 6, connections=1, seconds=30)
    assert (run.sent, run.good) == (6, 3)


def test_an_open_run_counts_from_the_scheduled_instant(server: Server) -> None:
    # One connection, 20 ms for each answer, one request due each 5 ms: the last waits for all before it.
    server.wait_seconds = 0.02
    run = load.scheduled(targets=[server.address], requests=[REQUEST] * 10, connections=1, rate=200.0)
    assert run.good == 10
    assert max(run.latencies) >= 10 * 0.02 - 9 * 0.005


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (ANSWER, True),
        (ANSWER[:-1], False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_taken_only_when_it_is_whole(answer: bytes, complete: bool) -> None:
    assert load.whole(answer) is complete
