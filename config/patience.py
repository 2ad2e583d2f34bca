"""How long an event loop waits for a client: a bound for each wait, at the price of one timer for all."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class TooSlow(Exception):
    """It did not come in its time."""


class Patience(Generic[Result]):
    """Waits for what comes from outside, each time for so long. One alarm, for the oldest: one for each costs more."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}  # oldest first
        self._late: set[asyncio.Task[Any]] = set()
        self._is_watched = False

    async def wait(self, coming: Awaitable[Result]) -> Result:
        """What came; called in a task. Raises TooSlow."""
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._until[task] = self._loop.time() + self._seconds
        if not self._is_watched:
            self._is_watched = True
            self._loop.call_later(self._seconds, self._look)
        try:
            return await coming
        except asyncio.CancelledError as error:
            if task not in self._late:
                raise
            task.uncancel()
            raise TooSlow from error
        finally:
            self._until.pop(task, None)
            self._late.discard(task)

    def _look(self) -> None:
        now = self._loop.time()
        for task, until in list(self._until.items()):
            if until > now:
                self._loop.call_at(until, self._look)
                return
            del self._until[task]
            self._late.add(task)
            task.cancel()
        self._is_watched = False
