"""A message told twice at once is charged once. With each test, its negative control: the guard off."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pytest_django import DjangoDbBlocker

from billing import charges
from billing.database import uuid7
from billing.models import LedgerTransaction
from billing.queries import balance
from tests import servers
from tests.integration.billing.fresh import fresh_database
from tests.races.billing_interleave import guard_off, interleave

NOW = datetime(2026, 3, 29, 9, 30, tzinfo=UTC)
WITHOUT_KEY = "ALTER TABLE billing_ledgertransaction DROP CONSTRAINT ledger_key_is_permanent"
ON_CONFLICT = b"ON CONFLICT (kind, key) DO NOTHING"
WITHOUT_CONFLICT = f"""
DO $do$ BEGIN
  EXECUTE replace(pg_get_functiondef('billing_charge_message'::regproc), '{ON_CONFLICT.decode()}', '');
END $do$
"""


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[servers.Database]:
    """A fresh migrated database, used as the application's role."""
    with django_db_blocker.unblock(), fresh_database() as fresh:
        yield fresh


@pytest.fixture
def account_id(database: servers.Database) -> UUID:
    """An open account."""
    opened = uuid7()
    charges.open_account(account_id=opened, bucket=7, currency="USD", at=NOW)
    return opened


def _charge_twice_at_once(database: servers.Database, account_id: UUID) -> tuple[int, int]:
    message_id = uuid7()

    def charge() -> int:
        cursor = charges.charge_message(
            account_id=account_id, message_id=message_id, carrier_sid="SM", segments=1, at=NOW
        )
        return cursor.rowcount

    return interleave(database, charge, charge)


def test_a_message_that_is_told_twice_at_once_is_charged_once(database: servers.Database, account_id: UUID) -> None:
    assert _charge_twice_at_once(database, account_id) == (1, 0)
    assert balance(account_id=account_id) == -1


def test_negative_control_without_the_permanent_key_it_is_charged_twice(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    guard_off(monkeypatch, database, edits={}, changes=(WITHOUT_KEY, WITHOUT_CONFLICT))
    assert _charge_twice_at_once(database, account_id) == (1, 1)
    assert balance(account_id=account_id) == -2


def _refund_twice_at_once(database: servers.Database, account_id: UUID) -> list[bool]:
    charges.charge_message(account_id=account_id, message_id=uuid7(), carrier_sid="SM", segments=1, at=NOW)
    charge_id = LedgerTransaction.objects.get().pk

    def refund() -> bool:
        return charges.refund(transaction_id=charge_id, at=NOW, note="asked")

    return list(interleave(database, refund, refund))


def test_a_charge_that_is_refunded_twice_at_once_is_given_back_once(
    database: servers.Database, account_id: UUID
) -> None:
    assert _refund_twice_at_once(database, account_id) == [True, False]
    assert balance(account_id=account_id) == 0


def test_negative_control_without_the_permanent_key_it_is_given_back_twice(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    edits = {"reverse_transaction": ((ON_CONFLICT, b""),), "write_transaction": ((ON_CONFLICT, b""),)}
    guard_off(monkeypatch, database, edits=edits, changes=(WITHOUT_KEY, WITHOUT_CONFLICT))
    assert _refund_twice_at_once(database, account_id) == [True, True]
    assert balance(account_id=account_id) == 1
