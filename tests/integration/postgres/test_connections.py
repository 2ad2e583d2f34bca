"""Connections that know when they are dead: silent, read-only, ended, or with an answer that only they have."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction

from billing import breaker, deadline
from config.postgres import connection as guarded
from config.postgres import pool, servers
from config.postgres.connection import Guarded
from deploy.local import postgres
from tests import replicas
from tests.acceptance.waiting import until

WRITE: Final = "SELECT pg_logical_emit_message(true, 'ringback', 'test')"


def opened(cluster: replicas.Cluster, *, node: int = 0, seconds: float | None = 1.0) -> Guarded:
    parts: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(
        postgres.url(postgres.APPLICATION, cluster.passwords.app, port=cluster[node].port)
    )
    return Guarded.open(statement_seconds=seconds, autocommit=True, **parts)


@contextmanager
def frozen(node: replicas.Node) -> Iterator[None]:
    node.freeze()
    try:
        yield
    finally:
        node.thaw()


def in_thread(work: Callable[[], object]) -> "Future[object]":
    threads = ThreadPoolExecutor(1)
    try:
        return threads.submit(work)
    finally:
        threads.shutdown(wait=False)


def await_waiter(cluster: replicas.Cluster) -> int:
    """The pid of a server's process that waits for its standby."""
    find = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    found: list[tuple[Any, ...]] = until(lambda: cluster[0].run(find), seconds=20, what="a commit waits")
    return int(found[0][0])


def test_a_frozen_server_holds_no_thread_longer_than_its_time(cluster: replicas.Cluster) -> None:
    with opened(cluster, seconds=0.3) as one:
        with frozen(cluster[0]), pytest.raises(guarded.Silent):
            one.execute("SELECT 1")
        assert one.closed
    assert breaker.reason() is None, "a connection of no pool opens nothing"


def test_the_nearest_of_all_times_holds(cluster: replicas.Cluster) -> None:
    block, inner = deadline.within(seconds=0.3), deadline.within(seconds=60)
    with opened(cluster, seconds=None) as one, frozen(cluster[0]), block, inner, pytest.raises(guarded.Silent):
        one.execute("SELECT 1")
    patience = deadline.patiently(seconds=0.3)
    with opened(cluster, seconds=60) as one, frozen(cluster[0]), patience, pytest.raises(guarded.Silent):
        one.execute("SELECT 1")


def test_what_comes_too_late_is_not_sent(cluster: replicas.Cluster) -> None:
    with opened(cluster) as one:
        with deadline.within(seconds=0), pytest.raises(guarded.Late):
            one.execute("SELECT 1")
        assert one.execute("SELECT 2").fetchone() == (2,), "the connection is as good as before"


def test_connecting_to_a_frozen_server_ends_with_this_threads_time(cluster: replicas.Cluster) -> None:
    with frozen(cluster[0]), deadline.within(seconds=0.3), pytest.raises(psycopg.errors.ConnectionTimeout):
        opened(cluster)


def test_a_cancelled_wait_for_the_standby_is_an_error(cluster: replicas.Cluster) -> None:
    with opened(cluster, seconds=60) as one, frozen(cluster[1]):
        writing = in_thread(lambda: one.execute(WRITE))
        cluster[0].run("SELECT pg_cancel_backend(%s)", await_waiter(cluster))
        with pytest.raises(guarded.InDoubt):
            writing.result(timeout=20)
        assert one.closed


def test_negative_control_without_us_a_cancelled_wait_is_a_success(cluster: replicas.Cluster) -> None:
    url = postgres.url(postgres.APPLICATION, cluster.passwords.app, port=cluster[0].port)
    with psycopg.connect(url, autocommit=True) as plain, frozen(cluster[1]):
        writing = in_thread(lambda: plain.execute(WRITE).fetchall())
        cluster[0].run("SELECT pg_cancel_backend(%s)", await_waiter(cluster))
        assert writing.result(timeout=20)


def test_a_commit_inside_a_transaction_or_a_pipeline_that_was_not_replicated_is_an_error_too(
    cluster: replicas.Cluster,
) -> None:
    def transacted(one: Guarded) -> None:
        with one.transaction(), one.pipeline():
            one.execute(WRITE)

    with opened(cluster, seconds=60) as one, frozen(cluster[1]):
        writing = in_thread(lambda: transacted(one))
        cluster[0].run("SELECT pg_cancel_backend(%s)", await_waiter(cluster))
        with pytest.raises(psycopg.OperationalError):
            writing.result(timeout=20)
        assert one.in_doubt
        assert one.closed


@pytest.mark.parametrize(
    ("statement", "node"),
    [("CREATE TEMP TABLE t ()", 1), ("SELECT pg_terminate_backend(pg_backend_pid())", 0)],
    ids=["the server takes no writes any more", "the server ended it"],
)
def test_a_connection_of_no_more_use_is_closed_and_says_so_once(
    cluster: replicas.Cluster, statement: str, node: int
) -> None:
    told: list[int] = []
    one = opened(cluster, node=node)
    one.lost = lambda: told.append(1)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError if node == 0 or one.closed else psycopg.Error):
            one.execute(statement)
        assert one.closed
    assert told == [1]


