"""In-doubt commits: a row that is found proves nothing about a second node, so what rests on it is proved first."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from billing import breaker, database
from config.postgres import probe
from reminders import intake, outcomes, recovery
from reminders.carriers.base import Inbound
from reminders.intake import Answer
from tests import replicas
from tests.acceptance.waiting import until
from tests.world.world import POLICY

Found = TypeVar("Found")
SECONDS: Final = 60
NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
WAITERS: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(autouse=True)
def no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The breaker opens and nobody shuts it: the tests do."""
    monkeypatch.setattr(probe, "begin", lambda **_: None)


@contextmanager
def without_standbys(cluster: replicas.Cluster) -> Iterator[None]:
    cluster[1].freeze()
    try:
        yield
    finally:
        cluster[1].thaw()
        cluster[0].run(WAITERS)


def accept(sid: str) -> Answer:
    message = Inbound(
        carrier="twilio",
        carrier_sid=sid,
        sender="+12025550147",
        body="Remind me tomorrow at 9am about tea",
        opt_out=None,
    )
    return intake.accept(message=message, received_at=NOW, trace_context="")


def by_another_process(work: Callable[[], Found]) -> Found:
    """On a connection of its own, with the breaker as it was at first."""
    breaker._breaker.reason = None

    def alone() -> Found:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(alone).result(timeout=60)


def leave_in_doubt(cluster: replicas.Cluster, sid: str) -> None:
    """Accept a text whose commit nobody confirms; then its row stands on the primary alone, for everybody to find."""
    known = "SELECT outcome FROM reminders_messagekey WHERE carrier_sid = %s"

    def left() -> list[tuple[object, ...]]:
        with pytest.raises(OperationalError):
            by_another_process(lambda: accept(sid))
        assert breaker.reason() == breaker.SILENT
        until(lambda: not cluster[0].run(WAITERS), seconds=SECONDS, what="nobody waits any more")
        return cluster[0].run(known, sid, database="ringback")

    assert until(left, seconds=SECONDS, what="the primary shows it, alone") == [("reminder",)]


def answered(work: Callable[[], Found]) -> Found:
    """What it brings once it brings something: a loaded machine may be silent for a while."""

    def tried() -> list[Found]:
        try:
            return [by_another_process(work)]
        except OperationalError:
            return []

    return until(tried, seconds=SECONDS, what="an answer")[0]


def test_a_repeat_of_a_text_in_doubt_is_not_answered_until_a_second_node_has_it(
    migrated: replicas.Cluster, pooled: Any
) -> None:
    sid = f"SM{uuid4().hex}"
    with without_standbys(migrated):
        leave_in_doubt(migrated, sid)
        with pytest.raises(OperationalError):
            by_another_process(lambda: accept(sid))
    answer = answered(lambda: accept(sid))
    assert answer.repeated
    assert answer.body


def test_negative_control_without_the_proof_it_is_answered_though_one_node_alone_has_it(
    migrated: replicas.Cluster, pooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "prove", lambda: None)
    sid = f"SM{uuid4().hex}"
    with without_standbys(migrated):
        leave_in_doubt(migrated, sid)
        answer = answered(lambda: accept(sid))
    assert answer.repeated
    assert answer.body


@pytest.mark.parametrize(
    "found_done",
    [
        lambda: recovery.fold_message(
            reply_id=uuid4(), carrier_sid=f"SM{uuid4().hex}", status="delivered", error=None, carrier="twilio"
        ),
        lambda: outcomes.ask_words(
            attempt_id=uuid4(),
            carrier="twilio",
            carrier_sid=f"CA{uuid4().hex}",
            answered_by=None,
            policy=POLICY,
            now=NOW,
        ),
    ],
    ids=["a reply's state that stands already", "a call that is not meant any more"],
)
def test_what_rests_on_something_found_done_is_not_said_without_a_second_node(
    migrated: replicas.Cluster, pooled: Any, found_done: Callable[[], object]
) -> None:
    with without_standbys(migrated), pytest.raises(OperationalError):
        by_another_process(found_done)
    assert not answered(found_done)


def test_nothing_is_proved_on_another_connection_than_the_one_that_read(
    migrated: replicas.Cluster, pooled: Any
) -> None:
    with pytest.raises(OperationalError, match="nothing is proved"):
        by_another_process(database.prove)

    def lost_between() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.connection.close()
        database.prove()

    with pytest.raises(OperationalError, match="nothing is proved"):
        by_another_process(lost_between)


def test_a_proof_writes_nothing_where_no_standby_is_waited_for(migrated: replicas.Cluster, pooled: Any) -> None:
    def writes() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            database.prove()
            cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
            row = cursor.fetchone()
        assert row is not None
        return bool(row[0])

    assert answered(writes)
    migrated.wait_for("")
    try:
        assert not answered(writes)
    finally:
        migrated.wait_for("ANY 1 (n1)")
