"""Balance, statement, audit, breaks and reconciliation on real rows, also where a superuser tampered."""

from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from billing import charges
from billing.breaks import close_break, open_break
from billing.charges import NewHold
from billing.database import GuardFailed, Statements, uuid7
from billing.models import Break, LedgerTransaction
from billing.queries import audit_p4, balance
from billing.reconcile import Payment, reconcile_ledger, reconcile_payments
from billing.statements import statement
from tests import servers
from tests.integration.billing.fresh import connected, superuser_url

DAY = timedelta(days=1)


def _call(account_id: UUID, now: datetime, *, answered: bool = True) -> UUID:
    attempt_id = uuid7()
    hold = NewHold(attempt_id=attempt_id, occurrence_id=uuid7(), account_id=account_id, bucket=7, at=now)
    charges.reserve(holds=[hold])
    if answered:
        charges.post(attempt_id=attempt_id, evidence={"sid": "CA"}, at=now)
    else:
        charges.void(attempt_ids=[attempt_id], reason="busy", at=now)
    return attempt_id


def _message(account_id: UUID, now: datetime) -> UUID:
    message_id = uuid7()
    charges.charge_message(account_id=account_id, message_id=message_id, carrier_sid="SM", segments=1, at=now)
    return message_id


@pytest.fixture
def busy_account(account_id: UUID, now: datetime) -> UUID:
    """An account with messages, calls, a reversal, a refund, a credit and a voided hold."""
    _message(account_id, now)
    _call(account_id, now + timedelta(minutes=1))
    reversed_attempt = _call(account_id, now + timedelta(minutes=2))
    charges.reverse(attempt_id=reversed_attempt, reason="machine", at=now + timedelta(minutes=3))
    _call(account_id, now, answered=False)
    refunded = _message(account_id, now + timedelta(minutes=4))
    charge = LedgerTransaction.objects.get(kind="sms", key=refunded)
    charges.refund(transaction_id=charge.pk, at=now + timedelta(minutes=5), note="sorry")
    charges.credit(account_id=account_id, amount_minor=100, key=uuid7(), at=now, note="card")
    return account_id


