"""`python -m deploy.lab.proxy`: the TCP fault proxy. One port for each link; rules come through a Unix socket.

Without rules it copies bytes. The kernel answers a handshake before the proxy sees it: a blackholed link
accepts new connections and never speaks on them (as a frozen server does), where a dropped packet would leave
the client connecting. What a blackhole held back is delivered when it ends, as TCP would.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from deploy.lab.links import Rule, address

_BUFFER_BYTES: Final = 1 << 20  # that wait on one side of one connection before its sender is held back
_BACKLOG: Final = 512


@dataclass(kw_only=True)
class Way:
    """One link: where it listens and leads, its rules by the token of their fault, its open connections."""

    name: str
    port: int
    upstream: int
    rules: dict[str, Rule] = field(default_factory=dict)
    pairs: set[Pair] = field(default_factory=set)
    server: asyncio.Server | None = None
    accepted: int = 0
    passed_bytes: int = 0

    def wants(self, name: str) -> bool:
        """Whether any rule says so."""
        return any(getattr(rule, name) for rule in self.rules.values())

    def holds(self, direction: str) -> bool:
        """Whether nothing may pass in that direction."""
        return any(rule.blackhole and rule.direction in ("both", direction) for rule in self.rules.values())

    def delay_seconds(self, direction: str) -> float:
        """How long the next piece waits."""
        found = [rule for rule in self.rules.values() if rule.direction in ("both", direction)]
        return sum(rule.latency_ms + random.uniform(0, rule.jitter_ms) for rule in found) / 1000

    def rate_bytes(self, direction: str) -> float:
        """Bytes per second in that direction; 0 where nothing bounds them."""
        rates = [r.rate_bytes for r in self.rules.values() if r.rate_bytes and r.direction in ("both", direction)]
        return min(rates, default=0.0)


class Side(asyncio.Protocol):
    """One end of one connection: what it receives goes to the other end, under the rules of the link."""

    def __init__(self, pair: Pair, direction: str) -> None:
        self.pair = pair
        self.direction = direction  # of what it receives
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.ended = False
        self._waiting: deque[tuple[float, bytes]] = deque()  # when each piece is due at the other end
        self._waiting_bytes = 0
        self._last_due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pair.made(self)

    def data_received(self, data: bytes) -> None:
        way = self.pair.way
        way.passed_bytes += len(data)
        if not way.rules and not self._waiting and self.other and self.other.transport:
            self.other.transport.write(data)
            return
        self._queue(data)
        if self._waiting_bytes > _BUFFER_BYTES and self.transport:
            self.transport.pause_reading()
        self.carry()

    def eof_received(self) -> bool:
        self.ended = True
        self.carry()
        return True  # the other direction may still speak

    def connection_lost(self, problem: Exception | None) -> None:
        self.ended = True
        self.transport = None
        self.pair.lost(self, reset=isinstance(problem, ConnectionResetError))

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.read_on()

    def read_on(self) -> None:
        """Take more from this end, where there is room for it."""
        if self.transport and not self.transport.is_closing() and self._waiting_bytes <= _BUFFER_BYTES:
            self.transport.resume_reading()

    def is_empty(self) -> bool:
        """Whether nothing of what it received is still to be delivered."""
        return not self._waiting

    def carry(self) -> None:
        """Deliver what is due, when the rules let it; come again when the next piece is."""
        if self.other is None or self.other.transport is None or self.pair.way.holds(self.direction):
            return
        loop = asyncio.get_running_loop()
        while self._waiting:
            due, piece = self._waiting[0]
            if due > loop.time():
                if self._timer is None:
                    self._timer = loop.call_at(due, self._wake)
                return
            self._waiting.popleft()
            self._waiting_bytes -= len(piece)
            self.other.transport.write(piece)
        self.read_on()
        if self.ended and not self.pair.way.wants("half_open"):
            self._finish()

    def _wake(self) -> None:
        self._timer = None
        self.carry()

    def _queue(self, data: bytes) -> None:
        """Note when it is due: after its delay, after what went before, and no faster than the rate."""
        arrives = asyncio.get_running_loop().time() + self.pair.way.delay_seconds(self.direction)
        rate = self.pair.way.rate_bytes(self.direction)
        size = max(1, int(rate / 20)) if rate else len(data)
        for place in range(0, len(data), size):
            piece = data[place : place + size]
            self._last_due = max(arrives, self._last_due) + (len(piece) / rate if rate else 0.0)
            self._waiting.append((self._last_due, piece))
        self._waiting_bytes += len(data)

    def _finish(self) -> None:
        if self.other and self.other.transport:
            with suppress(OSError, RuntimeError):
                self.other.transport.write_eof()
        if self.other and self.other.ended and self.other.is_empty():
            self.pair.close()


class Pair:
    """One connection through a link: the client's side and the server's."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.client = Side(self, "up")
        self.server = Side(self, "down")
        way.pairs.add(self)
        way.accepted += 1

    def made(self, side: Side) -> None:
        """The client has come: find the server. The server has: what waited goes on."""
        if side is not self.client:
            self.client.other, self.server.other = self.server, self.client
            self.client.carry()
            return  # both ends are there
        if self.way.wants("reset"):
            self.reset()
            return
        asyncio.get_running_loop().create_task(self._connect())
        lose = max((rule.lose for rule in self.way.rules.values()), default=0.0)
        if lose and random.random() < lose:
            asyncio.get_running_loop().call_later(random.uniform(0.0, 0.2), self.reset)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, "127.0.0.1", self.way.upstream)
        except OSError:
            self.reset()  # the client learns what it would have learnt: there is nobody
            return
        if self.client.transport is None:
            self.close()

    def lost(self, side: Side, *, reset: bool) -> None:
        """One side has gone: so does the other, unless nothing may tell it."""
        if side.other is None or self.way.wants("half_open") or self.way.holds(side.direction):
            if self.client.transport is None and self.server.transport is None:
                self.way.pairs.discard(self)
            return
        if reset:
            self.reset()
        elif side.is_empty():
            self.close()
        else:
            side.carry()

    def settle(self) -> None:
        """The rules have changed: what waited may pass now, what should end ends."""
        if self.way.wants("reset"):
            self.reset()
            return
        for side in (self.client, self.server):
            side.carry()
            if side.transport is None and not self.way.wants("half_open") and not self.way.holds(side.direction):
                self.lost(side, reset=False)

    def close(self) -> None:
        """End both sides once what was written to them has gone."""
        self._each(lambda transport: transport.close())

    def reset(self) -> None:
        """RST to both."""

        def abort(transport: asyncio.Transport) -> None:
            with suppress(OSError):
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

        self._each(abort)

    def _each(self, deed: Any) -> None:
        self.way.pairs.discard(self)
        for side in (self.client, self.server):
            if side.transport is not None:
                deed(side.transport)


