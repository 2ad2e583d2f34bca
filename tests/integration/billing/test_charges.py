"""Charging a message, and the life of a hold: each operation happens once, however often it is told."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from billing import charges
from billing.charges import NewHold, Posted
from billing.database import GuardFailed, expect, pipeline, uuid7
from billing.models import Break, Entry, Hold, LedgerTransaction
from billing.queries import balance


def _reserved(account_id: UUID, now: datetime, *, occurrence_id: UUID | None = None) -> UUID:
    attempt_id = uuid7()
    hold = NewHold(
        attempt_id=attempt_id,
        occurrence_id=occurrence_id or uuid7(),
        account_id=account_id,
        bucket=7,
        at=now,
    )
    expect(charges.reserve(holds=[hold]), rows=1)
    return attempt_id


def _charge(account_id: UUID, message_id: UUID, now: datetime) -> int:
    cursor = charges.charge_message(account_id=account_id, message_id=message_id, carrier_sid="SM1", segments=2, at=now)
    return cursor.rowcount


def _state(attempt_id: UUID) -> tuple[str, str]:
    hold = Hold.objects.get(pk=attempt_id)
    return hold.state, hold.reason


def test_a_message_is_charged_once_with_its_evidence(account_id: UUID, now: datetime) -> None:
    message_id = uuid7()
    assert [_charge(account_id, message_id, now) for _ in range(3)] == [1, 0, 0]
    made = LedgerTransaction.objects.get()
    assert (made.kind, made.key, made.occurred_at) == ("sms", message_id, now)
    assert made.evidence == {
        "kind": "message",
        "id": str(message_id),
        "sid": "SM1",
        "segments": 2,
        "tariff": "standard-1",
    }
    sides = made.entries.order_by("line").values_list("account_id", "house", "currency", "amount_minor")
    assert list(sides) == [(account_id, None, "USD", -1), (None, "revenue:sms", "USD", 1)]


def test_a_message_is_charged_in_a_pipeline_with_its_account(account_id: UUID, now: datetime) -> None:
    fresh, message_id = uuid7(), uuid7()
    with transaction.atomic(), pipeline():
        charges.open_account(account_id=fresh, bucket=1, currency="USD", at=now)
        charged = charges.charge_message(account_id=fresh, message_id=message_id, carrier_sid="SM2", segments=1, at=now)
        again = charges.charge_message(account_id=fresh, message_id=message_id, carrier_sid="SM2", segments=1, at=now)
    assert (charged.rowcount, again.rowcount) == (1, 0)
    assert balance(account_id=fresh) == -1


def test_a_pipeline_that_fails_charges_nothing(account_id: UUID, now: datetime) -> None:
    def charge_and_fail() -> None:
        with transaction.atomic(), pipeline():
            _charge(account_id, uuid7(), now)
            expect(charges.void(attempt_ids=[uuid7()], reason="busy", at=now), rows=1)

    with pytest.raises(GuardFailed):
        charge_and_fail()
    assert not LedgerTransaction.objects.exists()


def test_an_account_is_opened_once(account_id: UUID, now: datetime) -> None:
    again = charges.open_account(account_id=account_id, bucket=9, currency="EUR", at=now)
    assert again.rowcount == 0
    assert balance(account_id=account_id) == 0


def test_an_answered_call_is_charged_once(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    told = [charges.post(attempt_id=attempt_id, evidence={"sid": "CA1"}, at=now) for _ in range(3)]
    assert told == [Posted.CHARGED, Posted.REPEATED, Posted.REPEATED]
    assert _state(attempt_id) == ("posted", "answered")
    made = LedgerTransaction.objects.get()
    assert made.evidence == {
        "kind": "call",
        "attempt": str(attempt_id),
        "sid": "CA1",
        "tariff": "standard-1",
    }
    assert balance(account_id=account_id) == -10


def test_a_hold_is_reserved_once(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    again = NewHold(attempt_id=attempt_id, occurrence_id=uuid7(), account_id=account_id, bucket=7, at=now)
    assert charges.reserve(holds=[again]).rowcount == 0
    assert charges.reserve(holds=[]).rowcount == 0


def test_two_answered_attempts_of_one_occurrence_are_one_charge_and_a_break(account_id: UUID, now: datetime) -> None:
    occurrence_id = uuid7()
    first, second = (_reserved(account_id, now, occurrence_id=occurrence_id) for _ in range(2))
    assert charges.post(attempt_id=first, evidence={}, at=now) is Posted.CHARGED
    for _ in range(2):
        assert charges.post(attempt_id=second, evidence={"sid": "CA2"}, at=now) is Posted.ALREADY_CHARGED
    assert _state(second) == ("voided", "already_charged")
    assert balance(account_id=account_id) == -10
    found = Break.objects.get()
    assert (found.promise, found.kind, found.subject_id) == ("P4", "answered_twice", str(occurrence_id))


def test_what_is_voided_costs_nothing(account_id: UUID, now: datetime) -> None:
    attempts = [_reserved(account_id, now) for _ in range(3)]
    charges.post(attempt_id=attempts[0], evidence={}, at=now)
    assert charges.void(attempt_ids=attempts, reason="busy", at=now).rowcount == 2
    assert charges.void(attempt_ids=attempts, reason="no_answer", at=now).rowcount == 0
    assert [_state(one) for one in attempts] == [
        ("posted", "answered"),
        ("voided", "busy"),
        ("voided", "busy"),
    ]
    assert balance(account_id=account_id) == -10


@pytest.mark.parametrize(
    ("after", "expected", "owed"),
    [
        (timedelta(hours=24) - timedelta(microseconds=1), Posted.CHARGED, -10),
        (timedelta(hours=24), Posted.TOO_LATE, 0),
        (timedelta(days=400), Posted.TOO_LATE, 0),
    ],
)
def test_a_late_proof_is_charged_within_a_day_and_never_after(
    account_id: UUID, now: datetime, after: timedelta, expected: Posted, owed: int
) -> None:
    attempt_id = _reserved(account_id, now)
    charges.void(attempt_ids=[attempt_id], reason="no_answer", at=now)
    assert charges.post(attempt_id=attempt_id, evidence={}, at=now + after) is expected
    assert balance(account_id=account_id) == owed


def test_a_late_proof_tells_so_in_its_evidence(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    charges.void(attempt_ids=[attempt_id], reason="no_answer", at=now)
    charges.post(attempt_id=attempt_id, evidence={}, at=now + timedelta(hours=1))
    evidence = LedgerTransaction.objects.get().evidence
    assert (evidence["late_proof"], evidence["voided_as"]) == (True, "no_answer")
    assert _state(attempt_id) == ("posted", "late_proof")


def test_a_late_call_is_free_whatever_is_proved(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    charges.void(attempt_ids=[attempt_id], reason="late", at=now)
    assert charges.post(attempt_id=attempt_id, evidence={}, at=now) is Posted.FREE
    assert (balance(account_id=account_id), _state(attempt_id)) == (0, ("voided", "late"))


def test_a_machine_proved_after_the_post_is_reversed_once(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    charges.post(attempt_id=attempt_id, evidence={}, at=now)
    told = [charges.reverse(attempt_id=attempt_id, reason="machine", at=now) for _ in range(3)]
    assert told == [True, False, False]
    assert balance(account_id=account_id) == 0
    assert charges.post(attempt_id=attempt_id, evidence={}, at=now) is Posted.REPEATED
    assert balance(account_id=account_id) == 0


def test_what_was_never_posted_is_not_reversed(account_id: UUID, now: datetime) -> None:
    assert not charges.reverse(attempt_id=_reserved(account_id, now), reason="machine", at=now)
    assert not LedgerTransaction.objects.exists()


def test_a_call_that_nobody_reserved_is_refused(account_id: UUID, now: datetime) -> None:
    with pytest.raises(GuardFailed):
        charges.post(attempt_id=uuid7(), evidence={}, at=now)
    assert not LedgerTransaction.objects.exists()


def test_a_charge_is_refunded_once_and_a_credit_or_a_refund_never(account_id: UUID, now: datetime) -> None:
    _charge(account_id, uuid7(), now)
    charge_id = LedgerTransaction.objects.get().pk
    assert charges.refund(transaction_id=charge_id, at=now, note="asked")
    assert not charges.refund(transaction_id=charge_id, at=now, note="asked again")
    refund_id = LedgerTransaction.objects.get(kind="refund").pk
    assert not charges.refund(transaction_id=refund_id, at=now, note="")
    assert not charges.refund(transaction_id=uuid7(), at=now, note="")
    assert balance(account_id=account_id) == 0
    assert Entry.objects.count() == 4


def test_a_payment_is_credited_once(account_id: UUID, now: datetime) -> None:
    key = uuid7()
    told = [charges.credit(account_id=account_id, amount_minor=500, key=key, at=now, note="card") for _ in range(2)]
    assert told == [True, False]
    assert balance(account_id=account_id) == 500


def test_a_rolled_back_caller_charges_nothing(account_id: UUID, now: datetime) -> None:
    attempt_id = _reserved(account_id, now)
    with transaction.atomic():
        charges.post(attempt_id=attempt_id, evidence={}, at=now)
        transaction.set_rollback(True)
    assert _state(attempt_id) == ("reserved", "")
    assert balance(account_id=account_id) == 0
