"""What the database refuses, whoever asks: the application's role, and the owner of the tables."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from billing import charges
from billing.database import uuid7
from billing.models import Account, Hold, LedgerTransaction
from tests import servers
from tests.integration.billing.conftest import NOW
from tests.integration.billing.fresh import connected, superuser_url

Connection = psycopg.Connection[tuple[Any, ...]]

WRITE: LiteralString = """
WITH written AS (
    INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    VALUES (%(id)s, 'sms', %(id)s, now(), '{}') RETURNING id
)
INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
SELECT written.id, side.*
FROM written CROSS JOIN (VALUES %s) AS side (line, account_id, house, currency, amount_minor)
"""
CUSTOMER: LiteralString = "(1::smallint, %(account)s::uuid, NULL::text, 'USD', -1::bigint)"


@pytest.fixture(params=["app_url", "owner_url"])
def connection(database: servers.Database, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection as the application's role, then as the owner."""
    with connected(getattr(database, request.param)) as one:
        yield one


@pytest.fixture
def charged(account_id: UUID, now: datetime) -> UUID:
    """A ledger with one charge in it; the charge's id."""
    charges.charge_message(account_id=account_id, message_id=uuid7(), carrier_sid="SM", segments=1, at=now)
    return LedgerTransaction.objects.get().pk


def _snapshot(database: servers.Database) -> list[tuple[Any, ...]]:
    with connected(superuser_url(database)) as one:
        ledger = one.execute("SELECT * FROM billing_ledgertransaction ORDER BY id").fetchall()
        return ledger + one.execute("SELECT * FROM billing_entry ORDER BY transaction_id, line").fetchall()


def _refused(error: psycopg.Error) -> str | None:
    return error.diag.constraint_name


def _write(connection: Connection, account_id: UUID, *sides: LiteralString) -> None:
    values = ", ".join((CUSTOMER, *sides))
    connection.execute(WRITE.replace("%s", values, 1), {"id": uuid7(), "account": account_id})


def test_it_accepts_a_balanced_transaction(
    connection: Connection, database: servers.Database, account_id: UUID
) -> None:
    _write(connection, account_id, "(2, NULL, 'revenue:sms', 'USD', 1)")
    assert len(_snapshot(database)) == 3


@pytest.mark.parametrize(
    ("sides", "refusal"),
    [
        ((), "ledger_sums_to_zero"),
        (("(2, NULL, 'revenue:sms', 'USD', 2)",), "ledger_sums_to_zero"),
        (("(2, NULL, 'revenue:sms', 'EUR', 1)",), "ledger_sums_to_zero"),
        (
            ("(2, NULL, 'revenue:sms', 'USD', 1)", "(3, NULL, 'funds:credit', 'EUR', 1)"),
            "ledger_sums_to_zero",
        ),
        (("(2, NULL, 'revenue:sms', 'USD', 0)",), "entry_amount_is_not_zero"),
        (("(2, NULL, 'revenue:sms', 'usd', 1)",), "entry_currency_is_iso_4217"),
        (("(2, NULL, 'pocket', 'USD', 1)",), "entry_is_of_a_customer_or_the_house"),
        (("(2, NULL, NULL, 'USD', 1)",), "entry_is_of_a_customer_or_the_house"),
        (("(2, %(account)s, 'revenue:sms', 'USD', 1)",), "entry_is_of_a_customer_or_the_house"),
        (("(1, NULL, 'revenue:sms', 'USD', 1)",), "billing_entry_pkey"),
    ],
)
def test_it_refuses_wrong_entries(
    connection: Connection,
    database: servers.Database,
    account_id: UUID,
    sides: tuple[LiteralString, ...],
    refusal: str,
) -> None:
    with pytest.raises(errors.IntegrityError) as refused:
        _write(connection, account_id, *sides)
    assert _refused(refused.value) == refusal
    assert _snapshot(database) == []


def test_it_refuses_an_account_that_is_not_there(connection: Connection, database: servers.Database) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        _write(connection, uuid7(), "(2, NULL, 'revenue:sms', 'USD', 1)")
    assert _snapshot(database) == []


