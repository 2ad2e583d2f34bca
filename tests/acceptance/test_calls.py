"""What a call can become: snoozed, never again, declined, missed, one after the other, called back."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import stays

pytestmark = pytest.mark.acceptance


def test_it_rings_again_after_a_snooze(system: System, phone: Phone) -> None:
    phone.texts("Remind in 1 second about tea")
    first = phone.rings()
    phone.answers(first)
    phone.hears(first, "Press 1")
    phone.presses(first, "2")
    phone.hears(first, "We will call you again")
    second = phone.rings(2)
    assert system.oracle.states([phone]) == {"ringing": 1}
    phone.answers(second)
    phone.hears(second, "tea")
    phone.presses(second, "1")
    phone.awaits_end(second)
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    assert system.oracle.charges([phone]) == {"sms": 1, "call": 2}, "a snooze is a new occurrence"


def test_it_never_calls_again_after_key_9(system: System, phone: Phone) -> None:
    phone.texts("Remind in 4 seconds about bread")
    phone.texts("Remind in 1 second about tea")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "9 to never be called again")
    phone.presses(call, "9")
    phone.hears(call, "We will not call you again")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    assert system.oracle.states([phone]) == {"cancelled": 2}
    stays(lambda: len(phone.calls) == 1, seconds=4, what="nothing rings any more")
    system.oracle.judge([phone])


@pytest.mark.parametrize("how", ["declined", "not answered", "busy"])
def test_it_tries_three_times_then_tells_what_was_missed(
    system: System, carrier: Carrier, phone: Phone, how: str
) -> None:
    carrier.behave(**{"declined": {"decline": 1}, "not answered": {}, "busy": {"busy": 1}}[how])
    phone.texts("Remind in 1 second about the dentist")
    text = phone.awaits_text("You missed: the dentist")
    assert "call" in text
    assert len(phone.calls) == 3
    assert {c["state"] for c in phone.calls} == {"no-answer" if how == "not answered" else "busy"}
    system.oracle.await_quiet([phone])
    assert system.oracle.states([phone]) == {"missed": 1}
    assert system.oracle.charges([phone]) == {"sms": 1}
    system.oracle.judge([phone])
    back = phone.calls_back()
    assert "the dentist" in phone.hears(back, "You missed one reminder")


def test_it_tells_who_calls_back_that_nothing_was_missed(phone: Phone) -> None:
    back = phone.calls_back()
    phone.hears(back, "You have missed no reminder")


def test_it_takes_an_answering_machine_for_an_answer_where_nobody_asks(
    system: System, carrier: Carrier, phone: Phone
) -> None:
    """Detection is off by default: to the carrier a voicemail that picks up is an answer (confessed)."""
    carrier.behave(voicemail=1)
    phone.texts("Remind in 1 second about voices")
    phone.awaits_end(phone.rings())
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    assert system.oracle.states([phone]) == {"answered": 1}
    assert system.oracle.charges([phone]) == {"sms": 1, "call": 1}


def test_it_rings_one_after_the_other_for_one_person(system: System, phone: Phone) -> None:
    due = (datetime.now(UTC) + timedelta(seconds=8)).strftime("%Y-%m-%d %H:%M:%S")
    phone.texts(f"Remind at {due} UTC about tea")
    phone.texts(f"Remind at {due} UTC about bread")
    first = phone.rings()
    stays(lambda: len(phone.calls) == 1, seconds=1.5, what="one call at a time")
    for nth in (1, 2):
        call = phone.rings(nth)
        phone.answers(call)
        phone.hears(call, "Press 1")
        phone.presses(call, "1")
        phone.awaits_end(call)
    assert "tea" in phone.heard(first) or "bread" in phone.heard(first)
    assert "tea" in phone.heard(first) + phone.heard(call) and "bread" in phone.heard(first) + phone.heard(call)
    one, two = phone.calls
    assert one["ended_at"] <= two["created_at"]
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
