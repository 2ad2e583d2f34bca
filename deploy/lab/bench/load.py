"""A load generator that costs little: prepared requests, one thread, one epoll loop, keep-alive connections.

Closed model (`closed`): each connection sends its next request when its answer has come. Open model
(`scheduled`): requests leave at fixed instants whatever the answers do, and latency counts from the scheduled
instant, so that a stall is not forgiven. About 15 µs of processor per request.
"""

import contextlib
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_DRAIN_SECONDS: Final = 5.0
_RECEIVED_BYTES_MAX: Final = 65536


@dataclass(kw_only=True, slots=True)
class Run:
    """What one run saw. `latencies` (seconds) are of answers with status 200 only; everything else failed."""

    seconds: float = 0.0
    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def good(self) -> int:
        """Requests answered with 200."""
        return self.statuses["200"]

    @property
    def failed(self) -> int:
        """Requests answered otherwise, or not at all."""
        return self.sent - self.good

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds if self.seconds else 0.0


class _Connection:
    """One keep-alive connection; `since` is when its request was sent, or should have been."""

    __slots__ = ("address", "buffer", "since", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.buffer = b""
        self.since = 0.0
        self.socket = _connected(address)


class _Loop:
    """The connections of one run and what they have seen."""

    def __init__(self, targets: Sequence[tuple[str, int]], connections: int) -> None:
        self.epoll = select.epoll()
        self.run = Run()
        self.by_fd: dict[int, _Connection] = {}
        self.idle: deque[_Connection] = deque()
        for number in range(connections):
            self._add(_Connection(targets[number % len(targets)]))

    def _add(self, connection: _Connection) -> None:
        self.by_fd[connection.socket.fileno()] = connection
        self.epoll.register(connection.socket.fileno(), select.EPOLLIN)
        self.idle.append(connection)

    def send(self, request: bytes, since: float) -> None:
        """Send on an idle connection."""
        connection = self.idle.popleft()
        connection.since = since
        self.run.sent += 1
        try:
            connection.socket.sendall(request)
        except OSError as problem:
            self._lost(connection, type(problem).__name__)

    def hear(self, wait_seconds: float) -> None:
        """Take what answers have come, waiting at most so long for the first."""
        for fd, _ in self.epoll.poll(wait_seconds):
            connection = self.by_fd[fd]
            try:
                data = connection.socket.recv(_RECEIVED_BYTES_MAX)
            except BlockingIOError:
                continue
            except OSError as problem:
                self._lost(connection, type(problem).__name__)
                continue
            if not data:
                self._lost(connection, "closed")
                continue
            connection.buffer += data
            if whole(connection.buffer):
                self._answered(connection)

    def _answered(self, connection: _Connection) -> None:
        status = connection.buffer[9:12].decode("latin-1")
        connection.buffer = b""
        self.run.statuses[status] += 1
        if status == "200":
            self.run.latencies.append(time.perf_counter() - connection.since)
        self.idle.append(connection)

    def _lost(self, connection: _Connection, why: str) -> None:
        """The server went away, or closed an idle connection: that request failed; connect again."""
        with contextlib.suppress(ValueError):
            self.idle.remove(connection)
        if connection.since:
            self.run.statuses[why] += 1
        fd = connection.socket.fileno()
        self.epoll.unregister(fd)
        del self.by_fd[fd]
        connection.socket.close()
        self._add(_Connection(connection.address))

    def drain(self) -> None:
        """Wait, bounded, for the answers that are still owed."""
        until = time.perf_counter() + _DRAIN_SECONDS
        while len(self.idle) < len(self.by_fd) and time.perf_counter() < until:
            self.hear(0.1)

    def close(self) -> Run:
        """Close everything; what the run saw."""
        for connection in self.by_fd.values():
            connection.socket.close()
        self.epoll.close()
        return self.run


def closed(*, targets: Sequence[tuple[str, int]], requests: Sequence[bytes], connections: int, seconds: float) -> Run:
    """As many as `connections` that never pause can do in `seconds`, or until the requests are used up."""
    with _running(targets, connections) as loop:
        began = time.perf_counter()
        until = began + seconds
        waiting = iter(requests)
        exhausted = False
        while not exhausted and time.perf_counter() < until:
            while loop.idle:
                request = next(waiting, None)
                if request is None:
                    exhausted = True
                    break
                loop.send(request, time.perf_counter())
            loop.hear(0.05)
        loop.drain()
        loop.run.seconds = time.perf_counter() - began
        return loop.run


def scheduled(*, targets: Sequence[tuple[str, int]], requests: Sequence[bytes], connections: int, rate: float) -> Run:
    """One request each 1/`rate` seconds, all of them; a request without a free connection waits, and that counts."""
    with _running(targets, connections) as loop:
        began = time.perf_counter()
        position = 0
        while position < len(requests):
            now = time.perf_counter()
            due = began + position / rate
            if due > now:
                loop.hear(min(0.05, due - now))
                continue
            if loop.idle:
                loop.send(requests[position], due)
                position += 1
                loop.hear(0.0)
            else:
                loop.hear(0.05)
        loop.drain()
        loop.run.seconds = time.perf_counter() - began
        return loop.run


def whole(answer: bytes) -> bool:
    """Whether these bytes are a whole HTTP/1.1 answer."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    fields = head.lower()
    at = fields.find(b"\r\ncontent-length:")
    if at >= 0:
        return len(body) >= int(fields[at + 17 :].split(b"\r\n", 1)[0])
    return body.endswith(b"0\r\n\r\n") if b"\r\ntransfer-encoding: chunked" in fields else True


@contextlib.contextmanager
def _running(targets: Sequence[tuple[str, int]], connections: int) -> Iterator[_Loop]:
    loop = _Loop(targets, connections)
    try:
        yield loop
    finally:
        loop.close()


def _connected(address: tuple[str, int]) -> socket.socket:
    made = socket.create_connection(address, timeout=5)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made
