"""One event loop, one aiohttp session, one thread per process: connections outlive a batch.

aiohttp resends no POST by itself (tests/unit/reminders/test_session.py holds it to that).
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp

from reminders import limits

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run(work: Coroutine[Any, Any, T], *, within_seconds: float) -> T:
    """Run a coroutine on the process's loop and wait for it; TimeoutError (and a cancel) after the deadline."""
    future = asyncio.run_coroutine_threadsafe(work, _running_loop())
    try:
        return future.result(timeout=within_seconds)
    except TimeoutError:
        future.cancel()
        raise


def begin(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine on the process's loop and wait for nothing; it must bound and report itself."""
    asyncio.run_coroutine_threadsafe(work, _running_loop())


def close() -> None:
    """Close every session of this process, before it ends; bounded."""
    for session in _sessions:
        run(session.close(), within_seconds=limits.CARRIER_CONNECT_SECONDS)


class Session:
    """A lazily made aiohttp session that belongs to the process's loop."""

    def __init__(self, *, connections: int = limits.CARRIER_CONNECTIONS_MAX) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    def get(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30, ttl_dns_cache=60),
                timeout=aiohttp.ClientTimeout(
                    total=limits.CARRIER_TIMEOUT_SECONDS,
                    connect=None,
                    sock_connect=limits.CARRIER_CONNECT_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            _sessions.append(self)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


_sessions: list[Session] = []


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop  # noqa: PLW0603 — one loop for the process, under the lock
    with _lock:
        if _loop is None or not _loop.is_running():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="carrier", daemon=True).start()
        return _loop
