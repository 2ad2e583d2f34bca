"""Fixtures of billing's integration tests: a fresh database for each, and some rows to begin with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pytest_django import DjangoDbBlocker

from billing import charges
from billing.database import uuid7
from tests import servers
from tests.integration.billing.fresh import fresh_database

NOW = datetime(2026, 3, 29, 9, 30, tzinfo=UTC)


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[servers.Database]:
    """A fresh migrated database, used as the application's role."""
    with django_db_blocker.unblock(), fresh_database() as fresh:
        yield fresh


@pytest.fixture
def now() -> datetime:
    """The instant at which these tests happen."""
    return NOW


@pytest.fixture
def account_id(database: servers.Database, now: datetime) -> UUID:
    """An open account."""
    opened = uuid7()
    charges.open_account(account_id=opened, bucket=7, currency="USD", at=now)
    return opened
