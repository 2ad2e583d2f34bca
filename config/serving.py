"""HTTP/1.1 on the event loop itself: a request costs one read, one task and one write, and no other thread.

A client gets its bounded time for its head and for its body, and may keep its connection without a request for a
while. Requests of one connection are answered one after the other. Nothing is begun before a request's body is whole.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final, Protocol

import structlog

from config import heads
from config.heads import Head
from reminders import limits

log = structlog.get_logger()

HEAD_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 75.0  # longer than a proxy's or a carrier's own, so that they close and we do not
SWEEP_SECONDS: Final = 1.0
CONNECTIONS_MAX: Final = 1024
STOP_SECONDS: Final = 2.0
BACKLOG: Final = 1024
LINGER_SECONDS: Final = 1.0
_AHEAD_BYTES_MAX: Final = 64 * 1024  # what a client may send before it has read its answer
_LINGER_BYTES_MAX: Final = 2 * 1024 * 1024
_SILENT: Final = float("inf")


class Told(Protocol):
    """What is answered."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def content(self) -> bytes: ...


class Application(Protocol):
    """What is served."""

    def body_bytes_max(self, head: Head) -> int:
        """The longest body of this request that is read."""

    def answer(self, head: Head, body: bytes | None, peer: str) -> Awaitable[Told]:
        """The answer; `body` is None where it is longer than that, and was not read. Never raises."""


async def serve(*, application: Application, port: int, started: Callable[[], None] = lambda: None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; then take no more, end what is idle, and give the rest its time."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clients = Clients(application=application, loop=loop)
    server = await loop.create_server(clients.new, "127.0.0.1", port, backlog=BACKLOG)
    started()
    await stop.wait()
    server.close()
    await clients.end(seconds=STOP_SECONDS)


class Clients:
    """Every connection of this process, and its deadlines, which are looked at together once a second."""

    def __init__(self, *, application: Application, loop: asyncio.AbstractEventLoop) -> None:
        self.application = application
        self.loop = loop
        self.all: set[Connection] = set()
        self.closing = False
        self.running: set[asyncio.Task[None]] = set()
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep_on)
        self._date = (0, "")

    def new(self) -> "Connection":
        return Connection(self)

    def date(self) -> str:
        """Now, as HTTP writes it."""
        second = int(time.time())
        if second != self._date[0]:
            self._date = second, formatdate(second, usegmt=True)
        return self._date[1]

    async def end(self, *, seconds: float) -> None:
        """End what is idle at once; what is being answered has so long."""
        self.closing = True
        for connection in list(self.all):
            connection.close_if_idle()
        if self.running:
            await asyncio.wait(list(self.running), timeout=seconds)
        self._sweeper.cancel()
        for connection in list(self.all):
            connection.abort()

    def sweep(self, *, now: float) -> None:
        """Hang up on everybody whose time is over; `now` by the loop's clock."""
        for connection in [one for one in self.all if one.deadline < now]:
            connection.over()

    def _sweep_on(self) -> None:
        self.sweep(now=self.loop.time())
        self._sweeper = self.loop.call_later(SWEEP_SECONDS, self._sweep_on)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, clients: Clients) -> None:
        self.deadline = _SILENT
        self._clients = clients
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._head: Head | None = None  # of the request whose body is awaited
        self._busy = False
        self._ended = False  # the client sends no more
        self._lingering: int | None = None  # bytes that came after the last answer, and are not read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._clients.all.add(self)
        self._wait(HEAD_SECONDS)
        if len(self._clients.all) > CONNECTIONS_MAX or self._clients.closing:
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        self.deadline = _SILENT
        self._clients.all.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering += len(data)
            if self._lingering > _LINGER_BYTES_MAX:
                self.abort()
            return
        self._received = self._received + data if self._received else data
        if not self._busy:
            self._advance()
        elif len(self._received) > _AHEAD_BYTES_MAX and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        return self._busy and self._lingering is None  # its answer can still be written

    def over(self) -> None:
        """The client's time was over."""
        if not self._busy and (self._head is not None or self._received):
            self._refuse(408)
        else:
            self.abort()

    def close_if_idle(self) -> None:
        if not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _wait(self, seconds: float) -> None:
        self.deadline = self._clients.loop.time() + seconds

    def _advance(self) -> None:
        """Read on, as far as it has come: a head, then a body, and then it is answered."""
        if self._head is None and not self._read_head():
            return
        head = self._head
        assert head is not None
        is_too_long = head.length > self._clients.application.body_bytes_max(head)
        if not is_too_long and len(self._received) < head.length:
            return
        body = None if is_too_long else self._received[: head.length]
        self._received = b"" if body is None else self._received[head.length :]
        self._head, self._busy, self.deadline = None, True, _SILENT
        task = self._clients.loop.create_task(self._answer(head, body))
        self._clients.running.add(task)
        task.add_done_callback(self._clients.running.discard)

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n") + 4
        if end < 4 or end > heads.HEAD_BYTES_MAX:
            if len(self._received) > heads.HEAD_BYTES_MAX:
                self._refuse(431)
            elif self._received:
                self.deadline = min(self.deadline, self._clients.loop.time() + HEAD_SECONDS)
            return False
        try:
            self._head = heads.read(self._received[:end])
        except heads.Refused as refused:
            self._refuse(refused.status)
            return False
        self._received = self._received[end:]
        if self._head.length > len(self._received):
            self._wait(limits.BODY_SECONDS)
            if self._head.expects and self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    async def _answer(self, head: Head, body: bytes | None) -> None:
        transport = self._transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        told = await self._clients.application.answer(head, body, peer[0] if peer else "")
        transport, self._busy = self._transport, False
        if transport is None:
            return  # hung up meanwhile
        keeps = head.keeps and body is not None and not self._ended and not self._clients.closing
        self._write(told, keeps=keeps, with_body=head.method != "HEAD")
        if not keeps:
            self._close(lingers=body is None)
            return
        self._wait(IDLE_SECONDS)
        if self._received:
            transport.resume_reading()
            self._advance()

    def _write(self, told: Told, *, keeps: bool, with_body: bool) -> None:
        assert self._transport is not None
        content = told.content
        head = heads.answer(
            status=told.status_code, fields=told.headers, length=len(content), date=self._clients.date(), keeps=keeps
        )
        self._transport.write(head + content if with_body else head)

    def _refuse(self, status: int) -> None:
        """Say it, and hang up: where one request ends and the next begins is not known any more."""
        if self._transport is None or self._busy:
            return
        said = heads.answer(status=status, fields=(), length=0, date=self._clients.date(), keeps=False)
        self._transport.write(said)
        self._close(lingers=True)

    def _close(self, *, lingers: bool) -> None:
        """Once all is written. Who still sends reads its answer first: an end amid that would take it away."""
        assert self._transport is not None
        self._received, self._head, self._busy = b"", None, True
        if lingers and not self._ended and self._transport.can_write_eof():
            self._lingering = 0
            self._wait(LINGER_SECONDS)
            self._transport.write_eof()
        else:
            self._wait(HEAD_SECONDS)
            self._transport.close()
