"""Clients: read a request whole, pass it on, give back the answer, within bounds on everything."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from deploy.local.proxy import heads
from deploy.local.proxy.backends import HOST, Backends, GoneError, Health, Held

_CHUNK_BYTES: Final = 64 * 1024
_LINGER_CHUNKS: Final = 32


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds, in seconds and numbers of connections."""

    connections_max: int = 1024
    in_flight_max: int = 64  # per backend
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    idle_seconds: float = 75.0  # longer than the carriers' own, so that they close and we do not
    wait_seconds: float = 10.0  # for room at the backends
    answer_seconds: float = 14.0  # to the first byte; a carrier waits for 15
    write_seconds: float = 10.0
    linger_seconds: float = 0.5
    drain_seconds: float = 1.5


class CutError(Exception):
    """The backend ended before its answer did."""


@dataclass(kw_only=True)
class Proxy:
    """The clients' side."""

    backends: Backends
    limits: Limits = field(default_factory=Limits)
    counts: Counter[str] = field(default_factory=Counter)
    _clients: dict[asyncio.Task[None], bool] = field(default_factory=dict)  # task → is amid a request
    _closing: bool = False

    async def serve(self, port: int, stop: asyncio.Event) -> None:
        """Serve until `stop`; then take no more, end what is idle, and give the rest its time."""
        server = await asyncio.start_server(
            self._client, HOST, port, limit=heads.HEAD_BYTES_MAX, backlog=1024, reuse_address=True
        )
        watching = asyncio.create_task(self.backends.watch())
        try:
            await stop.wait()
        finally:
            self._closing = True
            server.close()
            watching.cancel()
            await self._drain()

    async def _drain(self) -> None:
        for task, is_busy in list(self._clients.items()):
            if not is_busy:
                task.cancel()
        if self._clients:
            await asyncio.wait(list(self._clients), timeout=self.limits.drain_seconds)
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients[task] = False
        writer.transport.set_write_buffer_limits(0)  # so that drain() means: all of it is the kernel's
        try:
            if len(self._clients) > self.limits.connections_max:
                await self._say(writer, HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                await self._converse(task, reader, writer)
            await self._linger(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, CutError):
            self.counts["clients_cut"] += 1  # gone, silent or slow; or told nothing more than half an answer
        except asyncio.CancelledError:
            pass  # the drain; nothing is waited for any more
        finally:
            self._clients.pop(task, None)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _converse(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first = True
        while not self._closing:
            seconds = self.limits.head_seconds if first else self.limits.idle_seconds
            try:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=seconds)
            except asyncio.LimitOverrunError:
                await self._say(writer, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            self._clients[task] = True
            if not await self._one(head, reader, writer):
                return
            self._clients[task] = first = False

    async def _one(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection goes on."""
        self.counts["requests"] += 1
        try:
            request = heads.request(head)
        except heads.RefusedError as refused:
            await self._say(writer, HTTPStatus(refused.status))
            return False
        if request.expects:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await asyncio.wait_for(reader.readexactly(request.length), timeout=self.limits.body_seconds)
        peer = str((writer.get_extra_info("peername") or ("unknown",))[0])
        try:
            held = await self.backends.connect(wait_seconds=self.limits.wait_seconds)
        except (GoneError, TimeoutError):
            await self._say(writer, HTTPStatus.SERVICE_UNAVAILABLE)
            return False
        try:
            return await self._pass_on(request, request.passed_on(peer) + body, held, writer)
        finally:
            held.release()

    async def _pass_on(self, request: heads.Request, whole: bytes, held: Held, writer: asyncio.StreamWriter) -> bool:
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                held.writer.write(whole)
                await held.writer.drain()
                response = heads.response(await self._head(held.reader), method=request.method)
        except TimeoutError:
            self.counts["unanswered"] += 1
            await self._say(writer, HTTPStatus.GATEWAY_TIMEOUT)
            return False
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.counts["unanswered"] += 1
            held.backend.health = Health.GONE  # most likely it has just died; until it is looked at again
            await self._say(writer, HTTPStatus.BAD_GATEWAY)
            return False
        keeps = request.keeps and response.length is not None and not self._closing
        writer.write(response.passed_on(keeps=keeps))
        await self._relay(held.reader, writer, response.length)
        return keeps

    async def _head(self, answers: asyncio.StreamReader) -> bytes:
        head = await answers.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 1"):  # interim answers are not for the client
            head = await answers.readuntil(b"\r\n\r\n")
        return head

    async def _relay(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int | None) -> None:
        left = length
        while left is None or left > 0:
            wanted = _CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES)
            piece = await asyncio.wait_for(answers.read(wanted), timeout=self.limits.answer_seconds)
            if not piece and left:
                raise CutError
            if not piece:
                break
            left = None if left is None else left - len(piece)
            writer.write(piece)
            await asyncio.wait_for(writer.drain(), timeout=self.limits.write_seconds)
        await asyncio.wait_for(writer.drain(), timeout=self.limits.write_seconds)

    async def _linger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let the client read our answer: what it still sends unread would reset the connection instead."""
        writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limits.linger_seconds):
                for _ in range(_LINGER_CHUNKS):
                    if not await reader.read(_CHUNK_BYTES):
                        break

    async def _say(self, writer: asyncio.StreamWriter, status: HTTPStatus) -> None:
        """Answer for ourselves, and close."""
        self.counts[f"refused_{status.value}"] += 1
        words = f"{status.phrase}\n".encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(words)}\r\n"
        )
        again = "Retry-After: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(f"{head}{again}Connection: close\r\n\r\n".encode() + words)
            await asyncio.wait_for(writer.drain(), timeout=self.limits.write_seconds)
