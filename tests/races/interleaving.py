"""Two operations at once on real connections: the second starts while the first has not committed. No sleeps."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, LiteralString, TypeVar

import pytest
from django.db import connection, transaction

from billing.database import Statements
from reminders import delivery, dispatch, intake, outcomes, recovery
from tests.world.world import World

First = TypeVar("First")
Second = TypeVar("Second")
POLL_SECONDS: Final = 0.005
POLLS_MAX: Final = 12_000
STAGES: Final = (intake, dispatch, delivery, outcomes, recovery)


def interleave(world: World, first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Run `first`; before it commits run `second` in another thread until it waits for a lock, or has ended."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            one = first()
            running = pool.submit(_alone, second)
            _wait_until_blocked(world, running)
        return one, running.result(timeout=60)


def at_once(*operations: Callable[[], First]) -> list[First]:
    """Let all go from one barrier, each in a thread and on a connection of its own."""
    barrier = threading.Barrier(len(operations))

    def go(operation: Callable[[], First]) -> First:
        connection.ensure_connection()
        barrier.wait(timeout=60)
        return operation()

    with ThreadPoolExecutor(len(operations)) as pool:
        running = [pool.submit(_alone, lambda one=one: go(one)) for one in operations]
        return [future.result(timeout=60) for future in running]


def guard_off(
    monkeypatch: pytest.MonkeyPatch,
    world: World,
    *,
    edits: Mapping[str, tuple[tuple[str, str], ...]],
    changes: tuple[LiteralString, ...] = (),
) -> None:
    """Make the negative control's world: statements without their guard, a database without its constraint."""
    for change in changes:
        world.see.execute(change)
    for name, replacements in edits.items():
        text = Statements("reminders")._texts[name]
        for old, new in replacements:
            assert old.encode() in text, f"{name}.sql has lost the guard that this test switches off: {old}"
            text = text.replace(old.encode(), new.encode())
        for stage in STAGES:
            monkeypatch.setitem(stage.statements._texts, name, text)


def _alone(operation: Callable[[], Second]) -> Second:
    try:
        return operation()
    finally:
        connection.close()


def _wait_until_blocked(world: World, running: Future[Second]) -> None:
    pause = threading.Event()
    for _ in range(POLLS_MAX):
        waiting = world.rows(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if waiting or running.done():
            return
        pause.wait(POLL_SECONDS)
    raise TimeoutError("the second operation neither waited nor ended")
