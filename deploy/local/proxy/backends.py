"""The backends: who is there, who is ready, who has the least to do.

Health is looked at in the background by /readyz, never per request. Nobody ready is no reason to refuse: a web
instance that is not ready answers for itself.
"""

import asyncio
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
PROBE_SECONDS: Final = 0.5
PROBE_TIMEOUT_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 1.0
_READ_BYTES: Final = 64 * 1024


class Health(enum.IntEnum):
    """What the last look at a backend saw; the least is tried first."""

    READY = 0
    ANSWERS = 1
    GONE = 2


class GoneError(Exception):
    """No backend takes a connection."""


class Backend:
    """One web instance."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.health = Health.READY  # innocent until looked at
        self.in_flight = 0
        self.turn = 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection. Raises OSError or TimeoutError."""
        return await asyncio.wait_for(
            asyncio.open_connection(HOST, self.port, limit=_READ_BYTES), timeout=CONNECT_SECONDS
        )

    async def look(self) -> None:
        """Ask /readyz once."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                self.health = Health.READY if await self._readyz() else Health.ANSWERS
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self.health = Health.GONE

    async def _readyz(self) -> bool:
        reader, writer = await asyncio.open_connection(HOST, self.port, limit=_READ_BYTES)
        try:
            writer.write(f"GET /readyz HTTP/1.1\r\nHost: {HOST}:{self.port}\r\nConnection: close\r\n\r\n".encode())
            return (await reader.readexactly(12)).endswith(b" 200")
        finally:
            writer.close()


@dataclass(kw_only=True)
class Held:
    """A connection for one request, and its place among those that are at work."""

    gate: asyncio.Semaphore
    backend: Backend
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def release(self) -> None:
        """Let both go."""
        self.backend.in_flight -= 1
        self.gate.release()
        self.writer.transport.abort()  # what it still had to say, or to hear, is of no use to anybody


class Backends:
    """All of them, behind a gate: at most so many requests are at the backends at once, the others wait."""

    def __init__(self, ports: Sequence[int], *, in_flight_max: int) -> None:
        self.all = [Backend(port) for port in ports]
        self._gate = asyncio.Semaphore(in_flight_max * len(self.all))
        self._turns = 0

    async def watch(self) -> None:
        """Look at each, for ever."""
        await asyncio.gather(*(self._watch(one) for one in self.all))

    async def _watch(self, backend: Backend) -> None:
        while True:
            await backend.look()
            await asyncio.sleep(PROBE_SECONDS)

    async def connect(self, *, wait_seconds: float) -> "Held":
        """A connection to the best backend that takes one; to be released.

        Raises TimeoutError where there is no room in time, GoneError where none takes a connection: in both
        nothing was sent.
        """
        await asyncio.wait_for(self._gate.acquire(), timeout=wait_seconds)
        try:
            backend, (reader, writer) = await self._connect()
        except BaseException:
            self._gate.release()
            raise
        return Held(gate=self._gate, backend=backend, reader=reader, writer=writer)

    async def _connect(self) -> tuple[Backend, tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        for backend in self._by_rank():
            backend.in_flight += 1
            self._turns += 1
            backend.turn = self._turns
            try:
                return backend, await backend.connect()
            except (OSError, TimeoutError):
                backend.health = Health.GONE  # until it is looked at again
                backend.in_flight -= 1
            except asyncio.CancelledError:
                backend.in_flight -= 1
                raise
        raise GoneError

    def _by_rank(self) -> list[Backend]:
        """Ready ones first, of those the one with the least to do, of those the one that waited longest."""
        return sorted(self.all, key=lambda one: (one.health, one.in_flight, one.turn))
