"""Group commit: what waits at the same time is done together, and each gets its own result. No rows.

Nobody waits for company: whoever finds fewer than so many at work is done at once, with what waits already. While they
work others gather. A bounded batch, in the order of arrival. `Group` is for threads: the first that waits leads next.
`Batches` is for an event loop: who waits holds no thread.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from typing import Generic, TypeVar

from reminders.crew import Crew

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


class Batches(Generic[Item, Result]):
    """Does items together for one event loop: `do` gets at most `batch_max` and returns a result for each, in order.

    `do` runs in a thread of `crew`, in the context of its first item, everything else in the loop. Where `do` raises,
    each of its batch raises that. Beside one at work a batch begins once `beside_min` wait or somebody has waited for
    `beside_seconds`: a batch costs as much as some of its items, and few at a time would be many batches.
    """

    def __init__(
        self,
        *,
        do: Callable[[Sequence[Item]], Sequence[Result]],
        crew: Crew,
        batch_max: int,
        at_work_max: int,
        beside_min: int,
        beside_seconds: float,
        waiting_max: int,
    ) -> None:
        self._do = do
        self._crew = crew
        self._batch_max = batch_max
        self._at_work_max = at_work_max
        self._beside_min = beside_min
        self._beside_seconds = beside_seconds
        self._waiting_max = waiting_max
        self._at_work = 0
        self._begins = False
        self._is_patient = True
        self._alarm: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[Item, asyncio.Future[Result], Context]] = deque()

    def takes(self) -> bool:
        """Whether one more may wait."""
        return len(self._waiting) < self._waiting_max

    async def join(self, *, item: Item) -> Result:
        """The item's result. Waits as long as `do` takes, for those before it too: `do` has its bounds."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, mine, copy_context()))
        if self._at_work < self._at_work_max and not self._begins:
            self._begins = True
            loop.call_soon(self._begin)  # behind what came in with the same look at the sockets
        return await mine

    def _begin(self) -> None:
        self._begins = False
        while self._waiting and self._at_work < self._at_work_max:
            if self._at_work and self._is_patient and len(self._waiting) < self._beside_min:
                self._wait_for_company()
                return
            self._at_work += 1
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch_max))]
            _, _, context = batch[0]
            done = context.run(self._crew.call, partial(self._do, [item for item, _, _ in batch]))
            done.add_done_callback(partial(self._end, [mine for _, mine, _ in batch]))

    def _wait_for_company(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(self._beside_seconds, self._lose_patience)

    def _lose_patience(self) -> None:
        self._alarm = None
        self._is_patient = False
        self._begin()
        self._is_patient = True

    def _end(self, batch: "list[asyncio.Future[Result]]", done: "asyncio.Future[Sequence[Result]]") -> None:
        self._at_work -= 1
        self._begin()
        error = done.exception()
        results = () if error is not None else done.result()
        if error is None and len(results) != len(batch):
            error = RuntimeError(f"{len(results)} results for {len(batch)} items")
        for position, waiting in enumerate(batch):
            if waiting.done():
                continue  # its request was given up
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(results[position])


class Turns:
    """One at a time per key, in the order of arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[Hashable, deque[threading.Lock]] = {}

    @contextmanager
    def take(self, *, key: Hashable, seconds_max: float, queue_max: int) -> Iterator[None]:
        """Wait for one's turn, and have it. Raises NoTurn."""
        mine, place = self._stand(key, queue_max)
        if mine is None:
            raise NoTurn
        try:
            if place > 0 and not mine.acquire(timeout=seconds_max):
                raise NoTurn
            yield
        finally:
            self._leave(key, mine)

    @contextmanager
    def at_once(self, *, key: Hashable) -> Iterator[bool]:
        """Have one's turn where nobody has it or waits for it; False where somebody does. Never waits."""
        mine, _ = self._stand(key, 1)
        try:
            yield mine is not None
        finally:
            if mine is not None:
                self._leave(key, mine)

    def _stand(self, key: Hashable, queue_max: int) -> "tuple[threading.Lock | None, int]":
        """One's lock at the end of the queue, held, and how many are before it; None where there is no place."""
        mine = threading.Lock()
        mine.acquire()
        with self._lock:
            queue = self._queues.setdefault(key, deque())
            place = len(queue)
            if place >= queue_max:
                return None, place
            queue.append(mine)
            return mine, place

    def _leave(self, key: Hashable, mine: threading.Lock) -> None:
        with self._lock:
            queue = self._queues[key]
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
