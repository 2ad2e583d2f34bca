"""The web's own HTTP: bounds on everything, one answer after the other, and nobody is kept waiting for a stranger."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import pytest

from config import heads, serving
from config.heads import Head
from config.serving import Clients

WAIT_SECONDS: Final = 20.0
BODY_MAX: Final = 100


@dataclass(frozen=True)
class _Told:
    status_code: int
    headers: list[tuple[str, str]]
    content: bytes


@dataclass
class _Echo:
    """Says what it was asked; `/held` waits for `go`."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    def body_bytes_max(self, head: Head) -> int:
        return BODY_MAX

    async def answer(self, head: Head, body: bytes | None, peer: str) -> _Told:
        assert peer == "127.0.0.1"
        self.asked.append(head.path)
        if head.path == "/held":
            self.held.set()
            await self.go.wait()
        if body is None:
            return _Told(413, [], b"too long")
        return _Told(200, [("content-type", "text/plain")], head.path.encode() + b" " + body)


@dataclass
class Client:
    """A stranger with a socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self, *, with_body: bool = True) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return int(head[9:12]), await self.reader.readexactly(length) if with_body else b""

    async def is_hung_up(self) -> bool:
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


Connect = Callable[[], Awaitable[Client]]


def _serve(talk: Callable[[Connect, Clients, _Echo], Awaitable[None]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        application = _Echo()
        clients = Clients(application=application, loop=loop)
        server = await loop.create_server(clients.new, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        known: list[Client] = []

        async def connect() -> Client:
            known.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
            return known[-1]

        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await talk(connect, clients, application)
        finally:
            server.close()
            await clients.end(seconds=WAIT_SECONDS)
            for one in known:
                one.writer.close()

    asyncio.run(run())


def _post(path: str, body: bytes, *more: bytes) -> bytes:
    lines = [b"POST %s HTTP/1.1" % path.encode(), b"Host: x", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join([*lines, b"", b""]) + body


def test_it_answers_several_requests_of_one_connection_in_their_order() -> None:
    async def talk(connect: Connect, _: Clients, application: _Echo) -> None:
        client = await connect()
        client.send(_post("/held", b"1"), _post("/b", b"2"), _post("/c", b""))
        await application.held.wait()
        application.go.set()
        assert [await client.answer() for _ in range(3)] == [(200, b"/held 1"), (200, b"/b 2"), (200, b"/c ")]

    _serve(talk)


def test_it_reads_a_request_that_comes_in_pieces() -> None:
    async def talk(connect: Connect, _: Clients, __: _Echo) -> None:
        client = await connect()
        for byte in _post("/a", b"some words") + _post("/b", b"more"):
            client.send(bytes([byte]))
            await client.writer.drain()
            await asyncio.sleep(0)
        assert await client.answer() == (200, b"/a some words")
        assert await client.answer() == (200, b"/b more")

    _serve(talk)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nHost: " + b"x" * heads.HEAD_BYTES_MAX, 431),
        (b"GET / HTTP/1.1\r\nHost: " + b"x" * heads.HEAD_BYTES_MAX + b"\r\n\r\n", 431),
    ],
)
def test_it_refuses_and_hangs_up(said: bytes, status: int) -> None:
    async def talk(connect: Connect, _: Clients, application: _Echo) -> None:
        client = await connect()
        client.send(said, _post("/smuggled", b""))
        assert await client.answer() == (status, b"")
        assert await client.is_hung_up()
        assert application.asked == []

    _serve(talk)


def test_it_does_not_wait_for_a_body_that_is_too_long() -> None:
    async def talk(connect: Connect, _: Clients, application: _Echo) -> None:
        client = await connect()
        client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", b"x" * 50)
        assert await client.answer() == (413, b"too long")
        assert await client.is_hung_up()
        assert application.asked == ["/a"]

    _serve(talk)


def test_it_tells_who_waits_to_hear_that_a_body_is_wanted() -> None:
    async def talk(connect: Connect, _: Clients, __: _Echo) -> None:
        client = await connect()
        head, body = _post("/a", b"words", b"Expect: 100-continue")[:-5], b"words"
        client.send(head)
        assert await client.answer() == (100, b"")
        client.send(body)
        assert await client.answer() == (200, b"/a words")

    _serve(talk)


def test_it_answers_who_sends_no_more() -> None:
    async def talk(connect: Connect, _: Clients, application: _Echo) -> None:
        client = await connect()
        client.send(_post("/held", b"words"))
        client.writer.write_eof()
        await application.held.wait()
        application.go.set()
        assert await client.answer() == (200, b"/held words")
        assert await client.is_hung_up()

    _serve(talk)


def test_it_answers_head_without_a_body() -> None:
    async def talk(connect: Connect, _: Clients, __: _Echo) -> None:
        client = await connect()
        client.send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await client.answer(with_body=False) == (200, b"")
        client.send(_post("/b", b""))
        assert await client.answer() == (200, b"/b ")

    _serve(talk)


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"", None),
        (b"POST /a HT", 408),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 408),
    ],
)
def test_it_hangs_up_on_who_does_not_send_on(said: bytes, answered: int | None) -> None:
    async def talk(connect: Connect, clients: Clients, application: _Echo) -> None:
        silent, busy = await connect(), await connect()
        busy.send(_post("/held", b""))
        await application.held.wait()
        silent.send(said)
        while len(clients.all) < 2 or (said and not any(one._received or one._head for one in clients.all)):
            await asyncio.sleep(0)
        clients.sweep(now=clients.loop.time() + serving.HEAD_SECONDS + 1)
        if answered is not None:
            assert (await silent.answer())[0] == answered
        assert await silent.is_hung_up()
        application.go.set()
        assert await busy.answer() == (200, b"/held "), "what is being answered has no deadline here"

    _serve(talk)


def test_it_lets_in_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CONNECTIONS_MAX", 1)

    async def talk(connect: Connect, clients: Clients, __: _Echo) -> None:
        first = await connect()
        first.send(_post("/a", b""))
        assert await first.answer() == (200, b"/a ")
        second = await connect()
        assert await second.answer() == (503, b"")
        assert await second.is_hung_up()
        first.send(_post("/b", b""))
        assert await first.answer() == (200, b"/b ")

    _serve(talk)


def test_it_ends_what_is_idle_and_answers_what_was_begun() -> None:
    async def talk(connect: Connect, clients: Clients, application: _Echo) -> None:
        idle, busy = await connect(), await connect()
        busy.send(_post("/held", b""))
        await application.held.wait()
        ending = asyncio.create_task(clients.end(seconds=WAIT_SECONDS))
        assert await idle.is_hung_up()
        application.go.set()
        assert await busy.answer() == (200, b"/held ")
        await ending
        assert await busy.is_hung_up()

    _serve(talk)


def test_a_client_that_hangs_up_meanwhile_breaks_nothing() -> None:
    async def talk(connect: Connect, clients: Clients, application: _Echo) -> None:
        gone, other = await connect(), await connect()
        gone.send(_post("/held", b""), _post("/b", b""))
        await application.held.wait()
        other.send(_post("/a", b""))
        assert await other.answer() == (200, b"/a ")
        resets = struct.pack("ii", 1, 0)
        gone.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, resets)
        gone.writer.transport.abort()
        while len(clients.all) > 1:
            await asyncio.sleep(0.001)
        application.go.set()
        other.send(_post("/c", b""))
        assert await other.answer() == (200, b"/c ")
        assert application.asked == ["/held", "/a", "/c"]

    _serve(talk)