def test_it_refuses_a_transaction_without_entries(connection: Connection, database: servers.Database) -> None:
    with pytest.raises(errors.IntegrityError) as refused:
        connection.execute(
            "INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)"
            " VALUES (%(id)s, 'sms', %(id)s, now(), '{}')",
            {"id": uuid7()},
        )
    assert _refused(refused.value) == "ledger_has_entries"
    assert _snapshot(database) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("made_by", "'99999999'::xid8"), ("recorded_at", "now() - interval '1 day'")],
)
def test_it_refuses_a_forged_time_of_making(
    connection: Connection,
    database: servers.Database,
    account_id: UUID,
    column: LiteralString,
    value: LiteralString,
) -> None:
    forged = WRITE.replace("evidence)", f"evidence, {column})").replace("'{}')", f"'{{}}', {value})")
    values = f"{CUSTOMER}, (2, NULL, 'revenue:sms', 'USD', 1)"
    with pytest.raises(errors.IntegrityError) as refused:
        connection.execute(forged.replace("%s", values, 1), {"id": uuid7(), "account": account_id})
    assert _refused(refused.value) in {"ledger_made_now", "ledger_entries_are_not_added_later"}
    assert _snapshot(database) == []


ADD_LATER: LiteralString = """
INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
VALUES (%(id)s, 3, NULL, 'revenue:sms', 'USD', 5), (%(id)s, 4, NULL, 'revenue:call', 'USD', -5)
"""


def test_it_refuses_entries_that_are_added_later(
    connection: Connection, database: servers.Database, charged: UUID
) -> None:
    before = _snapshot(database)
    with pytest.raises(errors.IntegrityError) as refused:
        connection.execute(ADD_LATER, {"id": charged})
    assert _refused(refused.value) == "ledger_entries_are_not_added_later"
    assert _snapshot(database) == before


def test_it_refuses_entries_of_no_transaction(connection: Connection, database: servers.Database) -> None:
    with pytest.raises(errors.IntegrityError) as refused:
        connection.execute(ADD_LATER, {"id": uuid7()})
    assert _refused(refused.value) == "ledger_entries_are_not_added_later"
    assert _snapshot(database) == []


def test_it_is_not_fooled_by_a_temporary_table(
    connection: Connection, database: servers.Database, charged: UUID
) -> None:
    before = _snapshot(database)
    connection.execute(
        "CREATE TEMPORARY TABLE billing_ledgertransaction AS"
        " SELECT %s::uuid AS id, pg_current_xact_id() AS made_by, now() AS recorded_at",
        [charged],
    )
    with pytest.raises(errors.IntegrityError):
        connection.execute(ADD_LATER, {"id": charged})
    assert _snapshot(database) == before


def test_it_refuses_the_same_key_again(connection: Connection, database: servers.Database, charged: UUID) -> None:
    before = _snapshot(database)
    with pytest.raises(errors.UniqueViolation) as refused:
        connection.execute(
            "INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)"
            " SELECT %s, kind, key, now(), '{}' FROM billing_ledgertransaction",
            [uuid7()],
        )
    assert _refused(refused.value) == "ledger_key_is_permanent"
    assert _snapshot(database) == before


CHANGES: tuple[LiteralString, ...] = (
    "UPDATE billing_ledgertransaction SET evidence = '{}'",
    "UPDATE billing_ledgertransaction SET kind = kind WHERE false",
    "UPDATE billing_entry SET amount_minor = amount_minor * 2",
    "DELETE FROM billing_ledgertransaction",
    "DELETE FROM billing_entry",
    "TRUNCATE billing_entry",
    "TRUNCATE billing_ledgertransaction CASCADE",
    "TRUNCATE billing_account CASCADE",
    "UPDATE billing_ledgerseal SET hash = ''",
    "DELETE FROM billing_ledgerseal",
    "TRUNCATE billing_ledgerseal",
    "INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)"
    " SELECT id, kind, key, now(), '{}' FROM billing_ledgertransaction"
    " ON CONFLICT (id) DO UPDATE SET evidence = '{}'",
)


