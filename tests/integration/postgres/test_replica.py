"""Reports from a replica: only once it shows what was written before, and never to decide anything."""

import ast
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.db import Error as DatabaseError
from django.db import connections

from billing import breaker, charges, replica
from billing.database import route
from billing.models import Account
from config import address
from reminders import history, limits
from reminders.history import snapshot
from tests import replicas
from tests.integration.postgres.test_prove import NOW
from tests.unit.test_tidy import dotted, files, tree_of

# Who shows a report to people. Nothing that decides is among them; the audit reads the primary.
READERS: Final = {
    "reminders/management/commands/statement.py",
    "reminders/management/commands/trace.py",
    "config/observing/pages.py",
}
WHERE: Final = "SELECT pg_is_in_recovery()"


@pytest.fixture
def reporting(migrated: replicas.Cluster, pooled: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[replicas.Cluster]:
    """The replica's alias, as the settings make it."""
    primary = connections["default"].settings_dict
    at = address.parse("url", migrated.app_url("target_session_attrs=prefer-standby&connect_timeout=2"))
    options = {**primary["OPTIONS"], **at.options, "pool": None}
    options["options"] += " -c default_transaction_read_only=on"
    monkeypatch.setitem(connections.settings, "replica", {**primary, "OPTIONS": options})
    monkeypatch.setattr(replica, "REPLAY_SECONDS", 30.0)  # a loaded machine
    monkeypatch.setattr(replica, "PRIMARY_SECONDS", 30.0)
    yield migrated
    connections["replica"].close()
    del connections["replica"]


def is_replica(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(WHERE)
        row = cursor.fetchone()
    assert row is not None
    return bool(row[0])


def make_account() -> UUID:
    account_id = uuid4()
    charges.open_account(account_id=account_id, bucket=1, currency="USD", at=NOW)
    return account_id


def test_a_report_shows_from_the_replica_whatever_was_written_before(reporting: replicas.Cluster) -> None:
    for _ in range(10):
        account_id = make_account()
        with history.lately(seconds=5):
            assert route.alias == "replica"
            assert is_replica(route.alias)
            assert Account.objects.filter(pk=account_id).exists(), "Django's own queries go there too"
    assert route.alias == "default"


def test_a_replica_that_lags_is_not_read(reporting: replicas.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "REPLAY_SECONDS", 0.05)
    reporting[1].run("SELECT pg_wal_replay_pause()")
    try:
        account_id = make_account()
        with history.lately(seconds=5):
            assert route.alias == "default"
            assert Account.objects.filter(pk=account_id).exists()
    finally:
        reporting[1].run("SELECT pg_wal_replay_resume()")


def test_without_a_primary_the_replica_is_read_as_it_is(reporting: replicas.Cluster) -> None:
    account_id = make_account()
    with history.lately(seconds=5):
        assert Account.objects.filter(pk=account_id).exists()
    breaker.trip(why=breaker.AWAY)
    with history.lately(seconds=5):
        assert is_replica(route.alias)
        assert Account.objects.filter(pk=account_id).exists()


def test_nothing_can_be_written_where_reports_are_read(reporting: replicas.Cluster) -> None:
    with pytest.raises(DatabaseError, match="read-only"), replica.reading():
        make_account()
    assert route.alias == "default"


def test_without_a_replica_everything_is_read_from_the_primary(migrated: replicas.Cluster, pooled: Any) -> None:
    with replica.reading() as alias:
        assert alias == "default"


def test_a_snapshot_for_deciding_stays_on_the_primary(reporting: replicas.Cluster) -> None:
    with snapshot(seconds=limits.AUDIT_SECONDS):
        assert route.alias == "default"


def test_only_reports_to_people_are_read_lately() -> None:
    """`billing.replica` itself is protected by the import linter; this is about who calls `history.lately`."""
    found = {
        name
        for name in files(".py", under=("billing/", "config/", "reminders/"))
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call) and dotted(node.func).endswith("lately") and "missed" not in dotted(node.func)
    }
    assert found == READERS
