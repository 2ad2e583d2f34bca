"""A hold that is posted, voided or both at once moves once, and the ledger agrees with where it went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pytest_django import DjangoDbBlocker

from billing import charges
from billing.charges import NewHold, Posted
from billing.database import uuid7
from billing.models import Break, Hold
from billing.queries import audit_p4, balance
from tests import servers
from tests.integration.billing.fresh import fresh_database
from tests.races.billing_interleave import guard_off, interleave

NOW = datetime(2026, 3, 29, 9, 30, tzinfo=UTC)
WITHOUT_KEY = "ALTER TABLE billing_ledgertransaction DROP CONSTRAINT ledger_key_is_permanent"
WITHOUT_ONE_POSTED = "DROP INDEX hold_posted_once_per_occurrence"
ON_CONFLICT = (b"ON CONFLICT (kind, key) DO NOTHING", b"")
ROW_LOCK = (b"FOR NO KEY UPDATE", b"")
STATE_GUARDS = ((b" AND state = 'reserved'", b""), (b" AND hold.state = 'reserved'", b""))


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


def _reserved(account_id: UUID, *, occurrence_id: UUID | None = None) -> UUID:
    attempt_id = uuid7()
    charges.reserve(
        holds=[
            NewHold(
                attempt_id=attempt_id,
                occurrence_id=occurrence_id or uuid7(),
                account_id=account_id,
                bucket=7,
                at=NOW,
            )
        ]
    )
    return attempt_id


def _post(attempt_id: UUID) -> Posted:
    return charges.post(attempt_id=attempt_id, evidence={"sid": "CA"}, at=NOW)


def _void(attempt_id: UUID) -> int:
    return charges.void(attempt_ids=[attempt_id], reason="busy", at=NOW).rowcount


def _found() -> list[str]:
    return [one["kind"] for one in audit_p4(now=NOW, reserved_for_max=timedelta(days=1))[1]]


def _post_twice_at_once(database: servers.Database, account_id: UUID) -> tuple[Posted, Posted]:
    attempt_id = _reserved(account_id)
    return interleave(database, lambda: _post(attempt_id), lambda: _post(attempt_id))


def test_a_hold_that_is_posted_twice_at_once_is_charged_once(database: servers.Database, account_id: UUID) -> None:
    assert _post_twice_at_once(database, account_id) == (Posted.CHARGED, Posted.REPEATED)
    assert (balance(account_id=account_id), _found()) == (-10, [])


def test_negative_control_without_the_row_lock_the_second_post_voids_what_was_charged(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    guard_off(monkeypatch, database, edits={"post_hold": (ROW_LOCK,)})
    assert _post_twice_at_once(database, account_id) == (Posted.CHARGED, Posted.ALREADY_CHARGED)
    assert _found() == ["voided_hold_is_charged"]


def _post_two_attempts_at_once(database: servers.Database, account_id: UUID) -> tuple[Posted, Posted]:
    occurrence_id = uuid7()
    one, other = (_reserved(account_id, occurrence_id=occurrence_id) for _ in range(2))
    return interleave(database, lambda: _post(one), lambda: _post(other))


def test_two_attempts_of_one_occurrence_that_are_answered_at_once_are_one_charge_and_a_break(
    database: servers.Database, account_id: UUID
) -> None:
    assert _post_two_attempts_at_once(database, account_id) == (Posted.CHARGED, Posted.ALREADY_CHARGED)
    assert (balance(account_id=account_id), _found()) == (-10, [])
    assert sorted(Hold.objects.values_list("state", flat=True)) == ["posted", "voided"]
    assert Break.objects.get().kind == "answered_twice"


def test_negative_control_without_the_occurrences_key_both_attempts_are_charged(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    guard_off(
        monkeypatch,
        database,
        edits={"post_hold": (ON_CONFLICT,)},
        changes=(WITHOUT_KEY, WITHOUT_ONE_POSTED),
    )
    assert _post_two_attempts_at_once(database, account_id) == (Posted.CHARGED, Posted.CHARGED)
    assert balance(account_id=account_id) == -20
    assert "charged_twice" in _found()


def _void_while_posting(database: servers.Database, account_id: UUID) -> tuple[Posted, int]:
    attempt_id = _reserved(account_id)
    return interleave(database, lambda: _post(attempt_id), lambda: _void(attempt_id))


def test_a_void_that_comes_while_the_post_commits_changes_nothing(database: servers.Database, account_id: UUID) -> None:
    assert _void_while_posting(database, account_id) == (Posted.CHARGED, 0)
    assert (balance(account_id=account_id), _found()) == (-10, [])
    assert Hold.objects.get().state == "posted"


def test_negative_control_without_the_named_state_the_void_takes_a_posted_hold(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    guard_off(monkeypatch, database, edits={"void_holds": STATE_GUARDS})
    assert _void_while_posting(database, account_id) == (Posted.CHARGED, 1)
    assert _found() == ["voided_hold_is_charged"]


def _post_while_voiding(database: servers.Database, account_id: UUID) -> tuple[int, Posted]:
    attempt_id = _reserved(account_id)
    return interleave(database, lambda: _void(attempt_id), lambda: _post(attempt_id))


def test_a_post_that_comes_while_the_void_commits_is_a_late_proof(database: servers.Database, account_id: UUID) -> None:
    assert _post_while_voiding(database, account_id) == (1, Posted.CHARGED)
    assert (balance(account_id=account_id), _found()) == (-10, [])
    assert (Hold.objects.get().state, Hold.objects.get().reason) == ("posted", "late_proof")


def test_negative_control_without_the_row_lock_the_late_proof_is_not_seen_as_one(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    guard_off(monkeypatch, database, edits={"post_hold": (ROW_LOCK,)})
    assert _post_while_voiding(database, account_id) == (1, Posted.CHARGED)
    assert Hold.objects.get().reason == "answered"


def test_a_repeated_reversal_at_once_gives_back_once(database: servers.Database, account_id: UUID) -> None:
    attempt_id = _reserved(account_id)
    _post(attempt_id)

    def reverse() -> bool:
        return charges.reverse(attempt_id=attempt_id, reason="machine", at=NOW)

    assert interleave(database, reverse, reverse) == (True, False)
    assert (balance(account_id=account_id), _found()) == (0, [])


def test_negative_control_without_the_permanent_key_the_reversal_gives_back_twice(
    monkeypatch: pytest.MonkeyPatch, database: servers.Database, account_id: UUID
) -> None:
    attempt_id = _reserved(account_id)
    _post(attempt_id)

    def reverse() -> bool:
        return charges.reverse(attempt_id=attempt_id, reason="machine", at=NOW)

    guard_off(monkeypatch, database, edits={"reverse_hold": (ON_CONFLICT,)}, changes=(WITHOUT_KEY,))
    assert interleave(database, reverse, reverse) == (True, True)
    assert balance(account_id=account_id) == 10
