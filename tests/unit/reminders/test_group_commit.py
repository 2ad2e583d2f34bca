"""What waits at the same time is done together, in the order of arrival, and nobody waits for company or for ever."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest

from reminders.crew import Crew
from reminders.group_commit import Batches, Group, NoTurn, Turns

WAIT_SECONDS: Final = 20.0
POLLS_MAX: Final = 4000


class Deed:
    """What the group does: each batch is kept, and waits until the test lets it go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, items: Sequence[str]) -> Sequence[str]:
        self.batches.append(list(items))
        self.begun.release()
        assert self.go.acquire(timeout=WAIT_SECONDS)
        if "poison" in items:
            raise ValueError("poison")
        return [item.upper() for item in items]

    def await_begin(self) -> None:
        assert self.begun.acquire(timeout=WAIT_SECONDS)


def _until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(POLLS_MAX):
        if true():
            return
        pause.wait(0.005)
    raise TimeoutError


def _join(pool: ThreadPoolExecutor, group: Group[str, str], *items: str) -> list[Future[str]]:
    """Let each join in its own thread, one after the other."""
    running = []
    for item in items:
        waiting = len(group._waiting)
        running.append(pool.submit(group.join, item=item))
        _until(lambda before=waiting: len(group._waiting) > before)  # type: ignore[misc]
    return running


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(16)


def test_it_does_one_item_at_once_where_nobody_else_waits() -> None:
    group: Group[str, str] = Group(do=lambda items: [item.upper() for item in items], batch_max=8, leaders_max=1)
    assert [group.join(item=item) for item in "abc"] == ["A", "B", "C"]


def test_it_does_what_has_gathered_meanwhile_together_and_gives_each_its_own_result(pool: ThreadPoolExecutor) -> None:
    deed = Deed()
    group = Group(do=deed, batch_max=3, leaders_max=1)
    first = pool.submit(group.join, item="a")
    deed.await_begin()
    others = _join(pool, group, "b", "c", "d", "e")
    deed.go.release(3)
    assert [one.result(WAIT_SECONDS) for one in (first, *others)] == ["A", "B", "C", "D", "E"]
    assert deed.batches == [["a"], ["b", "c", "d"], ["e"]]


def test_it_has_at_most_so_many_leaders(pool: ThreadPoolExecutor) -> None:
    deed = Deed()
    group = Group(do=deed, batch_max=8, leaders_max=2)
    leaders = [pool.submit(group.join, item=item) for item in "ab"]
    deed.await_begin()
    deed.await_begin()
    others = _join(pool, group, "c", "d")
    assert sorted(deed.batches) == [["a"], ["b"]]
    deed.go.release()
    deed.await_begin()
    deed.go.release(2)
    assert [one.result(WAIT_SECONDS) for one in (*leaders, *others)] == ["A", "B", "C", "D"]
    assert deed.batches[2:] == [["c", "d"]]


def test_a_batch_that_fails_fails_for_each_of_its_members_and_for_nobody_else(pool: ThreadPoolExecutor) -> None:
    deed = Deed()
    group = Group(do=deed, batch_max=2, leaders_max=1)
    first = pool.submit(group.join, item="a")
    deed.await_begin()
    others = _join(pool, group, "b", "poison", "c")
    deed.go.release(3)
    assert first.result(WAIT_SECONDS) == "A"
    for failed in others[:2]:
        with pytest.raises(ValueError, match="poison"):
            failed.result(WAIT_SECONDS)
    assert others[2].result(WAIT_SECONDS) == "C"


def test_it_lets_one_after_the_other_with_the_same_key_and_all_others_pass(pool: ThreadPoolExecutor) -> None:
    turns, order, go = Turns(), list[str](), threading.Event()

    def wait(name: str, key: str) -> None:
        with turns.take(key=key, seconds_max=WAIT_SECONDS, queue_max=3):
            if name == "first":
                assert go.wait(WAIT_SECONDS)
            order.append(name)

    running = [pool.submit(wait, "first", "a")]
    _until(lambda: "a" in turns._queues)
    for place, name in enumerate(("second", "third"), 2):
        running.append(pool.submit(wait, name, "a"))
        _until(lambda place=place: len(turns._queues["a"]) == place)  # type: ignore[misc]
    wait("other", "b")
    go.set()
    for one in running:
        one.result(WAIT_SECONDS)
    assert order == ["other", "first", "second", "third"]
    assert turns._queues == {}


def test_it_gives_up_a_turn_that_does_not_come_and_keeps_the_order_of_the_rest() -> None:
    turns = Turns()
    with turns.take(key="a", seconds_max=WAIT_SECONDS, queue_max=3):
        with pytest.raises(NoTurn), turns.take(key="a", seconds_max=0.0, queue_max=3):
            pass
        assert len(turns._queues["a"]) == 1
    with turns.take(key="a", seconds_max=0.0, queue_max=3):
        pass
    assert turns._queues == {}


def test_it_refuses_at_once_where_too_many_wait_for_the_same_turn() -> None:
    turns = Turns()
    with turns.take(key="a", seconds_max=WAIT_SECONDS, queue_max=1):
        with pytest.raises(NoTurn), turns.take(key="a", seconds_max=WAIT_SECONDS, queue_max=1):
            pass
        with turns.take(key="b", seconds_max=WAIT_SECONDS, queue_max=1):
            pass
    assert turns._queues == {}


def test_it_gives_the_turn_on_where_the_one_before_failed() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="a"), turns.take(key="a", seconds_max=WAIT_SECONDS, queue_max=3):
        raise ValueError("a")
    with turns.take(key="a", seconds_max=0.0, queue_max=3):
        pass


