"""A client has so long; nobody else is disturbed, and a wait that is over leaves nothing behind."""

import asyncio

import pytest

from config.patience import Patience, TooSlow

WAIT_SECONDS = 20.0


def test_it_gives_what_came_in_time() -> None:
    async def call() -> list[str]:
        patience: Patience[str] = Patience(loop=asyncio.get_running_loop(), seconds=WAIT_SECONDS)

        async def comes(what: str) -> str:
            await asyncio.sleep(0)
            return what

        return list(await asyncio.gather(*(patience.wait(comes(what)) for what in "ab")))

    assert asyncio.run(call()) == ["a", "b"]


def test_it_gives_up_each_that_does_not_come_and_goes_on_after() -> None:
    async def call() -> list[object]:
        loop = asyncio.get_running_loop()
        patience: Patience[None] = Patience(loop=loop, seconds=0.01)
        never: asyncio.Future[None] = loop.create_future()
        found: list[object] = []
        for _ in range(2):  # the alarm begins anew
            waits = [patience.wait(asyncio.shield(never)) for _ in range(3)]
            found += await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), WAIT_SECONDS)
        assert not patience._until
        assert not patience._late
        never.cancel()
        return found

    assert [type(one) for one in asyncio.run(call())] == [TooSlow] * 6


def test_the_next_one_has_its_own_time() -> None:
    async def call() -> str:
        loop = asyncio.get_running_loop()
        patience: Patience[str] = Patience(loop=loop, seconds=WAIT_SECONDS)
        comes: asyncio.Future[str] = loop.create_future()
        first = asyncio.create_task(patience.wait(loop.create_future()))
        second = asyncio.create_task(patience.wait(comes))
        await asyncio.sleep(0)
        patience._until[first] = loop.time()  # as if it had begun so long ago
        patience._look()
        with pytest.raises(TooSlow):
            await first
        assert list(patience._until) == [second]
        comes.set_result("b")
        return await second

    assert asyncio.run(call()) == "b"


def test_whose_task_is_cancelled_by_others_is_not_too_slow() -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        patience: Patience[None] = Patience(loop=loop, seconds=WAIT_SECONDS)
        task = asyncio.create_task(patience.wait(loop.create_future()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not patience._until

    asyncio.run(call())
