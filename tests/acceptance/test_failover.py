"""Standbys away, the primary killed, the next one frozen, while people text: nobody is refused, and nothing is lost.

Three servers made by hand, where the test promotes: the application's half of the tier `replicated`, with the spool.
By hand: RINGBACK_AWAY_SECONDS=300 pytest -s tests/acceptance/test_failover.py keeps the standbys away for five minutes.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests import replicas
from tests.acceptance import http
from tests.acceptance.system import QUICK, System
from tests.acceptance.waiting import stays, until

pytestmark = pytest.mark.acceptance

MORE: Final = 15
BACK_SECONDS: Final = 60.0  # on a loaded machine; what it took is printed
AWAY_SECONDS: Final = float(os.environ.get("RINGBACK_AWAY_SECONDS", "3"))
TEXT_EVERY_SECONDS: Final = 0.05
COUNT: Final = "SELECT count(*) FROM reminders_messagekey"
BACKENDS: Final = """
SELECT application_name, count(*)::int FROM pg_stat_activity WHERE usename = 'ringback_app' GROUP BY 1
"""
POOLS: Final = {"web-1": 9, "worker-1": 5, "dispatch-1": 9}  # threads, and the drain's
MORE_THAN_ITS_POOL: Final = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[replicas.Cluster]:
    with replicas.started(3) as started:
        yield started


@pytest.fixture(scope="module")
def system(cluster: replicas.Cluster) -> Iterator[System]:
    addresses = {
        "RINGBACK_MAY_FORGET": "1",
        "DATABASE_URL": cluster.app_url(),
        "RINGBACK_OWNER_DATABASE_URL": cluster.owner_url(),
        "RINGBACK_REPLICA_DATABASE_URL": cluster.app_url("target_session_attrs=prefer-standby&connect_timeout=2"),
        "RINGBACK_STATEMENT_SECONDS": "1",
        "RINGBACK_SPOOL": "1",
    }
    own = System({**QUICK, **addresses})
    try:
        own.start()
        until(lambda: way(own) == "database", seconds=BACK_SECONDS, what="it is ready")
        yield own
    finally:
        own.close()


class Texts:
    """What people text, all the time, and what becomes of it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.sids: list[str] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        ended = threading.Event()

        def text() -> None:
            while not ended.wait(TEXT_EVERY_SECONDS):
                phone = self._system.carrier.phone()
                sid = self._system.carrier.text(sender=phone.number, body="Remind in 3 hours about the failover")
                self.sids.append(sid)

        thread = threading.Thread(target=text)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def statuses(self) -> dict[str, int]:
        """The last status of each text's webhook, once all have ended."""
        return {sid: self._system.carrier.await_webhooks(sid)[-1]["status"] or 0 for sid in self.sids}

    def await_more(self) -> None:
        """Wait until so many more were sent."""
        begin = len(self.sids)
        until(lambda: len(self.sids) >= begin + MORE, seconds=BACK_SECONDS, what="people text")


def way(system: System) -> str | None:
    """Which way is open for a text, as /readyz says it."""
    said: str | None = http.request("GET", f"{system.interface['web']}/readyz").json()["accept"]
    return said


def await_way(system: System, wanted: str) -> float:
    """Wait until this way is open; the seconds."""
    start = time.monotonic()
    until(lambda: way(system) == wanted, seconds=BACK_SECONDS, what=f"texts go to the {wanted}")
    return time.monotonic() - start


def await_written(primary: replicas.Node) -> float:
    """Wait until this server has one more text than now; the seconds."""
    start, before = time.monotonic(), primary.run(COUNT, database="ringback")
    until(lambda: primary.run(COUNT, database="ringback") > before, seconds=BACK_SECONDS, what="a text is there")
    return time.monotonic() - start


def rings_and_is_charged(system: System) -> None:
    """The dispatcher, the worker and the web all work: one reminder from its text to its charge."""
    phone = system.carrier.phone()
    phone.texts("Remind in 1 second about the new primary")
    call = phone.rings(seconds=BACK_SECONDS)
    phone.answers(call)
    phone.hears(call, "the new primary")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone], seconds=BACK_SECONDS)
    system.oracle.judge([phone])


def nothing_accepted_is_lost(texts: Texts, primary: replicas.Node) -> None:
    """Each text was accepted, and stands on this server once the spool is drained."""
    statuses = texts.statuses()
    assert {sid: status for sid, status in statuses.items() if status != 200} == {}
    standing = f"{COUNT} WHERE carrier_sid = ANY (%s)"
    with primary.connect(database="ringback") as looking:
        until(
            lambda: looking.execute(standing, (list(statuses),)).fetchone() == (len(statuses),),
            seconds=BACK_SECONDS + AWAY_SECONDS,
            what=f"all {len(statuses)} texts that were accepted stand in the database",
        )
        lost = looking.execute("SELECT FROM reminders_lineage WHERE kind = 'lost'").fetchall()
        assert lost == [], "what was acknowledged outlives a failover: it is not taken for a restore"


def test_without_standbys_waiters_stay_within_the_pools_and_texts_go_to_the_spool(
    system: System, cluster: replicas.Cluster
) -> None:
    texts, most = Texts(system), dict.fromkeys(POOLS, 0)

    def within_pools() -> bool:
        for name, backends in looking.execute(BACKENDS).fetchall():
            most[name] = max(most.get(name, 0), backends)
        return all(most[name] <= POOLS[name] + MORE_THAN_ITS_POOL for name in POOLS)

    with cluster[0].connect() as looking, texts.going_on():
        texts.await_more()
        cluster[1].freeze()
        cluster[2].freeze()
        try:
            await_way(system, "spool")
            stays(within_pools, seconds=AWAY_SECONDS, what="backends are within the pools")
        finally:
            cluster[1].thaw()
            cluster[2].thaw()
        took = await_way(system, "database")
        texts.await_more()
    print(
        f"{AWAY_SECONDS:g} s without standbys: {len(texts.sids)} texts, at most {most} backends, back in {took:.1f} s"
    )
    nothing_accepted_is_lost(texts, cluster[0])


def test_it_goes_on_by_itself_when_the_primary_dies_and_when_the_next_one_freezes(
    system: System, cluster: replicas.Cluster
) -> None:
    texts, took = Texts(system), {}
    with texts.going_on():
        texts.await_more()
        cluster[0].kill()
        cluster.promote(1, followed_by=(2,))
        took["killed"] = await_written(cluster[1])
        await_way(system, "database")
        rings_and_is_charged(system)

        cluster.await_streaming(1, from_=1)
        cluster[1].freeze()
        await_way(system, "spool")
        cluster.promote(2)
        took["frozen"] = await_written(cluster[2])
        await_way(system, "database")
        cluster[1].kill()  # fenced, as whoever promotes must
        rings_and_is_charged(system)
        texts.await_more()
    print(f"{len(texts.sids)} texts; seconds from the promotion to the first that the new primary has: {took}")
    nothing_accepted_is_lost(texts, cluster[2])
