"""Rings find a thread however slowly everything else goes."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, Event, Semaphore
from uuid import uuid4

import pytest

from reminders import dispatch, tasks
from reminders.states import Kind

THREADS = 4
PATIENCE_SECONDS = 60.0


class Worker:
    """A worker's threads, on which each look-up goes on until it is let go."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.begun, self.go_on, self.rung = Semaphore(0), Event(), Event()
        self.given_back: list[dispatch.Doorbell] = []

    def look_up(self, _bell: dispatch.Doorbell, _trace_context: str) -> None:
        self.begun.release()
        assert self.go_on.wait(PATIENCE_SECONDS)

    def ring(self, _bell: dispatch.Doorbell, _trace_context: str) -> None:
        self.rung.set()

    def gets(self, kind: Kind) -> "Future[None]":
        return self._pool.submit(tasks.attend, kind.value, [str(uuid4())], str(uuid4()), "")

    def has_begun(self, wanted: int) -> None:
        for _ in range(wanted):
            assert self.begun.acquire(timeout=PATIENCE_SECONDS)


@contextmanager
def worker(monkeypatch: pytest.MonkeyPatch, *, beside_rings: int) -> Iterator[Worker]:
    with ThreadPoolExecutor(THREADS) as pool:
        one = Worker(pool)
        monkeypatch.setattr(tasks, "_beside_rings", BoundedSemaphore(beside_rings))
        monkeypatch.setattr(tasks, "_one_by_one", one.look_up)
        monkeypatch.setattr(tasks, "_ring", one.ring)
        monkeypatch.setattr(dispatch, "release", lambda *, bell: one.given_back.append(bell))
        try:
            yield one
        finally:
            one.go_on.set()


def test_it_rings_while_every_look_up_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with worker(monkeypatch, beside_rings=THREADS - 1) as one:
        look_ups = [one.gets(Kind.LOOK_UP) for _ in range(3 * THREADS)]
        one.has_begun(THREADS - 1)
        one.gets(Kind.RING).result(PATIENCE_SECONDS)
        assert one.rung.is_set()
        assert len(one.given_back) == len(look_ups) - (THREADS - 1)
        one.go_on.set()
        for look_up in look_ups:
            look_up.result(PATIENCE_SECONDS)
        one.gets(Kind.REPLY).result(PATIENCE_SECONDS)  # the threads are free again
        assert len(one.given_back) == len(look_ups) - (THREADS - 1)


def test_it_would_not_ring_if_look_ups_might_take_every_thread_negative_control(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with worker(monkeypatch, beside_rings=THREADS) as one:
        for _ in range(THREADS):
            one.gets(Kind.LOOK_UP)
        one.has_begun(THREADS)
        ring = one.gets(Kind.RING)
        assert not ring.running()
        assert not one.rung.is_set()
        one.go_on.set()
        ring.result(PATIENCE_SECONDS)
        assert one.rung.is_set()
