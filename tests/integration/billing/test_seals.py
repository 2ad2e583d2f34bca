"""The hash chain: what a superuser changes, adds or removes behind the triggers is found."""

from datetime import UTC, datetime, time, timedelta
from typing import LiteralString
from uuid import UUID

import pytest
from django.db import transaction

from billing import charges, seals
from billing.database import uuid7
from billing.models import LedgerSeal, LedgerTransaction
from tests import servers
from tests.integration.billing.fresh import connected, superuser_url

DAY = timedelta(days=1)


def _charge(account_id: UUID, now: datetime) -> None:
    charges.charge_message(account_id=account_id, message_id=uuid7(), carrier_sid="SM", segments=1, at=now)


def _tamper(database: servers.Database, change: LiteralString) -> None:
    with connected(superuser_url(database)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(change)


@pytest.fixture
def sealed(database: servers.Database, account_id: UUID, now: datetime) -> list[seals.Seal]:
    """Three days of charges, the middle one empty, all sealed."""
    for _ in range(4):
        _charge(account_id, now)
    # Time is stepped by a superuser here, since the database refuses a forged time of recording.
    _step_back(database, "3 days", first=4)
    _step_back(database, "2 days", first=2)
    return seals.seal(until=_later())


def _step_back(database: servers.Database, days: LiteralString, *, first: int) -> None:
    with connected(superuser_url(database)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(
            "UPDATE billing_ledgertransaction SET recorded_at = recorded_at - interval '" + days + "'"
            " WHERE id IN (SELECT id FROM billing_ledgertransaction ORDER BY id LIMIT %s)",
            [first],
        )


def _later() -> datetime:
    latest = LedgerTransaction.objects.latest("recorded_at").recorded_at.astimezone(UTC)
    return datetime.combine(latest.date() + DAY, time(), tzinfo=UTC)


def _kinds(*, witness: str | None = None) -> list[str]:
    return [one["kind"] for one in seals.verify_seals(witness=witness)[1]]


def test_it_seals_each_day_once_chained_to_the_day_before(sealed: list[seals.Seal]) -> None:
    assert [one.transactions for one in sealed] == [2, 0, 2]
    assert [one.previous_hash for one in sealed] == [seals.GENESIS, sealed[0].hash, sealed[1].hash]
    assert seals.seal(until=_later()) == []
    assert LedgerSeal.objects.count() == 3
    assert seals.verify_seals(witness=sealed[-1].hash) == (3, [])


def test_it_does_not_seal_a_day_that_is_not_over(database: servers.Database, account_id: UUID, now: datetime) -> None:
    _charge(account_id, now)
    assert seals.seal(until=datetime.now(UTC) + 9 * DAY) == []


def test_it_does_not_seal_a_day_that_until_does_not_cover(database: servers.Database, sealed: list[seals.Seal]) -> None:
    _tamper(database, "DELETE FROM billing_ledgerseal")
    end_of_second = datetime.combine(sealed[1].day_date + DAY, time(), tzinfo=UTC)
    assert len(seals.seal(until=end_of_second - timedelta(microseconds=1))) == 1
    assert len(seals.seal(until=end_of_second)) == 1


def test_it_continues_the_chain(
    database: servers.Database, account_id: UUID, now: datetime, sealed: list[seals.Seal]
) -> None:
    more = seals.seal(until=_later() + DAY)
    assert [one.previous_hash for one in more] == [sealed[-1].hash]
    assert seals.verify_seals() == (4, [])


def test_it_reads_the_same_in_another_time_zone(sealed: list[seals.Seal]) -> None:
    with transaction.atomic():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'Asia/Kathmandu'")
        assert seals.verify_seals() == (3, [])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_entry SET amount_minor = amount_minor * 2",
        "UPDATE billing_ledgertransaction SET evidence = evidence || '{\"segments\": 9}'",
        "UPDATE billing_ledgertransaction SET occurred_at = occurred_at + interval '1 microsecond'",
        "UPDATE billing_ledgertransaction SET key = gen_random_uuid()",
        "DELETE FROM billing_entry WHERE line = 2",
    ],
)
def test_it_finds_a_change(database: servers.Database, sealed: list[seals.Seal], change: LiteralString) -> None:
    _tamper(database, change)
    assert _kinds() == ["seal_differs", "seal_differs"]


def test_it_finds_a_removed_transaction(database: servers.Database, sealed: list[seals.Seal]) -> None:
    _tamper(
        database,
        "DELETE FROM billing_ledgertransaction WHERE id IN"
        " (SELECT id FROM billing_ledgertransaction ORDER BY id LIMIT 1)",
    )
    checked, found = seals.verify_seals()
    assert (checked, [one["kind"] for one in found]) == (3, ["seal_differs"])
    assert (found[0]["detail"]["transactions"], found[0]["detail"]["transactions_now"]) == (2, 1)


@pytest.mark.parametrize(("days", "kinds"), [("4 days", ["seal_differs"]), ("9 days", ["recorded_before_first_seal"])])
def test_it_finds_a_transaction_that_was_slipped_into_the_past(
    database: servers.Database, sealed: list[seals.Seal], days: LiteralString, kinds: list[str]
) -> None:
    _tamper(
        database,
        "INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, recorded_at, evidence) VALUES"
        " (gen_random_uuid(), 'sms', gen_random_uuid(), now(), now() - interval '" + days + "', '{}')",
    )
    assert _kinds() == kinds


def test_it_finds_a_seal_that_was_removed(database: servers.Database, sealed: list[seals.Seal]) -> None:
    _tamper(
        database,
        "DELETE FROM billing_ledgerseal WHERE transactions = 0",
    )
    assert _kinds() == ["seal_chain_broken", "seal_missing"]


def test_a_witness_finds_a_chain_that_was_rewritten_whole(database: servers.Database, sealed: list[seals.Seal]) -> None:
    _tamper(database, "UPDATE billing_entry SET amount_minor = amount_minor * 2")
    _tamper(database, "DELETE FROM billing_ledgerseal")
    seals.seal(until=_later())
    assert _kinds() == []  # confessed: the chain alone cannot tell
    assert _kinds(witness=sealed[-1].hash) == ["witness_missing"]
