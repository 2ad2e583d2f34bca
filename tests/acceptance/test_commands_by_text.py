"""What people text besides reminders: LIST, DELETE, HELP, STOP, START."""

import time

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import passed, stays

pytestmark = pytest.mark.acceptance


def test_it_lists_and_deletes_by_number(system: System, phone: Phone) -> None:
    phone.texts("Remind in 3 hours about bread")
    phone.texts("Remind in 2 hours about milk")
    listed = phone.texts("LIST")
    assert listed.index("milk") < listed.index("bread")
    assert "Deleted #2 milk" in phone.texts("DELETE 2")
    assert "no reminder #7" in phone.texts("DELETE 7")
    assert "no reminder #2" in phone.texts("DELETE 2")
    listed = phone.texts("list")
    assert "bread" in listed and "milk" not in listed
    assert system.oracle.states([phone]) == {"scheduled": 1, "cancelled": 1}
    assert system.oracle.charges([phone]) == {"sms": 7}


def test_it_does_not_ring_for_what_was_deleted(system: System, phone: Phone) -> None:
    phone.texts("Remind in 8 seconds about milk")
    due = time.monotonic() + 8
    phone.texts("Delete 1")
    assert system.oracle.states([phone]) == {"cancelled": 1}
    system.oracle.await_quiet([phone])
    passed(due)
    stays(lambda: phone.calls == [], seconds=1, what="nothing rings")


def test_it_helps_and_says_what_it_did_not_understand(system: System, phone: Phone) -> None:
    assert "Remind tomorrow 9am about tea" in phone.texts("HELP")
    assert "did not find when and what" in phone.texts("how lovely the moon is")
    assert system.oracle.charges([phone]) == {"sms": 2}
    assert system.rows(
        "SELECT kind, outcome FROM reminders_message m JOIN reminders_subscriber s ON s.id = m.subscriber_id"
        " WHERE s.number = %s ORDER BY m.received_at",
        phone.number,
    ) == [("help", "command"), ("unclear", "refused")]


def test_it_stops_everything_on_stop_and_comes_back_on_start(system: System, phone: Phone) -> None:
    phone.texts("Remind in 10 seconds about milk")
    due = time.monotonic() + 10
    phone.texts("Remind in 3 hours about bread")
    phone.texts("STOP")
    phone.awaits_text("You have successfully been unsubscribed")
    assert system.oracle.states([phone]) == {"cancelled": 2}
    phone.texts("Remind in 1 second about nothing")
    passed(due)
    stays(lambda: phone.calls == [], seconds=1, what="nothing rings after STOP")
    assert system.oracle.states([phone]) == {"cancelled": 2}
    charged = system.oracle.charges([phone])
    assert charged == {"sms": 2}, "STOP, and what comes while stopped, costs nothing"
    phone.texts("START")
    phone.awaits_text("re-subscribed")
    phone.texts("Remind in 1 second about milk again")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "milk again")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])


@pytest.mark.parametrize("answered", [False, True], ids=["while it rings", "while it is answered"])
def test_it_hangs_up_on_stop(system: System, carrier: Carrier, phone: Phone, answered: bool) -> None:
    carrier.behave(words_per_second=1)
    phone.texts("Remind in 1 second about the long story of the princess and the seven bears")
    call = phone.rings()
    if answered:
        phone.answers(call)
        phone.hears(call, "Hello")
    phone.texts("STOP")
    phone.awaits_end(call, "completed" if answered else "canceled")
    system.oracle.await_quiet([phone])
    assert system.oracle.states([phone]) == {"cancelled": 1}
    assert len(phone.calls) == 1
    system.oracle.judge([phone])
