"""Twilio's answers in our words: which error says what to do, and how its records are read."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders import limits
from reminders.carriers import twilio
from reminders.carriers.base import CarrierError, Rejected, Told, Unavailable, Unknown
from reminders.carriers.twilio import Twilio
from reminders.states import Outcome

NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
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


@pytest.mark.parametrize(
    ("status", "code", "taken"),
    [(400, 21201, True), (400, 20429, False), (429, 20429, False), (401, 20003, False), (503, 20503, False)],
)
def test_it_is_tried_out_by_a_call_to_nobody(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int, taken: bool
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    async def post(_: Twilio, path: str, form: list[tuple[str, str]]) -> Any:
        asked.append((path, dict(form)))
        raise twilio._refusal(status, {"code": code})

    monkeypatch.setattr(Twilio, "_post", post)
    ours = Twilio(base="", account_sid="AC", auth_token="t", service_number="+12025550100", public_base="")
    if taken:
        asyncio.run(ours.try_out())
    else:
        with pytest.raises(CarrierError):
            asyncio.run(ours.try_out())
    assert asked == [("Calls.json", {"From": "+12025550100"})]  # without a number no carrier can place it


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


ATTEMPT: Final = "01a2168b-6714-735b-bc66-a79870136d42"


def _event(path: str, **parameters: str) -> dict[str, Any]:
    return {"request": {"method": "POST", "url": f"https://ours/carriers/{path}", "parameters": parameters}}


def test_it_reads_what_webhooks_told() -> None:
    events = [
        {"request": {"url": "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls/CA1.json?attempt=1"}},
        _event(f"twilio/words?attempt={ATTEMPT}", call_sid="CA1"),
        _event(f"twilio/keys?attempt={ATTEMPT}&language=en", digits="2"),
        _event(f"twilio/keys?attempt={ATTEMPT}&language=en", digits="1"),
        _event(f"twilio/call-status?attempt={ATTEMPT}", digits="9"),
        {"request": None},
        None,
    ]
    assert twilio._told(events) == Told(attempt_id=UUID(ATTEMPT), pressed="21", had_words=False)


@pytest.mark.parametrize("path", ["twilio/words?attempt=no", "twilio/words", f"other/words?attempt={ATTEMPT}"])
def test_it_knows_of_no_attempt_where_none_is_named(path: str) -> None:
    assert twilio._told([_event(path)]) is None


def test_it_ends_a_call_in_every_way_of_ours() -> None:
    assert set(twilio.CALL_ENDS.values()) == set(Outcome) - {Outcome.MACHINE}


def _pages(monkeypatch: pytest.MonkeyPatch, ages: list[int]) -> list[str]:
    """A carrier with calls of these ages in seconds, newest first, three on a page; what was asked of it."""
    asked: list[str] = []

    async def get(_: Twilio, path: str) -> Any:
        asked.append(path)
        number = int(path.rpartition("Page=")[2]) if "&Page=" in path else 0
        here = ages[3 * number : 3 * number + 3]
        more = 3 * number + 3 < len(ages)
        dated = [format_datetime(NOW - timedelta(seconds=age), usegmt=True) for age in here]
        return {
            "calls": [{"sid": f"CA{age}", "date_created": date} for age, date in zip(here, dated, strict=True)],
            "next_page_uri": f"/2010-04-01/Accounts/AC1/Calls.json?PageSize=3&Page={number + 1}" if more else None,
        }

    monkeypatch.setattr(Twilio, "_get", get)
    return asked


@pytest.mark.parametrize(
    ("ages", "pages", "found"),
    [
        ([1, 2], 1, ["CA2", "CA1"]),
        ([1, 2, 3, 4, 5], 2, ["CA5", "CA4", "CA3", "CA2", "CA1"]),
        ([1, 2, 3, 4, 99, 100, 101], 2, ["CA4", "CA3", "CA2", "CA1"]),
        (list(range(1, 60)), 5, [f"CA{age}" for age in range(15, 0, -1)]),
    ],
    ids=["one page", "all of them", "as far as was asked for", "no further than its bound"],
)
def test_it_reads_page_after_page(
    monkeypatch: pytest.MonkeyPatch, ages: list[int], pages: int, found: list[str]
) -> None:
    monkeypatch.setattr(limits, "CALL_PAGE", 3)
    monkeypatch.setattr(limits, "CALL_LIST_MAX", 15)
    asked = _pages(monkeypatch, ages)
    carrier = Twilio(base="http://x", account_sid="AC1", auth_token="t", service_number="+1", public_base="http://y")
    calls = asyncio.run(carrier.calls_to("", since=NOW - timedelta(seconds=60)))
    assert [call.sid for call in calls] == found
    assert len(asked) == pages
