"""The proxy between real sockets: what dies behind it, who is slow before it, and what it never does twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest

from deploy.local.proxy.backends import HOST, Backend, Backends, Health
from deploy.local.proxy.server import Limits, Proxy
from tests.integration.local.webs import Web, cut, half, ok, silent, until_eof

PATIENCE_SECONDS: Final = 20.0


@dataclass(kw_only=True)
class World:
    webs: list[Web]
    proxy: Proxy
    port: int
    stop: asyncio.Event
    serving: "asyncio.Task[None]"

    async def ask(self, what: bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") -> bytes:
        """Everything that a connection of its own brings until its end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, self.port)
            writer.write(what)
            try:
                return await reader.read()
            finally:
                writer.close()

    async def get(self) -> bytes:
        """The status line of one request that asks for a close."""
        return (await self.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).split(b"\r\n")[0]

    def asked(self) -> int:
        return sum(len(web.asked) for web in self.webs)


@contextlib.asynccontextmanager
async def world(*webs: Web, watches: bool = False, **bounds: float) -> AsyncIterator[World]:
    """`watches`: with the looks in the background, which would else meddle with what a test counts."""
    for web in webs:
        await web.start()
    proxy = Proxy(
        backends=Backends([web.port for web in webs], in_flight_max=int(bounds.get("in_flight_max", 64))),
        limits=Limits(**bounds),  # type: ignore[arg-type]
    )
    if not watches:
        proxy.backends.watch = asyncio.Event().wait  # type: ignore[method-assign, assignment]
    free = await asyncio.start_server(lambda *_: None, HOST, 0)
    port = free.sockets[0].getsockname()[1]
    free.close()
    stop = asyncio.Event()
    serving = asyncio.create_task(proxy.serve(port, stop))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(OSError):
                (await asyncio.open_connection(HOST, port))[1].close()
                break
            await asyncio.sleep(0.01)
    try:
        yield World(webs=list(webs), proxy=proxy, port=port, stop=stop, serving=serving)
    finally:
        stop.set()
        await serving
        for web in webs:
            await web.stop()


async def becomes(backend: Backend, wanted: Health) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while backend.health is not wanted:
            await asyncio.sleep(0.02)


def test_it_gives_each_backend_its_share() -> None:
    async def tried() -> None:
        async with world(Web(), Web()) as here:
            for _ in range(10):
                assert await here.get() == b"HTTP/1.1 200 OK"
            assert [len(web.asked) for web in here.webs] == [5, 5]

    asyncio.run(tried())


def test_it_goes_on_with_a_connection_and_serves_one_request_after_the_other() -> None:
    async def tried() -> None:
        async with world(Web()) as here:
            one = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n%s\r\nbody"
            said = await here.ask(one % (1, b"") + one % (2, b"Connection: close\r\n"))
            assert said.count(b"HTTP/1.1 200 OK") == 2
            assert here.webs[0].asked == [b"POST /1 HTTP/1.1", b"POST /2 HTTP/1.1"]

    asyncio.run(tried())


def test_it_tries_the_next_backend_where_no_connection_was_made() -> None:
    async def tried() -> None:
        async with world(Web(), Web()) as here:
            await here.webs[0].stop()
            here.proxy.backends.all[0].health = Health.READY
            for _ in range(6):
                here.proxy.backends.all[0].health = Health.READY  # as if it had died just now, each time
                assert await here.get() == b"HTTP/1.1 200 OK"
            assert here.asked() == 6

    asyncio.run(tried())


def test_it_never_sends_a_request_twice_that_may_have_arrived() -> None:
    async def tried() -> None:
        async with world(Web(answer=cut), Web(answer=cut)) as here:
            assert await here.get() == b"HTTP/1.1 502 Bad Gateway"
            assert here.asked() == 1
            assert await here.get() == b"HTTP/1.1 502 Bad Gateway"
            assert [len(web.asked) for web in here.webs] == [1, 1]  # the one that cut is not asked first again

    asyncio.run(tried())


def test_it_refuses_with_a_time_to_come_again_where_nobody_is_there() -> None:
    async def tried() -> None:
        async with world(Web()) as here:
            await here.webs[0].stop()
            said = await here.ask()
            assert said.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 1\r\n" in said

    asyncio.run(tried())


