"""What waits is done in threads, begun in its order; its result or its error is told in the loop."""

import asyncio
import threading

import pytest

from reminders.crew import Crew

WAIT_SECONDS = 20.0


def test_it_tells_the_loop_what_became_of_it() -> None:
    async def call() -> tuple[object, ...]:
        crew = Crew(threads=2, name="test")

        def fail() -> None:
            raise ValueError("no")

        def stop() -> None:
            raise StopIteration

        return await asyncio.gather(crew.call(lambda: 7), crew.call(fail), crew.call(stop), return_exceptions=True)

    seven, failed, stopped = asyncio.run(call())
    assert (seven, repr(failed), type(stopped)) == (7, "ValueError('no')", RuntimeError)


def test_it_begins_in_the_order_of_arrival_and_holds_nobody_behind_what_hangs() -> None:
    begun: list[str] = []
    go = threading.Event()

    def hang() -> str:
        begun.append("hangs")
        assert go.wait(WAIT_SECONDS)
        return "over"

    async def call() -> str:
        crew = Crew(threads=2, name="test")
        hangs = crew.call(hang)
        for name in "abc":
            await crew.call(lambda name=name: begun.append(name))  # type: ignore[misc]
        assert begun[-3:] == ["a", "b", "c"]
        assert not hangs.done()
        go.set()
        return await hangs

    assert asyncio.run(call()) == "over"


@pytest.mark.parametrize("gone", ["given up", "loop ended"])
def test_it_goes_on_where_nobody_waits_any_more(gone: str) -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(WAIT_SECONDS)

    async def call(crew: Crew) -> None:
        waiting = crew.call(work)
        if gone == "given up":
            waiting.cancel()
            go.set()
        crew.call(done.set)
        if gone == "given up":
            await crew.call(lambda: None)

    crew = Crew(threads=1, name="test")
    asyncio.run(call(crew))
    go.set()
    assert done.wait(WAIT_SECONDS)
