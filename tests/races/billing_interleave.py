"""Two operations of billing at once: the second starts while the first has not committed."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import LiteralString, TypeVar

import pytest
from django.db import connection, transaction

from billing.ledger import statements
from tests import servers
from tests.integration.billing.fresh import connected, superuser_url

First = TypeVar("First")
Second = TypeVar("Second")
POLL_SECONDS = 0.005
POLLS_MAX = 12_000


def interleave(
    database: servers.Database, first: Callable[[], First], second: Callable[[], Second]
) -> tuple[First, Second]:
    """Run `first`; before it commits run `second` on another connection until it waits or has ended."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            one = first()
            running = pool.submit(_alone, second)
            _wait_until_blocked(database, running)
        return one, running.result(timeout=60)


def guard_off(
    monkeypatch: pytest.MonkeyPatch,
    database: servers.Database,
    *,
    edits: Mapping[str, tuple[tuple[bytes, bytes], ...]],
    changes: tuple[LiteralString, ...] = (),
) -> None:
    """Make the negative control's world: statements without their guard, a database without its constraint."""
    with connected(superuser_url(database)) as superuser:
        for change in changes:
            superuser.execute(change)
    for name, replacements in edits.items():
        text = statements._texts[name]
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        monkeypatch.setitem(statements._texts, name, text)


def _alone(operation: Callable[[], Second]) -> Second:
    try:
        with transaction.atomic():
            return operation()
    finally:
        connection.close()


def _wait_until_blocked(database: servers.Database, running: Future[Second]) -> None:
    pause = threading.Event()
    with connected(superuser_url(database)) as superuser:
        for _ in range(POLLS_MAX):
            waiting = superuser.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if waiting.rowcount or running.done():
                return
            pause.wait(POLL_SECONDS)
    raise TimeoutError("the second operation neither waited nor ended")