def test_an_ordinary_error_closes_nothing(cluster: replicas.Cluster) -> None:
    with opened(cluster) as one:
        with pytest.raises(psycopg.errors.DivisionByZero):
            one.execute("SELECT 1/0")
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_the_first_server_that_takes_writes_is_found(cluster: replicas.Cluster) -> None:
    params: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(cluster.app_url())
    params["host"] = ",".join(["127.0.0.1"] * 2)
    params["port"] = f"{cluster[1].port},{cluster[0].port}"
    with Guarded.open(statement_seconds=1, **params) as one:
        assert one.server == ("127.0.0.1", str(cluster[0].port))
    assert servers.in_order([("127.0.0.1", str(node.port)) for node in reversed(cluster.nodes)])[0] == one.server
    servers.was_silent(one.server)
    assert servers.in_order([one.server, ("other", "1")]) == [("other", "1"), one.server]


def test_the_owner_gets_in_where_the_applications_connections_are_used_up(cluster: replicas.Cluster) -> None:
    held: list[Guarded] = []

    def use_up() -> None:
        while len(held) < replicas.CONNECTIONS_MAX:
            held.append(opened(cluster))

    try:
        with pytest.raises(psycopg.OperationalError, match="reserved"):
            use_up()
        with psycopg.connect(cluster.owner_url()) as owner:
            assert owner.execute("SELECT 1").fetchone() == (1,)
    finally:
        for one in held:
            one.close()


def test_hosts_and_ports_are_read_as_libpq_reads_them() -> None:
    assert servers.split("a,b", "1,2") == [("a", "1"), ("b", "2")]
    assert servers.split("a,b", "1") == [("a", "1"), ("b", "1")]


# ---- the pool --------------------------------------------------------------------------------------


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_a_connection_is_kept_and_handed_out_again(pooled: Any) -> None:
    first = backend()
    connection.close()
    assert backend() == first


def test_a_connection_that_the_server_ended_is_replaced_before_anybody_has_it(
    pooled: Any, cluster: replicas.Cluster
) -> None:
    first = backend()
    connection.close()
    cluster[0].run("SELECT pg_terminate_backend(%s)", first)
    until(lambda: not _alive(cluster, first), seconds=10, what="it ended")
    assert backend() != first


def _alive(cluster: replicas.Cluster, pid: int) -> bool:
    return bool(cluster[0].run("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))


def test_the_next_try_of_a_thread_whose_connection_died_has_another_one(pooled: Any, cluster: replicas.Cluster) -> None:
    first = backend()
    cluster[0].run("SELECT pg_terminate_backend(%s)", first)
    with pytest.raises(OperationalError):
        backend()
    assert backend() != first
    with transaction.atomic():
        cluster[0].run("SELECT pg_terminate_backend(%s)", backend())
        with pytest.raises(OperationalError):
            backend()
        with pytest.raises(Exception, match=r"atomic|closed|transaction"):  # never another one inside
            backend()
        transaction.set_rollback(True)
    assert backend() != first


def test_the_end_of_a_request_asks_for_no_connection_in_place_of_a_dead_one(
    pooled: Any, cluster: replicas.Cluster
) -> None:
    cluster[0].run("SELECT pg_terminate_backend(%s)", backend())
    with pytest.raises(OperationalError):
        backend()
    breaker.trip(why=breaker.SILENT)
    breaker._breaker.opened_at = float("inf")  # no probe's write shuts it meanwhile
    close_old_connections()
    assert connection.connection is None
    mine = connections["default"].pool  # type: ignore[attr-defined]
    assert all(mine._free.acquire(blocking=False) for _ in range(mine.size)), "it was given back"
    for _ in range(mine.size):
        mine._free.release()


def test_losing_one_connection_drops_every_idle_one_and_those_in_use_once_they_come_back(pooled: Any) -> None:
    mine = connections["default"].pool  # type: ignore[attr-defined]
    idle, used, lost = (mine.getconn() for _ in range(3))
    mine.putconn(idle)
    with pytest.raises(psycopg.Error):
        lost.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert idle.closed
    assert not used.closed, "whoever works on it may end"
    mine.putconn(used)
    mine.putconn(lost)
    assert used.closed
    assert mine.getconn().execute("SELECT 1").fetchone() == (1,)


def test_a_connection_inside_a_transaction_is_never_handed_on(pooled: Any) -> None:
    mine = connections["default"].pool  # type: ignore[attr-defined]
    one = mine.getconn()
    one.execute("BEGIN")
    mine.putconn(one)
    assert one.closed


def test_whoever_finds_none_free_hears_so_and_the_breaker_stays_shut(pooled: Any) -> None:
    mine = connections["default"].pool  # type: ignore[attr-defined]
    held = [mine.getconn() for _ in range(3)]
    with deadline.within(seconds=0.05), pytest.raises(pool.Busy):
        mine.getconn()
    assert not breaker.is_open()
    for one in held:
        mine.putconn(one)


def test_an_open_breaker_hands_nothing_out(pooled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    backend()
    connection.close()
    monkeypatch.setattr(breaker._breaker, "watchers", [])  # nobody tells the probe, which would shut it
    breaker.trip(why=breaker.SILENT)
    with pytest.raises(OperationalError, match="silent"):
        backend()
    assert not breaker.shut(proved_since=0.0), "what was begun before proves nothing"
    assert breaker.is_open()
    assert breaker.shut(proved_since=breaker._breaker.opened_at)
    assert backend()


def test_every_thread_has_its_own_time() -> None:
    seen: list[float | None] = []
    with deadline.within(seconds=5):
        other = threading.Thread(target=lambda: seen.append(deadline.left(None)))
        other.start()
        other.join()
        assert (deadline.left(None) or 0) <= 5
        assert deadline.left(2) == 2
    assert seen == [None]
    assert deadline.left(None) is None