def test_the_statement_shows_each_line_and_a_balance_that_is_their_sum(busy_account: UUID, now: datetime) -> None:
    another = uuid7()
    charges.open_account(account_id=another, bucket=1, currency="USD", at=now)
    _message(another, now)
    shown = statement(account_id=busy_account)
    lines = [(line.kind, line.amount_minor, (line.at - now).seconds // 60) for line in shown.charges]
    assert lines == [
        ("sms", 1, 0),
        ("call", 10, 1),
        ("call", 10, 2),
        ("refund", -10, 3),
        ("sms", 1, 4),
        ("refund", -1, 5),
    ]
    assert [line.amount_minor for line in shown.credits] == [100]
    assert (shown.currency, shown.balance_minor, str(shown.balance)) == ("USD", 89, "$0.89")
    assert balance(account_id=busy_account) == 89
    assert shown.charges[1].evidence["sid"] == "CA"


def test_the_statement_of_an_unknown_account_is_empty(database: servers.Database) -> None:
    shown = statement(account_id=uuid7())
    assert (shown.currency, shown.balance_minor, shown.charges, shown.credits) == ("USD", 0, (), ())
    assert balance(account_id=uuid7()) == 0


def test_the_audit_finds_nothing_where_all_is_well(busy_account: UUID, now: datetime) -> None:
    assert audit_p4(now=now, reserved_for_max=DAY) == (10, [])
    assert reconcile_ledger(now=now, reserved_for_max=DAY) == 0


def test_the_audit_runs_in_one_snapshot(busy_account: UUID, now: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        assert audit_p4(now=now, reserved_for_max=DAY) == (10, [])


TAMPERED: dict[str, LiteralString] = {
    "unbalanced": "UPDATE billing_entry SET amount_minor = -2 WHERE line = 1 AND transaction_id = %(sms)s",
    "no_entries": "DELETE FROM billing_entry WHERE transaction_id = %(sms)s",
    "entries_without_transaction": "DELETE FROM billing_ledgertransaction WHERE id = %(sms)s",
    "no_evidence": "UPDATE billing_ledgertransaction SET evidence = '{}' WHERE id = %(sms)s",
    "other_currency": "UPDATE billing_entry SET currency = 'EUR' WHERE transaction_id = %(sms)s",
    "refund_differs": "UPDATE billing_entry SET amount_minor = amount_minor * 2 WHERE transaction_id = %(refund)s",
    "posted_hold_without_charge": "UPDATE billing_hold SET state = 'posted' WHERE id = %(voided)s",
    "call_charge_without_hold": "DELETE FROM billing_hold WHERE id = %(posted)s",
    "voided_hold_is_charged": "UPDATE billing_hold SET state = 'voided' WHERE id = %(posted)s",
    "reserved_hold_is_charged": "UPDATE billing_hold SET state = 'reserved', ended_at = NULL WHERE id = %(posted)s",
    "charge_differs_from_hold": "UPDATE billing_hold SET amount_minor = 11 WHERE id = %(posted)s",
}
TAMPERED["charged_twice"] = (
    "ALTER TABLE billing_ledgertransaction DROP CONSTRAINT ledger_key_is_permanent;"
    " INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)"
    " SELECT '00000000-0000-7000-8000-000000000001', kind, key, occurred_at, evidence"
    " FROM billing_ledgertransaction WHERE id = %(sms)s;"
    " INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)"
    " SELECT '00000000-0000-7000-8000-000000000001', line, account_id, house, currency, amount_minor"
    " FROM billing_entry WHERE transaction_id = %(sms)s"
)


def _tamper(database: servers.Database, change: str) -> None:
    rows = LedgerTransaction.objects
    posted = rows.filter(kind="call").order_by("occurred_at").first()
    names = {
        "sms": rows.filter(kind="sms").order_by("occurred_at").first().pk,  # type: ignore[union-attr]
        "refund": rows.filter(kind="refund").order_by("occurred_at").first().pk,  # type: ignore[union-attr]
        "posted": UUID(posted.evidence["attempt"]) if posted else None,
        "voided": _voided(),
    }
    for name, value in names.items():
        change = change.replace(f"%({name})s", f"'{value}'")
    with connected(superuser_url(database)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(change.encode())


def _voided() -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM billing_hold WHERE state = 'voided'")
        return UUID(str(cursor.fetchone()[0]))


@pytest.mark.parametrize("kind", TAMPERED)
def test_the_audit_names_what_a_superuser_tampered_with(
    database: servers.Database, busy_account: UUID, now: datetime, kind: str
) -> None:
    _tamper(database, TAMPERED[kind])
    found = {one["kind"] for one in audit_p4(now=now, reserved_for_max=DAY)[1]}
    assert found == {kind}


def test_the_audit_names_a_hold_that_waits_too_long(account_id: UUID, now: datetime) -> None:
    attempt_id = uuid7()
    hold = NewHold(attempt_id=attempt_id, occurrence_id=uuid7(), account_id=account_id, bucket=7, at=now)
    charges.reserve(holds=[hold])
    assert audit_p4(now=now + DAY, reserved_for_max=DAY)[1] == []
    late = audit_p4(now=now + DAY + timedelta(microseconds=1), reserved_for_max=DAY)[1]
    assert [(one["kind"], one["subject"]) for one in late] == [("reserved_too_long", ("attempt", str(attempt_id)))]


def test_reconciling_opens_each_break_once(database: servers.Database, busy_account: UUID, now: datetime) -> None:
    _tamper(database, TAMPERED["no_entries"])
    assert [reconcile_ledger(now=now, reserved_for_max=DAY) for _ in range(2)] == [1, 1]
    assert Break.objects.get().kind == "no_entries"


def test_reconciling_payments_names_each_difference(account_id: UUID, now: datetime) -> None:
    paid, unpaid = uuid7(), uuid7()
    charges.credit(account_id=account_id, amount_minor=100, key=paid, at=now, note="")
    charges.credit(account_id=account_id, amount_minor=100, key=unpaid, at=now, note="")
    recorded_at = LedgerTransaction.objects.earliest("recorded_at").recorded_at
    missing = Payment(key=uuid7(), amount_minor=7)
    payments = [Payment(key=paid, amount_minor=100), missing]
    span: dict[str, Any] = {"since": recorded_at, "until": recorded_at + DAY, "now": now}
    assert reconcile_payments(payments=payments, **span) == 2
    found = dict(Break.objects.values_list("subject_id", "kind"))
    assert found == {str(unpaid): "credit_without_payment", str(missing.key): "payment_not_credited"}


def test_a_break_is_open_once_and_may_come_back(database: servers.Database, now: datetime) -> None:
    subject = ("message", "SM1")
    told: dict[str, Any] = {"promise": "P6", "kind": "missing", "subject": subject, "detail": {}, "at": now}
    assert [open_break(**told).rowcount for _ in range(2)] == [1, 0]
    first = Break.objects.get()
    close_break(break_id=first.pk, note="fetched", at=now)
    with pytest.raises(GuardFailed):
        close_break(break_id=first.pk, note="again", at=now)
    assert open_break(**told).rowcount == 1
    assert Break.objects.count() == 2


def test_a_statement_outside_a_pipeline_raises_djangos_error(database: servers.Database, now: datetime) -> None:
    with pytest.raises(DatabaseError):
        open_break(promise="P0", kind="k", subject=("s", "1"), detail={}, at=now)


def test_every_statement_says_what_it_does_and_what_it_locks(database: servers.Database) -> None:
    for text in Statements("billing")._texts.values():
        assert text.startswith(b"-- ")
        assert b"ocks" in text
