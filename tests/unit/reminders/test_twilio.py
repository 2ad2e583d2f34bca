"""Twilio's answers in our words: which error says what to do, and how its records are read."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.carriers import twilio
from reminders.carriers.base import CarrierError, Rejected, Unavailable, Unknown
from reminders.states import Outcome

CALL: Final = {
    "sid": "CA1",
    "to": "+12025550101",
    "status": "completed",
    "date_created": "Mon, 02 Mar 2026 09:30:00 +0000",
    "start_time": "Mon, 02 Mar 2026 09:30:02 +0000",
    "end_time": "Mon, 02 Mar 2026 09:30:12 +0000",
    "duration": "10",
    "answered_by": None,
}


@pytest.mark.parametrize("code", sorted(twilio.FOR_THIS_NUMBER))
def test_it_rejects_a_number_without_blaming_our_set_up(code: int) -> None:
    refusal = twilio._refusal(400, {"code": code})
    assert isinstance(refusal, Rejected)
    assert (refusal.ours, refusal.reason) == (False, f"400/{code}")


@pytest.mark.parametrize("code", sorted(twilio.OUR_SET_UP))
def test_it_rejects_and_blames_our_set_up(code: int) -> None:
    refusal = twilio._refusal(400, {"code": code})
    assert isinstance(refusal, Rejected)
    assert refusal.ours


@pytest.mark.parametrize("code", sorted(twilio.FOR_NOW))
def test_it_is_unavailable_for_now(code: int) -> None:
    assert isinstance(twilio._refusal(400, {"code": code}), Unavailable)


@given(st.integers(300, 599), st.one_of(st.none(), st.integers(), st.text(), st.dictionaries(st.text(), st.integers())))
def test_it_finds_an_answer_to_every_refusal(status: int, body: Any) -> None:
    refusal = twilio._refusal(status, body)
    assert isinstance(refusal, CarrierError)
    if status >= 500 or status < 400 or status == 408:
        assert isinstance(refusal, Unknown), "it may have happened"


def test_it_takes_no_code_for_two_things() -> None:
    tables = (twilio.FOR_THIS_NUMBER, twilio.OUR_SET_UP, twilio.FOR_NOW)
    assert sum(len(table) for table in tables) == len(set.union(*(set(table) for table in tables)))


def test_it_reads_a_call() -> None:
    record = twilio._call(CALL)
    assert record.created_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert (record.started_at, record.ended_at) == (
        datetime(2026, 3, 2, 9, 30, 2, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 30, 12, tzinfo=UTC),
    )
    assert (record.sid, record.to, record.status, record.duration_seconds) == ("CA1", "+12025550101", "completed", 10)


def test_it_reads_a_call_that_is_queued() -> None:
    record = twilio._call({"sid": "CA1", "status": "queued", "duration": None, "start_time": None})
    assert (record.started_at, record.ended_at, record.duration_seconds) == (None, None, None)


@pytest.mark.parametrize("body", [None, [], {}, {"sid": ""}, {"sid": 3}])
def test_it_knows_no_id_where_there_is_none(body: Any) -> None:
    with pytest.raises(Unknown):
        twilio._sid(body)


@pytest.mark.parametrize("body", [None, [], "x", 3, {}, {"sid": None}])
def test_it_does_not_know_what_a_record_without_an_id_says(body: Any) -> None:
    with pytest.raises(Unknown):
        twilio._call(body)
    with pytest.raises(Unknown):
        twilio._message(body)


@pytest.mark.parametrize("duration", ["", None, "x", "-1", "1.5"])
def test_it_reads_no_duration_where_there_is_none(duration: str | None) -> None:
    assert twilio._call(CALL | {"duration": duration}).duration_seconds is None


@pytest.mark.parametrize("text", [None, "", "nonsense", "Mon, 99 Mar 2026 09:30:00 +0000"])
def test_it_reads_no_instant_where_there_is_none(text: str | None) -> None:
    assert twilio.instant(text) is None


@given(st.text(max_size=40))
def test_it_reads_any_instant_without_failing(text: str) -> None:
    found = twilio.instant(text)
    assert found is None or found.tzinfo is not None


def test_it_ends_a_call_in_every_way_of_ours() -> None:
    assert set(twilio.CALL_ENDS.values()) == set(Outcome) - {Outcome.MACHINE}
