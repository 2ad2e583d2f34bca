"""Backends on real sockets: each notes what it was asked, and answers as a test wants."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from deploy.local.proxy.backends import HOST

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def ok(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def cut(writer: asyncio.StreamWriter) -> None:
    """It dies once it has the request."""
    writer.transport.abort()


async def half(writer: asyncio.StreamWriter) -> None:
    """It dies in the middle of its answer."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")


async def until_eof(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts")


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@dataclass(kw_only=True)
class Web:
    """A backend that notes what it was asked."""

    answer: Answer = ok
    asked: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    ready: bool = True
    port: int = 0
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /readyz"):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if self.ready else b"HTTP/1.1 503 No\r\n\r\n")
            else:
                self.asked.append(head.split(b"\r\n")[0])
                self.heads.append(head)
                await self.answer(writer)
        writer.close()