def test_it_never_waits_for_a_turn_that_is_wanted_at_once() -> None:
    turns = Turns()
    with turns.at_once(key="a") as first, turns.at_once(key="a") as second, turns.at_once(key="b") as other:
        assert (first, second, other) == (True, False, True)
        with pytest.raises(NoTurn), turns.take(key="a", seconds_max=0.0, queue_max=3):
            pass
    assert turns._queues == {}


def test_it_gives_a_turn_that_was_had_at_once_to_who_waits_for_it(pool: ThreadPoolExecutor) -> None:
    turns = Turns()

    def wait() -> str:
        with turns.take(key="a", seconds_max=WAIT_SECONDS, queue_max=3):
            return "had it"

    with turns.at_once(key="a") as mine:
        assert mine
        waiting = pool.submit(wait)
        _until(lambda: len(turns._queues["a"]) == 2)
        with turns.at_once(key="a") as late:
            assert not late
    assert waiting.result(WAIT_SECONDS) == "had it"


def _batches(
    deed: Callable[[Sequence[str]], Sequence[str]],
    *,
    at_work: int = 1,
    waiting: int = 8,
    beside: int = 1,
    beside_seconds: float = WAIT_SECONDS,
) -> Batches[str, str]:
    return Batches(
        do=deed,
        crew=Crew(threads=at_work, name="test"),
        batch_max=3,
        at_work_max=at_work,
        beside_min=beside,
        beside_seconds=beside_seconds,
        waiting_max=waiting,
    )


async def _begun(deed: Deed) -> None:
    await asyncio.get_running_loop().run_in_executor(None, deed.await_begin)


def test_a_loop_does_what_comes_at_once_and_what_has_gathered_meanwhile_together() -> None:
    deed = Deed()

    async def join() -> tuple[list[str], bool]:
        batches = _batches(deed, waiting=4)
        first = [asyncio.create_task(batches.join(item=item)) for item in "ab"]
        await _begun(deed)
        others = [asyncio.create_task(batches.join(item=item)) for item in "cdef"]
        await asyncio.sleep(0)
        full = not batches.takes()
        deed.go.release(3)
        return await asyncio.gather(*first, *others), full

    assert asyncio.run(join()) == (["A", "B", "C", "D", "E", "F"], True)
    assert deed.batches == [["a", "b"], ["c", "d", "e"], ["f"]]


def test_a_loop_has_at_most_so_many_batches_at_work() -> None:
    deed = Deed()

    async def join() -> list[str]:
        batches = _batches(deed, at_work=2)
        running = []
        for item in "ab":
            running.append(asyncio.create_task(batches.join(item=item)))
            await _begun(deed)
        running += [asyncio.create_task(batches.join(item=item)) for item in "cd"]
        await asyncio.sleep(0)
        assert sorted(deed.batches) == [["a"], ["b"]]
        deed.go.release()
        await _begun(deed)
        deed.go.release(2)
        return await asyncio.gather(*running)

    assert asyncio.run(join()) == ["A", "B", "C", "D"]
    assert deed.batches[2:] == [["c", "d"]]


def test_a_loop_begins_a_batch_beside_another_once_enough_wait() -> None:
    deed = Deed()

    async def join() -> list[str]:
        batches = _batches(deed, at_work=2, beside=3)
        running = [asyncio.create_task(batches.join(item="a"))]
        await _begun(deed)
        running += [asyncio.create_task(batches.join(item=item)) for item in "bc"]
        await asyncio.sleep(0.0)
        await asyncio.sleep(0.0)  # the loop has looked, and lets them wait
        assert deed.batches == [["a"]]
        running.append(asyncio.create_task(batches.join(item="d")))
        await _begun(deed)
        deed.go.release(2)
        return await asyncio.gather(*running)

    assert asyncio.run(join()) == ["A", "B", "C", "D"]
    assert deed.batches == [["a"], ["b", "c", "d"]]


def test_a_loop_begins_a_batch_of_few_beside_one_that_takes_long() -> None:
    deed = Deed()

    async def join() -> list[str]:
        batches = _batches(deed, at_work=2, beside=3, beside_seconds=0.01)
        running = [asyncio.create_task(batches.join(item="a"))]
        await _begun(deed)
        running.append(asyncio.create_task(batches.join(item="b")))
        await _begun(deed)  # the first is still at work
        deed.go.release(2)
        return await asyncio.gather(*running)

    assert asyncio.run(join()) == ["A", "B"]
    assert deed.batches == [["a"], ["b"]]


def test_a_loop_takes_at_once_who_waits_for_company_where_nobody_is_at_work_any_more() -> None:
    deed = Deed()

    async def join() -> list[str]:
        batches = _batches(deed, at_work=2, beside=3)
        running = [asyncio.create_task(batches.join(item="a"))]
        await _begun(deed)
        running.append(asyncio.create_task(batches.join(item="b")))
        deed.go.release(2)
        return await asyncio.gather(*running)

    assert asyncio.run(join()) == ["A", "B"]


@pytest.mark.parametrize("spoils", ["poison", "short"])
def test_a_batch_of_a_loop_that_fails_fails_for_its_members_and_for_nobody_else(spoils: str) -> None:
    def deed(items: Sequence[str]) -> Sequence[str]:
        if "poison" in items:
            raise ValueError("poison")
        return [item.upper() for item in items if item != "short"]

    async def join() -> list[str | BaseException]:
        batches = _batches(deed)
        items = ("a", spoils, "b", "c")
        return await asyncio.gather(*(batches.join(item=item) for item in items), return_exceptions=True)

    *failed, last = asyncio.run(join())
    assert {type(one) for one in failed} == {ValueError if spoils == "poison" else RuntimeError}
    assert last == "C"
