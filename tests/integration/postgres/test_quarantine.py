"""A database that was put back under a process that runs: its connections are refused until the release, and a primary
of the past is not taken for one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection

from billing import breaker
from config.postgres import probe
from reminders import lineage, witness
from reminders.lineage import Quarantined
from tests import databases, replicas
from tests.acceptance.waiting import until

WAITING = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' OR usename = 'ringback_app' AND state = 'active'"
FRESH = "TRUNCATE reminders_witness; DELETE FROM reminders_lineage WHERE kind <> 'begun'"


@pytest.fixture(autouse=True)
def watching(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path, migrated: replicas.Cluster
) -> Iterator[None]:
    """This process serves, in a data directory of its own, a database that nobody has lost."""
    settings.RINGBACK_HOME, settings.RINGBACK_INSTANCE = tmp_path, "web-1"
    monkeypatch.setattr(witness, "_own", witness._Own(is_watching=True))
    yield
    witness.ignore()  # nor does a probe that still asks declare anything
    with databases.connected(migrated.owner_url()) as owner:
        until(lambda: not migrated[0].run(WAITING), seconds=60, what="nothing waits to be committed")
        owner.execute(FRESH)


def turn() -> None:
    connection.ensure_connection()
    witness._own.moved_at = float("-inf")
    witness.turn(connection.connection)


def behind(owner: "psycopg.Connection[Any]") -> None:
    """As after a restore: the row is older than what was acknowledged."""
    owner.execute("UPDATE reminders_witness SET number = number - 1")


def test_it_opens_the_breaker_refuses_every_connection_and_goes_on_after_the_release(
    pooled: Any, migrated: replicas.Cluster
) -> None:
    with databases.connected(migrated.owner_url()) as owner:
        turn()
        turn()
        behind(owner)
        with pytest.raises(Quarantined):
            turn()
        assert breaker.reason() == breaker.QUARANTINED
        connection.close()
        for _ in range(3):
            with pytest.raises(OperationalError):
                pooled.ensure_connection()
        assert not probe.accepts()
        assert owner.execute("SELECT kind FROM reminders_lineage ORDER BY position").fetchall()[1:] == [("lost",)]
        assert breaker.reason() == breaker.QUARANTINED, "the probe looks, and does not shut it"
        owner.execute("INSERT INTO reminders_lineage (token, kind) VALUES (gen_random_uuid(), 'released')")
        until(lambda: not breaker.is_open(), seconds=60, what="the probe has shut it")
        turn()
        assert lineage.check(raw=connection.connection, witnesses=witness.told()).ahead == 0


def test_negative_control_without_the_look_the_next_connection_is_as_good_as_any(
    pooled: Any, migrated: replicas.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.connected(migrated.owner_url()) as owner:
        turn()
        behind(owner)
        monkeypatch.setattr(witness, "look", lambda _: None)
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        pooled.ensure_connection()
        assert owner.execute("SELECT count(*) FROM reminders_lineage").fetchone() == (1,)


def test_a_primary_that_acknowledges_nothing_is_no_database_of_ours_and_is_not_closed(
    pooled: Any, migrated: replicas.Cluster
) -> None:
    """After a failover the old primary is behind as well. It waits for a standby that does not come."""
    with databases.connected(migrated.owner_url()) as owner:
        turn()
        behind(owner)
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        migrated[1].freeze()
        try:
            with pytest.raises(OperationalError) as met:
                pooled.ensure_connection()
            assert not isinstance(met.value.__cause__, Quarantined)
            assert breaker.reason() != breaker.QUARANTINED
        finally:
            migrated[1].thaw()
