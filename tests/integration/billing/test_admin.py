"""Staff read everything and change nothing; a charge is given back by its reversal."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from billing import charges
from billing.charges import NewHold
from billing.database import uuid7
from billing.models import LedgerTransaction
from billing.queries import balance
from tests import servers

TABLES = ("account", "ledgertransaction", "hold", "break", "ledgerseal")
LEDGER = "/admin/billing/ledgertransaction/"


@pytest.fixture(autouse=True)
def admin_alone(settings: Settings, tmp_path: Path) -> None:
    """Only the admin's addresses, so that nothing else is needed."""
    settings.STATIC_ROOT = str(tmp_path)
    settings.ROOT_URLCONF = "tests.integration.billing.admin_urls"


@pytest.fixture
def client(database: servers.Database) -> Client:
    """A member of staff with every right, signed in."""
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("ada", password="x"))
    return signed_in


@pytest.fixture
def charge(account_id: UUID, now: datetime) -> LedgerTransaction:
    """One charged message, and a hold."""
    charges.charge_message(account_id=account_id, message_id=uuid7(), carrier_sid="SM", segments=1, at=now)
    hold = NewHold(attempt_id=uuid7(), occurrence_id=uuid7(), account_id=account_id, bucket=7, at=now)
    charges.reserve(holds=[hold])
    return LedgerTransaction.objects.get()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_read(client: Client, charge: LedgerTransaction, table: str) -> None:
    assert client.get(f"/admin/billing/{table}/").status_code == 200


@pytest.mark.parametrize("table", TABLES)
def test_nothing_can_be_added(client: Client, table: str) -> None:
    assert client.get(f"/admin/billing/{table}/add/").status_code == 403


def test_a_transaction_shows_its_entries_and_cannot_be_changed_or_deleted(
    client: Client, charge: LedgerTransaction
) -> None:
    page = client.get(f"{LEDGER}{charge.pk}/change/")
    assert "revenue:sms: $0.01" in page.content.decode()
    assert client.post(f"{LEDGER}{charge.pk}/change/", {"kind": "call"}).status_code == 403
    assert client.get(f"{LEDGER}{charge.pk}/delete/").status_code == 403


@pytest.mark.parametrize(("name", "found"), [("account", 1), ("pk", 1), ("key", 1), ("another", 0), ("no id", 0)])
def test_it_searches_by_account_transaction_and_key(
    client: Client, charge: LedgerTransaction, account_id: UUID, name: str, found: int
) -> None:
    words = {"account": account_id, "pk": charge.pk, "key": charge.key, "another": uuid7(), "no id": "x"}
    page = client.get(LEDGER, {"q": str(words[name])})
    assert page.context["cl"].result_count == found


def test_no_list_counts_a_whole_table(client: Client, charge: LedgerTransaction) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(LEDGER)
    counting = [query["sql"] for query in captured if "COUNT(" in query["sql"] and "billing" in query["sql"]]
    assert counting
    assert all("LIMIT 1000" in sql for sql in counting)


def test_a_charge_is_given_back_by_reversal_once(client: Client, charge: LedgerTransaction, account_id: UUID) -> None:
    for _ in range(2):
        client.post(LEDGER, {"action": "refund", "_selected_action": [str(charge.pk)]})
    assert balance(account_id=account_id) == 0
    refund = LedgerTransaction.objects.get(kind="refund")
    assert refund.evidence["note"].startswith("by staff ")


def test_staff_without_the_right_give_nothing_back(client: Client, charge: LedgerTransaction, account_id: UUID) -> None:
    viewer = User.objects.create_user("bob", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_ledgertransaction"))
    signed_in = Client()
    signed_in.force_login(viewer)
    assert signed_in.get(LEDGER).status_code == 200
    signed_in.post(LEDGER, {"action": "refund", "_selected_action": [str(charge.pk)]})
    assert balance(account_id=account_id) == -1
