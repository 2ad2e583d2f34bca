"""The bounds agree with each other: what one allows, no other makes impossible."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders import limits
from reminders.retry import Policy

ROOT: Final = Path(__file__).resolve().parents[3]


def _policy(horizon: float) -> Policy:
    return Policy(
        attempts=3,
        retry_seconds=300,
        snooze_seconds=600,
        ring_timeout_seconds=30,
        lookup_horizon_seconds=horizon,
        freshness_seconds=60,
        lease_seconds=15,
    )


@pytest.mark.parametrize(
    "name", [name for name, value in vars(limits).items() if name.isupper() and not isinstance(value, str)]
)
def test_it_is_a_bound_above_nothing(name: str) -> None:
    value = getattr(limits, name)
    values = value if isinstance(value, tuple) else (value,)
    assert all(one > 0 for one in values)


def test_somebody_keeps_to_each() -> None:
    read = "\n".join(
        file.read_text()
        for package in ("billing", "config", "deploy", "reminders")
        for file in (ROOT / package).rglob("*.py")
        if file != Path(limits.__file__)
    )
    read += Path(__file__).read_text()
    assert [name for name in vars(limits) if name.isupper() and f"limits.{name}" not in read] == []


def test_it_hands_on_no_more_in_a_batch_than_is_claimed() -> None:
    assert limits.BATCH_MAX <= limits.CLAIM_MAX
    assert limits.CLAIMS_SHARED_MAX < limits.CLAIMS_MAX


@given(st.floats(0.1, 3600))
def test_it_lets_no_request_leave_or_last_beyond_the_horizon(horizon: float) -> None:
    policy = _policy(horizon)
    assert 0 < policy.send_within_seconds + policy.request_seconds < horizon
    assert policy.send_within_seconds <= limits.SEND_WITHIN_SECONDS
    assert policy.request_seconds <= limits.CALL_REQUEST_SECONDS <= limits.CARRIER_TIMEOUT_SECONDS


@pytest.mark.parametrize("horizon", [17.5, 300.0])
def test_it_leaves_the_carrier_its_time_within_the_horizon(horizon: float) -> None:
    policy = _policy(horizon)
    spent = policy.send_within_seconds + policy.request_seconds
    assert horizon - spent >= limits.CARRIER_UNSEEN_SECONDS


def test_it_gives_a_slow_carrier_up_before_its_request() -> None:
    assert _policy(17.5).request_seconds > limits.CARRIER_SLOW_SECONDS


@pytest.mark.parametrize("horizon", [17.5, 300.0])
def test_it_outlives_with_its_lease_a_whole_delivery(horizon: float) -> None:
    policy = _policy(horizon)
    assert policy.lease_seconds >= policy.send_within_seconds + policy.request_seconds + limits.SETTLE_SECONDS


def test_it_waits_longer_the_more_often_a_request_did_not_leave() -> None:
    waits = limits.NOT_SENT_RETRY_SECONDS
    assert list(waits) == sorted(waits)


def test_it_gives_a_webhook_its_stored_answer_for_longer_than_the_carrier_repeats_it() -> None:
    assert limits.STORED_ANSWER_SECONDS > limits.WEBHOOK_SECONDS
    assert limits.REPLY_LOOK_UP_SECONDS > limits.WEBHOOK_SECONDS