@pytest.mark.parametrize("change", CHANGES)
def test_it_refuses_every_change(
    connection: Connection, database: servers.Database, charged: UUID, change: LiteralString
) -> None:
    before = _snapshot(database)
    with pytest.raises((errors.InsufficientPrivilege, errors.RestrictViolation)):
        connection.execute(change)
    assert _snapshot(database) == before


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_has_not_even_the_right(
    database: servers.Database, charged: UUID, change: LiteralString
) -> None:
    with connected(database.app_url) as application, pytest.raises(errors.InsufficientPrivilege):
        application.execute(change)


@pytest.mark.parametrize(
    "attempt",
    [
        "ALTER TABLE billing_entry DISABLE TRIGGER ALL",
        "ALTER TABLE billing_entry DISABLE TRIGGER billing_refuse_change",
        "DROP TRIGGER billing_check_entries ON billing_entry",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "ALTER TABLE billing_ledgertransaction DROP CONSTRAINT ledger_key_is_permanent",
        "DROP TABLE billing_entry",
        "GRANT UPDATE ON billing_entry TO ringback_app",
        "SET ROLE ringback_owner",
        "DELETE FROM billing_hold",
        "TRUNCATE billing_hold",
        "DELETE FROM billing_account",
        "DELETE FROM billing_break",
    ],
)
def test_the_application_cannot_switch_it_off(
    database: servers.Database, charged: UUID, attempt: LiteralString
) -> None:
    before = _snapshot(database)
    with connected(database.app_url) as application:
        try:
            application.execute(attempt)
        except (errors.InsufficientPrivilege, errors.InvalidParameterValue):
            pass
        else:
            # Granting what one does not hold is a warning to Postgres, and changes nothing.
            assert attempt.startswith("GRANT")
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute("UPDATE billing_entry SET amount_minor = 5")
    assert _snapshot(database) == before


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"state": "lost", "ended_at": NOW}, "hold_state_is_known"),
        ({"amount_minor": 0}, "hold_amount_is_positive"),
        ({"bucket": 1024}, "hold_bucket_in_range"),
        ({"state": "posted"}, "hold_ends_when_it_leaves_reserved"),
    ],
)
def test_it_refuses_a_wrong_hold(
    database: servers.Database, account_id: UUID, now: datetime, columns: dict[str, Any], refusal: str
) -> None:
    right = {
        "occurrence_id": uuid7(),
        "amount_minor": 10,
        "currency": "USD",
        "bucket": 1,
        "state": "reserved",
    }
    hold = Hold(id=uuid7(), account_id=account_id, reserved_at=now, **{**right, **columns})
    with pytest.raises(Exception, match=refusal):
        hold.save(force_insert=True)
    assert not Hold.objects.exists()


def test_it_refuses_two_posted_holds_of_one_occurrence(
    database: servers.Database, account_id: UUID, now: datetime
) -> None:
    occurrence_id = uuid7()
    for expected in (None, "hold_posted_once_per_occurrence"):
        hold = Hold(
            id=uuid7(),
            occurrence_id=occurrence_id,
            account_id=account_id,
            amount_minor=10,
            currency="USD",
            bucket=1,
            state="posted",
            reserved_at=now,
            ended_at=now,
        )
        if expected is None:
            hold.save(force_insert=True)
            continue
        with pytest.raises(Exception, match=expected):
            hold.save(force_insert=True)
    assert Hold.objects.count() == 1


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [({"bucket": -1}, "account_bucket_in_range"), ({"currency": "us$"}, "account_currency_is_iso_4217")],
)
def test_it_refuses_a_wrong_account(
    database: servers.Database, now: datetime, columns: dict[str, Any], refusal: str
) -> None:
    account = Account(id=uuid7(), **{"bucket": 1, "currency": "USD", "opened_at": now, **columns})
    with pytest.raises(Exception, match=refusal):
        account.save(force_insert=True)
    assert not Account.objects.exists()
