"""Settings that could lose or repeat work: each is refused with a sentence, and the right ones are not."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from config import checks


def ids(found: Any) -> list[str]:
    return [error.id for error in found]


def test_it_refuses_a_lease_that_ends_before_its_work_may() -> None:
    with override_settings(RINGBACK_LEASE_SECONDS=1.0):
        assert ids(checks.lease_outlives_the_work()) == ["ringback.E001"]


@pytest.mark.parametrize("name", ["CELERY_RESULT_BACKEND", "CELERY_ACKS_LATE", "CELERY_TASK_ACKS_LATE"])
def test_it_refuses_another_redelivery_than_the_lease(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert ids(checks.nothing_is_redelivered_behind_our_back()) == ["ringback.E002"]


@pytest.mark.parametrize(("name", "wrong"), [("AUTOCOMMIT", False), ("ATOMIC_REQUESTS", True)])
def test_it_refuses_statements_that_do_not_commit_by_themselves(
    name: str, wrong: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not ids(checks.autocommit_is_on())
    monkeypatch.setitem(settings.DATABASES["default"], name, wrong)
    assert ids(checks.autocommit_is_on()) == ["ringback.E003"]


def test_it_refuses_to_serve_without_secrets() -> None:
    with override_settings(RINGBACK_TWILIO_AUTH_TOKEN="", SECRET_KEY="not-secret-at-all"):
        assert ids(checks.secrets_are_set_where_people_are_served()) == ["ringback.E004", "ringback.E005"]


def test_it_refuses_half_of_a_second_account() -> None:
    with override_settings(RINGBACK_TWILIO_2_ACCOUNT_SID="AC2", SECRET_KEY="long"):
        assert ids(checks.secrets_are_set_where_people_are_served()) == ["ringback.E006"]
