"""Servers that the tests of a module share, each test leaving them as it found them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from billing import breaker, deadline
from config.postgres import probe, servers
from tests import databases, replicas


@pytest.fixture(scope="module")
def cluster() -> Iterator[replicas.Cluster]:
    """A migrated primary with one standby, for which commits wait."""
    with replicas.started(2) as started:
        yield started


@pytest.fixture(scope="module")
def migrated(cluster: replicas.Cluster, django_db_blocker: DjangoDbBlocker) -> replicas.Cluster:
    """The same, with the product's tables."""
    with django_db_blocker.unblock():
        databases.migrate(cluster.owner_url())
    return cluster


@pytest.fixture(autouse=True)
def shut(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins with a shut breaker, no memories of servers and a probe of its own, which ends with it."""
    monkeypatch.setattr(probe, "_probes", [])
    monkeypatch.setattr(breaker._breaker, "watchers", [])
    _forget()
    yield
    for one in probe._probes:
        one.stop()
    _forget()


def _forget() -> None:
    breaker._breaker.reason = None
    breaker._breaker.opened_at = 0.0
    servers._silent_at.clear()
    servers._writer.clear()
    deadline._budget.ends_at = deadline._budget.each_seconds = None


@pytest.fixture
def pooled(cluster: replicas.Cluster, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """Django's default connection on the cluster, with a pool of three and a second for each statement."""
    with django_db_blocker.unblock(), databases.pointed_at(cluster.app_url(), pool=3, statement_seconds=1.0):
        yield connection
