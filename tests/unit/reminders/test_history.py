"""Replay by version alone, and an order that no clock can turn round."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.history import Happened, HistoryBroken, in_order, replay

START = datetime(2026, 3, 29, 9, 30, tzinfo=UTC)
REMINDER, ATTEMPT = uuid4(), uuid4()


def happened(
    what: str, at: datetime, *, version: int | None = None, attempt: UUID | None = None, **detail: Any
) -> Happened:
    """One thing that happened to the reminder."""
    return Happened(
        at=at,
        recorded_at=at,
        what=what,
        reminder=REMINDER,
        version=version,
        attempt=attempt,
        detail=detail,
        trace_context="00-" + "a" * 32 + "-" + "b" * 16 + "-00",
    )


@given(st.permutations(range(1, 6)), st.lists(st.integers(-90, 90), min_size=5, max_size=5))
def test_it_replays_by_version_whatever_the_clocks_said(order: list[int], seconds: list[int]) -> None:
    moves = [happened("reminder.moved", START + timedelta(seconds=seconds[v - 1]), version=v, state=v) for v in order]
    assert replay(moves) == {"state": 5, "version": 5}
    assert [one.version for one in in_order(moves)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("versions", [(), (2,), (1, 3), (1, 1), (0, 1)])
def test_it_refuses_a_history_with_a_gap(versions: tuple[int, ...]) -> None:
    with pytest.raises(HistoryBroken):
        replay([happened("reminder.moved", START, version=version) for version in versions])


def test_a_carriers_whole_second_does_not_put_the_call_before_its_intent() -> None:
    intended = happened("attempt.intended", START + timedelta(milliseconds=422), attempt=ATTEMPT)
    ringing = happened("call.ringing", START, attempt=ATTEMPT)
    told = in_order([ringing, intended])
    assert [one.what for one in told] == ["attempt.intended", "call.ringing"]
    assert [one.at for one in told] == [intended.at, intended.at]
    assert told[1].detail["said_at"] == START.isoformat()


def test_a_call_that_truly_ended_before_a_late_key_stays_there() -> None:
    key = happened("call.key_pressed", START + timedelta(minutes=5), attempt=ATTEMPT)
    ended = happened("call.ended", START, attempt=ATTEMPT)
    assert [one.what for one in in_order([key, ended])] == ["call.ended", "call.key_pressed"]


def test_what_happened_in_one_instant_goes_from_the_text_to_the_reply() -> None:
    mixed = ["reply.handed_over", "charge.sms", "reminder.scheduled", "message.received"]
    told = in_order([happened(what, START) for what in mixed])
    assert [one.what for one in told] == mixed[::-1]


def test_its_trace_id_is_that_of_its_context() -> None:
    assert happened("message.received", START).trace_id == "a" * 32
