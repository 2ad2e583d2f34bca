"""A server that may forget what it commits is refused at start. The one here does: tests run without fsync."""

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from config import checks
from tests import databases, environment, servers


def found(**more: object) -> dict[str, str]:
    with override_settings(**{"RINGBACK_MAY_FORGET": False, **more}):
        return {str(error.id): error.msg for error in checks.the_server_keeps_what_it_commits(databases=["default"])}


def test_it_refuses_a_server_without_fsync_and_names_the_setting(database: servers.Database) -> None:
    refused = found()
    assert "fsync = off" in refused["ringback.E007"] or "full_page_writes = off" in refused["ringback.E007"]
    assert "synchronous_commit = off" in refused["ringback.E008"]


def test_it_does_not_start_on_one(database: servers.Database) -> None:
    with (
        override_settings(RINGBACK_MAY_FORGET=False, SECRET_KEY="long"),
        pytest.raises(SystemExit, match=r"fsync = off: after a crash"),
    ):
        checks.refuse()


def test_it_takes_one_where_tests_say_so(database: servers.Database) -> None:
    assert not found(RINGBACK_MAY_FORGET=True)


def test_it_refuses_more_connections_than_the_server_has(database: servers.Database) -> None:
    with databases.pointed_at(database.app_url, pool=500):
        assert "500 connections" in found(RINGBACK_MAY_FORGET=True)["ringback.E009"]


def test_a_server_that_is_away_is_waited_for(django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock(), databases.pointed_at(environment.NOWHERE):
        assert not found()


def test_everything_that_is_wrong_is_said_at_once(database: servers.Database) -> None:
    with (
        override_settings(RINGBACK_LEASE_SECONDS=1.0, RINGBACK_TWILIO_AUTH_TOKEN="", SECRET_KEY="long"),
        pytest.raises(SystemExit, match=r"does not start:\n.*E001.*\n.*E004"),
    ):
        checks.refuse()


def test_it_starts_where_all_is_well(database: servers.Database) -> None:
    with override_settings(SECRET_KEY="long"):
        checks.refuse()
