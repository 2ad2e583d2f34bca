"""The door to Postgres: pipelines, guards, prepared statements and streams on Django's own connection."""

from datetime import datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import charges
from billing.breaks import open_break
from billing.database import GuardFailed, expect, pipeline, uuid7
from billing.ledger import statements
from billing.models import Account, LedgerTransaction
from tests import servers


def _open(now: datetime, *, currency: str = "USD") -> UUID:
    account_id = uuid7()
    charges.open_account(account_id=account_id, bucket=1, currency=currency, at=now)
    return account_id


def test_a_guard_holds_where_the_row_count_is_as_expected(database: servers.Database, now: datetime) -> None:
    read = statements.run("read_seals", {})
    expect(read, rows=0)
    with pytest.raises(GuardFailed, match="expected 1 rows, met 0"):
        expect(read, rows=1)


def test_a_pipeline_commits_with_its_transaction_whichever_is_outside(
    database: servers.Database, now: datetime
) -> None:
    with transaction.atomic(), pipeline():
        _open(now)
    with pipeline(), transaction.atomic():
        _open(now)
    assert Account.objects.count() == 2


def test_a_guard_waits_for_its_statement_in_a_pipeline(database: servers.Database, now: datetime) -> None:
    with transaction.atomic(), pipeline():
        _open(now)
        closing = statements.run("close_break", {"break_id": uuid7(), "note": "", "at": now})
        with pytest.raises(GuardFailed):
            expect(closing, rows=1)
    assert Account.objects.count() == 1


def test_a_refusal_leaves_a_pipeline_as_djangos_error_and_changes_nothing(
    database: servers.Database, now: datetime
) -> None:
    def refused() -> None:
        with transaction.atomic(), pipeline():
            _open(now)
            _open(now, currency="us$")
            _open(now)

    with pytest.raises(IntegrityError):
        refused()
    assert not Account.objects.exists()
    assert _open(now)  # the connection is of use again


def test_a_broken_transaction_refuses_more_statements(database: servers.Database, now: datetime) -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(DatabaseError, match="atomic"):
            _open(now)


def test_a_statement_is_prepared_once(database: servers.Database, now: datetime) -> None:
    for _ in range(3):
        _open(now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%Opens an account%'")
        assert cursor.fetchone() == (1,)


def test_json_comes_back_as_it_was_and_djangos_own_fields_still_read_it(
    database: servers.Database, now: datetime
) -> None:
    open_break(promise="P4", kind="k", subject=("s", "1"), detail={"ü": [1, None]}, at=now)
    account_id = _open(now)
    charges.credit(account_id=account_id, amount_minor=5, key=uuid7(), at=now, note="ü")
    row = statements.run("read_lines", {"account_id": account_id, "kinds": ["credit"]}).fetchone()
    assert row is not None
    assert row[3]["note"] == "ü"
    assert LedgerTransaction.objects.get().evidence["note"] == "ü"


def test_a_stream_gives_every_row_in_a_transaction(database: servers.Database, now: datetime) -> None:
    account_id = _open(now)
    for _ in range(5):
        charges.charge_message(account_id=account_id, message_id=uuid7(), carrier_sid="SM", segments=1, at=now)
    recorded = LedgerTransaction.objects.earliest("recorded_at").recorded_at
    until = LedgerTransaction.objects.latest("recorded_at").recorded_at
    with transaction.atomic():
        rows = list(statements.stream("read_sealed_lines", {"since": recorded, "until": until}))
    assert len(rows) == 4