def test_it_sends_to_who_is_ready_and_to_anybody_where_nobody_is() -> None:
    async def tried() -> None:
        async with world(Web(ready=False), Web()) as here:
            await here.proxy.backends.all[0].look()
            assert here.proxy.backends.all[0].health is Health.ANSWERS
            for _ in range(4):
                assert await here.get() == b"HTTP/1.1 200 OK"
            assert [len(web.asked) for web in here.webs] == [0, 4]
            here.webs[1].ready = False
            await here.proxy.backends.all[1].look()
            await here.get()
            await here.get()
            assert len(here.webs[0].asked) >= 1

    asyncio.run(tried())


def test_it_finds_in_the_background_who_is_gone_and_who_is_back() -> None:
    async def tried() -> None:
        async with world(Web(), watches=True) as here:
            backend = here.proxy.backends.all[0]
            await here.webs[0].stop()
            await becomes(backend, Health.GONE)
            await here.webs[0].start()
            await becomes(backend, Health.READY)

    asyncio.run(tried())


def test_it_cuts_the_client_where_the_answer_was_cut() -> None:
    async def tried() -> None:
        async with world(Web(answer=half)) as here:
            said = await here.ask()
            assert said.endswith(b"\r\n\r\nhalf")  # shorter than it says: the client knows
            assert here.proxy.counts["clients_cut"] >= 1

    asyncio.run(tried())


def test_it_ends_the_connection_after_an_answer_without_a_length() -> None:
    async def tried() -> None:
        async with world(Web(answer=until_eof)) as here:
            said = await here.ask()
            assert b"Connection: close" in said
            assert said.endswith(b"as long as it lasts")

    asyncio.run(tried())


def test_it_gives_up_a_backend_that_does_not_answer() -> None:
    async def tried() -> None:
        async with world(Web(answer=silent), answer_seconds=1) as here:
            assert await here.get() == b"HTTP/1.1 504 Gateway Timeout"
            assert here.asked() == 1

    asyncio.run(tried())


@pytest.mark.parametrize(
    "what",
    [b"", b"POST / HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nslow"],
    ids=["nothing", "half a head", "half a body"],
)
def test_it_cuts_a_client_that_says(what: bytes) -> None:
    async def tried() -> None:
        async with world(Web(), head_seconds=0.2, body_seconds=0.2) as here:
            assert await here.ask(what) == b""
            assert here.asked() == 0

    asyncio.run(tried())


def test_it_bounds_how_many_come_in_and_how_many_are_at_work() -> None:
    async def tried() -> None:
        async with world(Web(), connections_max=2) as here:
            held = [await asyncio.open_connection(HOST, here.port) for _ in range(2)]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(here.proxy._clients) < 2:
                    await asyncio.sleep(0.01)
            assert (await here.ask()).startswith(b"HTTP/1.1 503 ")
            for _, writer in held:
                writer.close()
        async with world(Web(answer=silent), in_flight_max=1, wait_seconds=0.2, answer_seconds=3) as here:
            first = asyncio.create_task(here.get())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not here.webs[0].asked:
                    await asyncio.sleep(0.01)
            assert await here.get() == b"HTTP/1.1 503 Service Unavailable"
            assert await first == b"HTTP/1.1 504 Gateway Timeout"
            assert here.asked() == 1

    asyncio.run(tried())


def test_it_refuses_what_is_too_large_before_a_backend_sees_it() -> None:
    async def tried() -> None:
        async with world(Web()) as here:
            head = b"POST / HTTP/1.1\r\nHost: a\r\n%s\r\n"
            said = await here.ask(head % b"Content-Length: 2000000\r\n" + b"x" * 100_000)
            assert said.startswith(b"HTTP/1.1 413 ")
            said = await here.ask(head % (b"X: " + b"x" * 40_000 + b"\r\n"))
            assert said.startswith(b"HTTP/1.1 431 ")
            assert here.asked() == 0

    asyncio.run(tried())


def test_it_ends_what_is_at_work_before_it_stops() -> None:
    async def tried() -> None:
        may_answer = asyncio.Event()

        async def late(writer: asyncio.StreamWriter) -> None:
            await may_answer.wait()
            await ok(writer)

        async with world(Web(answer=late), drain_seconds=PATIENCE_SECONDS) as here:
            idle, other = await asyncio.open_connection(HOST, here.port)
            working = asyncio.create_task(here.get())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not here.webs[0].asked:
                    await asyncio.sleep(0.01)
            here.stop.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await idle.read() == b""
            other.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(HOST, here.port)
            may_answer.set()
            assert await working == b"HTTP/1.1 200 OK"

    asyncio.run(tried())
