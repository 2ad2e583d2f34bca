"""The fault proxy: each rule does what it says to the bytes and to the ends of a connection, and nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest

from deploy.lab.links import Rule
from deploy.lab.proxy import Proxy, Way
from tests import ports

SECONDS: Final = 60.0  # that anything may take on a loaded machine
QUIET_SECONDS: Final = 0.4  # for which nothing must come


@dataclass
class Behind:
    """The server behind the link: what it received, and its open connections."""

    received: bytearray
    served: list[asyncio.StreamWriter]  # its own ends
    writers: list[asyncio.StreamWriter]  # both ends, closed when the scene is over


@dataclass
class Scene:
    """A proxy with one link to a server that says back what it hears."""

    proxy: Proxy
    port: int
    behind: Behind

    async def strike(self, **rule: Any) -> None:
        words = {"do": "set", "token": "test", "links": "a→b", "rule": {**_plain(), **rule}}
        assert await self.proxy.carry_out(words) == {"links": ["a→b"]}

    async def heal(self) -> None:
        await self.proxy.carry_out({"do": "drop", "token": "test"})

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.behind.writers.append(writer)
        return reader, writer


def _plain() -> dict[str, Any]:
    return {name: getattr(Rule(), name) for name in Rule.__dataclass_fields__}


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    behind = Behind(bytearray(), [], [])

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind.served.append(writer)
        behind.writers.append(writer)
        with suppress(OSError):
            while data := await reader.read(65536):
                behind.received += data
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    taken = ports.take(among=ports.PROXIES)
    proxy = Proxy([Way(name="a→b", port=taken.port, upstream=server.sockets[0].getsockname()[1])])
    await proxy.start()
    try:
        yield Scene(proxy, taken.port, behind)
    finally:
        await proxy.stop()
        taken.close()
        server.close()
        for writer in behind.writers:
            writer.close()
        for writer in behind.writers:
            with suppress(OSError):
                await writer.wait_closed()


def played(play: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with scene() as here, asyncio.timeout(SECONDS):
            await play(here)

    asyncio.run(whole())


async def says_nothing(reader: asyncio.StreamReader) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), QUIET_SECONDS)


def test_it_copies_what_passes_without_a_rule() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        data = os.urandom(3_000_000)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.write_eof()
        assert await reader.read() == b""

    played(play)


@pytest.mark.parametrize(
    "rule", [{"latency_ms": 40}, {"jitter_ms": 60}, {"latency_ms": 10, "rate_bytes": 1_000_000}], ids=str
)
def test_it_keeps_the_bytes_and_their_order_whatever_delays_them(rule: dict[str, float]) -> None:
    async def play(here: Scene) -> None:
        await here.strike(**rule)
        reader, writer = await here.opened()
        data = os.urandom(300_000)
        for place in range(0, len(data), 10_000):
            writer.write(data[place : place + 10_000])
        writer.write_eof()
        assert await reader.read(0) == b""
        assert await reader.readexactly(len(data)) == data
        assert await reader.read() == b""

    played(play)


def test_it_holds_each_piece_back_for_the_latency_in_both_directions() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        await here.strike(latency_ms=150)
        began = asyncio.get_running_loop().time()
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        assert asyncio.get_running_loop().time() - began >= 0.3

    played(play)


def test_it_delays_a_stream_once_and_not_each_piece_after_the_other() -> None:
    """Forty pieces in a row under 0.5 s of latency arrive after one latency, not after forty (20 s)."""

    async def play(here: Scene) -> None:
        await here.strike(latency_ms=500, direction="up")
        reader, writer = await here.opened()
        began = asyncio.get_running_loop().time()
        for _ in range(40):
            writer.write(b"x")
            await asyncio.sleep(0.01)
        await reader.readexactly(40)
        assert asyncio.get_running_loop().time() - began < 40 * 0.5 / 2

    played(play)


def test_it_passes_no_more_than_the_rate() -> None:
    async def play(here: Scene) -> None:
        await here.strike(rate_bytes=100_000, direction="up")
        reader, writer = await here.opened()
        began = asyncio.get_running_loop().time()
        writer.write(bytes(60_000))
        await reader.readexactly(60_000)
        assert asyncio.get_running_loop().time() - began >= 0.6 * 0.99

    played(play)


def test_it_holds_everything_back_in_a_blackhole_and_delivers_it_afterwards() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        await here.strike(blackhole=True)
        writer.write(b"within")
        await says_nothing(reader)
        assert bytes(here.behind.received) == b"before"
        await here.heal()
        assert await reader.readexactly(6) == b"within"

    played(play)


def test_it_lets_the_other_direction_pass_in_a_one_way_blackhole() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        await here.strike(blackhole=True, direction="down")
        writer.write(b"asked")
        await says_nothing(reader)
        assert bytes(here.behind.received) == b"asked"
        await here.heal()
        assert await reader.readexactly(5) == b"asked"

    played(play)


def test_it_resets_open_and_new_connections() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        writer.write(b"x")
        await reader.readexactly(1)
        await here.strike(reset=True)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        other, _ = await here.opened()
        with pytest.raises(ConnectionResetError):
            await other.read(1)
        await here.heal()
        reader, writer = await here.opened()
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"

    played(play)


def test_it_refuses_and_listens_again() -> None:
    async def play(here: Scene) -> None:
        await here.strike(refuse=True)
        with pytest.raises(ConnectionRefusedError):
            await here.opened()
        await here.heal()
        reader, writer = await here.opened()
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"

    played(play)


def test_it_tells_the_end_of_one_side_only_once_a_half_open_link_is_healed() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        writer.write(b"x")
        await reader.readexactly(1)
        await here.strike(half_open=True)
        here.behind.served[0].close()
        await says_nothing(reader)
        await here.heal()
        assert await reader.read() == b""

    played(play)


def test_it_cuts_every_new_connection_where_the_share_is_one() -> None:
    async def play(here: Scene) -> None:
        await here.strike(lose=1.0)
        reader, _ = await here.opened()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)

    played(play)


def test_it_says_that_nobody_is_there_where_the_server_is_gone() -> None:
    async def play(here: Scene) -> None:
        here.proxy.ways[0].upstream = 1
        reader, _ = await here.opened()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)

    played(play)


def test_it_keeps_the_rules_of_two_faults_apart() -> None:
    async def play(here: Scene) -> None:
        reader, writer = await here.opened()
        await here.strike(blackhole=True)
        await here.proxy.carry_out({"do": "set", "token": "other", "links": "*", "rule": {"latency_ms": 1.0}})
        await here.heal()
        assert list(here.proxy.ways[0].rules) == ["other"]
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"

    played(play)


def test_it_refuses_a_command_that_it_does_not_know() -> None:
    async def play(here: Scene) -> None:
        assert "error" in await here.proxy.carry_out({"do": "dance"})

    played(play)