class Proxy:
    """Every link of a system."""

    def __init__(self, ways: list[Way]) -> None:
        self.ways = ways

    async def start(self) -> None:
        """Listen on every link."""
        for way in self.ways:
            await self._listen(way)

    async def stop(self) -> None:
        """Listen no longer, and end every connection."""
        for way in self.ways:
            if way.server is not None:
                way.server.close()
            for pair in list(way.pairs):
                pair.reset()

    async def _listen(self, way: Way) -> None:
        loop = asyncio.get_running_loop()
        way.server = await loop.create_server(
            lambda: Pair(way).client, "127.0.0.1", way.port, backlog=_BACKLOG, reuse_address=True
        )

    async def carry_out(self, words: dict[str, Any]) -> dict[str, Any]:
        """One command of the control socket."""
        match words.get("do"):
            case "set":
                struck = [way for way in self.ways if fnmatchcase(way.name, str(words["links"]))]
                for way in struck:
                    way.rules[str(words["token"])] = Rule(**words["rule"])
                await self._settle(struck)
                return {"links": [way.name for way in struck]}
            case "drop":
                struck = [way for way in self.ways if way.rules.pop(str(words["token"]), None) is not None]
                await self._settle(struck)
                return {"links": [way.name for way in struck]}
            case "show":
                return {"links": [_shown(way) for way in self.ways]}
        return {"error": "there are set, drop and show"}

    async def _settle(self, ways: list[Way]) -> None:
        for way in ways:
            if way.wants("refuse") and way.server is not None:
                way.server.close()
                way.server = None
                for pair in list(way.pairs):
                    pair.reset()
            elif not way.wants("refuse") and way.server is None:
                await self._listen(way)
            for pair in list(way.pairs):
                pair.settle()


def _shown(way: Way) -> dict[str, Any]:
    return {
        "name": way.name,
        "port": way.port,
        "upstream": way.upstream,
        "rules": sorted(way.rules),
        "open": len(way.pairs),
        "accepted": way.accepted,
        "passed_bytes": way.passed_bytes,
    }


async def _control(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        said = await proxy.carry_out(json.loads(await reader.readline()))
    except (ValueError, KeyError, TypeError, OSError) as problem:
        said = {"error": f"{type(problem).__name__}: {problem}"}
    with suppress(OSError):
        writer.write(json.dumps(said).encode() + b"\n")
        await writer.drain()
        writer.close()


async def _serve(run: Path) -> None:
    proxy = Proxy([Way(**one) for one in json.loads((run / "links.json").read_text())])
    await proxy.start()
    place, handle = address(run)
    (run / "lab-proxy.sock").unlink(missing_ok=True)
    before = os.umask(0o177)
    await asyncio.start_unix_server(lambda r, w: _control(proxy, r, w), place)
    os.umask(before)
    if handle is not None:
        os.close(handle)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print("the fault proxy listens", flush=True)
    await stop.wait()


def main() -> int:
    """Serve the links of `$RINGBACK_HOME/run/links.json` until SIGTERM."""
    asyncio.run(_serve(Path(os.environ["RINGBACK_HOME"]) / "run"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
