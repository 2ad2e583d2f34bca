"""Real HAProxy, told what we tell it: what dies behind it, who is slow before it, and what it never does twice."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from deploy.local import haproxy
from deploy.local.home import Home
from deploy.local.proxy.backends import HOST
from tests import ports
from tests.integration.local.webs import Web, cut

pytestmark = pytest.mark.skipif(bool(haproxy.lack()), reason=haproxy.lack())
PATIENCE_SECONDS: Final = 30.0
GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """HAProxy before some backends; `port` is its own, `metrics_port` that of its figures."""

    webs: tuple[Web, ...]
    port: int
    metrics_port: int

    async def ask(self, what: bytes = GET) -> bytes:
        """The status line."""
        return (await self.said(what)).split(b"\r\n")[0]

    async def said(self, what: bytes, *, port: int | None = None) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port or self.port)
            writer.write(what)
            try:
                return await reader.read()
            finally:
                writer.close()

    async def until(self, status: bytes) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while status not in await self.ask():
                await asyncio.sleep(0.05)

    def asked(self) -> int:
        return sum(len(web.asked) for web in self.webs)


@contextlib.asynccontextmanager
async def proxied(root: Path, *webs: Web) -> AsyncIterator[Proxied]:
    for web in webs:
        await web.start()
    home = Home(root=root / "home")
    home.make()
    taken = ports.take(among=ports.PROXIES, followers=range(2))
    words = haproxy.command(home, port=taken.port, metrics_port=taken.port + 1, webs=len(webs))
    named = {haproxy.BACKEND.format(number): f"{HOST}:{web.port}" for number, web in enumerate(webs, start=1)}
    process = subprocess.Popen(words, env={**os.environ, **named}, stderr=subprocess.DEVNULL)
    found = Proxied(webs=webs, port=taken.port, metrics_port=taken.port + 1)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    await found.ask()
                    break
                await asyncio.sleep(0.05)
        for web in webs:
            web.asked.clear()
        yield found
    finally:
        process.kill()
        process.wait()
        taken.close()
        for web in webs:
            await web.stop()


def test_it_tries_the_next_where_no_connection_was_made(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxied(tmp_path, Web(), Web()) as found:
            await found.webs[0].stop()
            assert [await found.ask() for _ in range(10)] == [b"HTTP/1.1 200 OK"] * 10
            assert (len(found.webs[0].asked), len(found.webs[1].asked)) == (0, 10)

    asyncio.run(story())


def test_it_never_sends_twice_what_may_have_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxied(tmp_path, Web(answer=cut), Web(answer=cut)) as found:
            assert b" 502 " in await found.ask(POST + b"body")
            assert found.asked() == 1

    asyncio.run(story())


def test_it_says_so_where_a_backend_dies_with_a_request_on_a_connection_that_was_used_before(tmp_path: Path) -> None:
    """Unless told otherwise it says nothing there, and leaves it to the client to repeat."""

    async def story() -> None:
        async with proxied(tmp_path, Web()) as found:
            kept = GET.replace(b"Connection: close", b"Connection: keep-alive")
            async with asyncio.timeout(PATIENCE_SECONDS):
                reader, writer = await asyncio.open_connection(HOST, found.port)
                writer.write(kept)
                first = await reader.readuntil(b"\r\n\r\n")
                assert b" 200 " in first
                assert b"connection: close" in first.lower()
                writer.close()
            found.webs[0].answer = cut
            assert b" 502 " in await found.ask()

    asyncio.run(story())


def test_it_asks_one_that_is_not_ready_where_nobody_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxied(tmp_path, Web(ready=False), Web()) as found:
            await found.until(b" 200 ")
            found.webs[0].asked.clear()
            assert [await found.ask() for _ in range(6)] == [b"HTTP/1.1 200 OK"] * 6
            assert found.webs[0].asked == []  # the other is ready
        async with proxied(tmp_path, Web(ready=False), Web(ready=False)) as found:
            assert await found.ask() == b"HTTP/1.1 200 OK"

    asyncio.run(story())


def test_nobody_behind_it_sees_half_a_request(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxied(tmp_path, Web()) as found:
            reader, writer = await asyncio.open_connection(HOST, found.port)
            writer.write(POST + b"bo")
            assert await found.ask() == b"HTTP/1.1 200 OK"  # it is served meanwhile
            assert found.asked() == 1
            writer.write(b"dy")
            assert b" 200 " in await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
            assert found.asked() == 2
            writer.close()

    asyncio.run(story())


def test_it_refuses_a_body_of_unknown_length_and_says_who_asked(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxied(tmp_path, Web()) as found:
            chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            assert b" 411 " in await found.ask(chunked)
            assert found.asked() == 0
            forged = GET.replace(b"Host: a\r\n", b"Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n")
            assert await found.ask(forged) == b"HTTP/1.1 200 OK"
            assert found.webs[0].heads[-1].lower().count(b"x-forwarded-for: 127.0.0.1") == 1
            assert b"10.0.0.1" not in found.webs[0].heads[-1]
            shown = await found.said(b"GET /metrics HTTP/1.0\r\n\r\n", port=found.metrics_port)
            assert b"haproxy_server_status" in shown

    asyncio.run(story())
