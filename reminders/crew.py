"""Threads that do for an event loop what waits: for the database, for the disk. No rows, no clock.

They are daemons: a process that ends does not wait for what hangs in one of them, and what was not committed was not
answered. How much may queue here is bounded by whoever serves.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class Crew:
    """So many threads, begun at once; work is begun in the order of arrival."""

    def __init__(self, *, threads: int, name: str) -> None:
        self._waiting: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]]] = SimpleQueue()
        for number in range(1, threads + 1):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def call(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Do it in a thread, in a copy of this context; called in the loop, where its result or its error is told."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.put((future, partial(copy_context().run, work)))
        return future

    def _run(self) -> None:
        while True:
            future, work = self._waiting.get()
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001  # theirs: this thread goes on for others
                error = raised
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                future.get_loop().call_soon_threadsafe(_tell, future, result, error)
            del future, work, result, error  # nothing is kept alive until the next work comes


def _tell(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if isinstance(error, StopIteration):
        error = RuntimeError(repr(error))  # a future cannot raise it
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
