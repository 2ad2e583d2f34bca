"""The breaker and its probe: opened by a silence, shut by a write, at home or elsewhere; one waiter at most."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from billing import breaker
from config.postgres import probe
from tests import databases, replicas
from tests.acceptance.waiting import until

LOAD_THREADS: Final = 12
POOL: Final = 4
OURS: Final = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ringback_app'"
WRITE: Final = "SELECT pg_logical_emit_message(true, 'ringback', 'load')"
SECONDS: Final = 60


def write() -> bool:
    """One write by this thread; whether it was taken."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(WRITE)
        return True
    except DatabaseError:
        return False
    finally:
        connection.close()


@contextmanager
def load() -> Iterator[list[bool]]:
    """Threads that write all the time; what each write met."""
    ended, met = threading.Event(), list[bool]()

    def go() -> None:
        while not ended.is_set():
            met.append(write())
            ended.wait(0.02)

    with ThreadPoolExecutor(LOAD_THREADS) as threads:
        for _ in range(LOAD_THREADS):
            threads.submit(go)
        try:
            yield met
        finally:
            ended.set()


def test_abandoned_waiters_stay_within_the_pool_and_everything_else_is_refused_at_once(
    cluster: replicas.Cluster, django_db_blocker: DjangoDbBlocker
) -> None:
    """No standby for a while, under load: what waits at the server is at most what was on its way, and one probe."""
    with (
        django_db_blocker.unblock(),
        databases.pointed_at(cluster.app_url(), pool=POOL, statement_seconds=0.2),
        load() as met,
    ):
        until(lambda: sum(met) > 20, seconds=SECONDS, what="writes are taken")
        cluster[1].freeze()
        try:
            until(breaker.is_open, seconds=SECONDS, what="the breaker opens")
            before = len(met)
            most = 0
            while len(met) < before + 1000:
                most = max(most, cluster[0].run(OURS)[0][0])
            assert most <= POOL + 5
            assert not any(met[before + LOAD_THREADS :]), "nothing is taken that has no second node"
        finally:
            cluster[1].thaw()
        until(lambda: not breaker.is_open(), seconds=SECONDS, what="the breaker is shut")
        taken = sum(met)
        until(lambda: sum(met) > taken + 20, seconds=SECONDS, what="writes are taken again")
    until(lambda: cluster[0].run(OURS)[0][0] <= 1, seconds=SECONDS, what="nobody waits any more")


def test_negative_control_without_the_breaker_every_try_leaves_another_waiter(
    cluster: replicas.Cluster, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "trip", lambda **_: None)
    with (
        django_db_blocker.unblock(),
        databases.pointed_at(cluster.app_url(), pool=POOL, statement_seconds=0.2),
        load() as met,
    ):
        until(lambda: sum(met) > 20, seconds=SECONDS, what="writes are taken")
        cluster[1].freeze()
        try:
            until(lambda: cluster[0].run(OURS)[0][0] > POOL + 5, seconds=SECONDS, what="more wait than the pool holds")
        finally:
            cluster[1].thaw()
    until(lambda: cluster[0].run(OURS)[0][0] <= 1, seconds=SECONDS, what="nobody waits any more")


def test_a_frozen_server_is_found_out_without_anybody_asking_and_trusted_again_once_it_writes(
    cluster: replicas.Cluster, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), databases.pointed_at(cluster.app_url(), pool=1, statement_seconds=0.2):
        assert not probe.accepts(), "nobody has asked yet"
        assert connection.pool is not None  # type: ignore[attr-defined]
        probe.watch()
        until(probe.accepts, seconds=SECONDS, what="it accepts")
        cluster[0].freeze()
        try:
            until(breaker.is_open, seconds=SECONDS, what="the breaker opens")
            assert not probe.accepts()
            assert not write()
        finally:
            cluster[0].thaw()
        until(probe.accepts, seconds=SECONDS, what="it accepts again")
        assert write()


@pytest.mark.parametrize("end", [replicas.Node.kill, replicas.Node.freeze], ids=["killed", "frozen"])
def test_the_new_primary_is_found_where_the_old_one_is_gone(
    end: Callable[[replicas.Node], None], django_db_blocker: DjangoDbBlocker
) -> None:
    with (
        replicas.started(2) as own,
        django_db_blocker.unblock(),
        databases.pointed_at(own.app_url(), pool=POOL, statement_seconds=0.2),
        load() as met,
    ):
        until(lambda: sum(met) > 20, seconds=SECONDS, what="writes are taken")
        end(own[0])
        until(breaker.is_open, seconds=SECONDS, what="the breaker opens")
        own.promote(1)
        until(lambda: not breaker.is_open(), seconds=SECONDS, what="the breaker is shut")
        taken = sum(met)
        until(lambda: sum(met) > taken + 20, seconds=SECONDS, what="writes are taken by the new one")


def test_a_page_that_the_database_cannot_answer_says_so(pooled: Any) -> None:
    breaker.trip(why=breaker.SILENT)
    breaker._breaker.opened_at = float("inf")  # no probe's write shuts it meanwhile
    answer = Client().get("/receipt", {"call": "CA" + "0" * 32})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    assert b"does not answer" in answer.content


def test_a_write_that_began_before_the_breaker_opened_does_not_shut_it() -> None:
    told: list[str | None] = []
    breaker.watch(told.append)
    breaker.trip(why=breaker.SILENT)
    began = breaker._breaker.opened_at
    breaker.trip(why=breaker.AWAY)
    assert not breaker.shut(proved_since=began)
    assert breaker.reason() == breaker.AWAY
    assert breaker.shut(proved_since=breaker._breaker.opened_at)
    assert told == [breaker.SILENT, None]
