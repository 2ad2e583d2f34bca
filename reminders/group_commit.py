"""Group commit: what waits at the same time is done together, and each gets its own result. Threads only, no rows.

Nobody waits for company: whoever finds fewer than `leaders_max` at work leads at once, with what waits already. While
they work others gather; the first of these leads next. A bounded batch, in the order of arrival.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class NoTurn(Exception):
    """Too many with the same key were before us, or for too long; nothing was done."""


class Group(Generic[Item, Result]):
    """Does items together: `do` gets at most `batch_max` of them and returns a result for each, in their order.

    Where `do` raises, each of its batch raises that.
    """

    def __init__(self, *, do: Callable[[Sequence[Item]], Sequence[Result]], batch_max: int, leaders_max: int) -> None:
        self._do = do
        self._batch_max = batch_max
        self._leaders_max = leaders_max
        self._lock = threading.Lock()
        self._leaders = 0
        self._waiting: deque[_Member[Item, Result]] = deque()

    def join(self, *, item: Item) -> Result:
        """The item's result. Waits as long as `do` takes, at most twice where leaders are few: `do` has its bounds."""
        mine: _Member[Item, Result] = _Member(item)
        with self._lock:
            leads = self._leaders < self._leaders_max
            if leads:
                self._leaders += 1
            else:
                self._waiting.append(mine)
        if not leads:
            mine.woken.acquire()
        if not mine.over:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.results[0]

    def _lead(self, mine: "_Member[Item, Result]") -> None:
        with self._lock:
            count = min(len(self._waiting), self._batch_max - 1)
            batch = [mine, *(self._waiting.popleft() for _ in range(count))]
        error: BaseException | None = None
        results: Sequence[Result] = ()
        try:
            results = self._do([one.item for one in batch])
        except BaseException as raised:  # noqa: BLE001  # theirs as well: nobody may wait for ever
            error = raised
        for position, one in enumerate(batch):
            one.over, one.error, one.results = True, error, results[position : position + 1]
        with self._lock:
            heir = self._waiting.popleft() if self._waiting else None
            if heir is None:
                self._leaders -= 1
        for one in batch[1:]:
            one.woken.release()
        if heir is not None:
            heir.woken.release()


class Turns:
    """One at a time per key, in the order of arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[Hashable, deque[threading.Lock]] = {}

    @contextmanager
    def take(self, *, key: Hashable, seconds_max: float, queue_max: int) -> Iterator[None]:
        """Wait for one's turn, and have it. Raises NoTurn."""
        mine = threading.Lock()
        mine.acquire()
        with self._lock:
            queue = self._queues.setdefault(key, deque())
            if len(queue) >= queue_max:
                raise NoTurn
            queue.append(mine)
            first = len(queue) == 1
        try:
            if not first and not mine.acquire(timeout=seconds_max):
                raise NoTurn
            yield
        finally:
            with self._lock:
                is_ours = queue[0] is mine
                queue.remove(mine)
                if not queue:
                    del self._queues[key]
                elif is_ours:
                    queue[0].release()


class _Member(Generic[Item, Result]):
    """An item that waits for its batch; woken when that is over, or to lead the next one."""

    __slots__ = ("error", "item", "over", "results", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.over = False
        self.error: BaseException | None = None
        self.results: Sequence[Result] = ()
        self.woken = threading.Lock()
        self.woken.acquire()
