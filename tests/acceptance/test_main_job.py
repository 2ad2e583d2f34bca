"""The main job, as a person lives it: text, wait, answer, press, see what it cost."""

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import System

pytestmark = pytest.mark.acceptance


def test_it_rings_says_tea_and_charges_one_text_and_one_call(system: System, phone: Phone) -> None:
    answer = phone.texts("Remind in 2 seconds about tea")
    assert "tea" in answer
    confirmation = phone.awaits_text("#1 tea")
    assert "2026" in confirmation or "20" in confirmation
    assert "New York time" in confirmation
    call = phone.rings()
    phone.answers(call)
    assert "tea" in phone.hears(call, "Press 1 if you have it")
    assert "late" not in phone.heard(call)
    phone.presses(call, "1")
    phone.hears(call, "Thank you. Goodbye.")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    statement = system.told("statement", phone.number)
    assert [(line["kind"], line["amount_minor"]) for line in statement["charges"]] == [("sms", 1), ("call", 10)]
    assert statement["charges"][1]["evidence"]["carrier_sid"] == call
    assert statement["charges"][1]["evidence"]["pressed"] == "1"
    assert (statement["number"], statement["currency"], statement["balance_minor"]) == (phone.number, "USD", -11)


def test_it_traces_the_person_from_the_text_to_the_charge(system: System, carrier: Carrier, phone: Phone) -> None:
    carrier.behave(answer="always", press="1")
    phone.texts("Remind in 1 second about the trace")
    phone.awaits_end(phone.rings())
    system.oracle.await_quiet([phone])
    trace = system.told("trace", phone.number)
    assert trace["number"] == phone.number
    whats = [event["what"] for event in trace["events"]]
    told = ("message.received", "reminder.scheduled", "attempt.intended", "call.ringing", "call.answered", "call.ended")
    assert [what for what in whats if what in told] == list(told)
    versions = [event["version"] for event in trace["events"] if event["version"] is not None]
    assert versions == [1, 2, 3]
    assert trace["reminders"][0]["state"] == "answered"
    assert len({event["trace_id"] for event in trace["events"] if event["trace_id"]}) >= 1
    assert [what for what in whats if what.startswith("charge.")] == ["charge.sms", "charge.call"]
    intended = next(event for event in trace["events"] if event["what"] == "attempt.intended")
    before = system.told("trace", phone.number, "--at", intended["at"])
    assert [one["state"] for one in before["reminders"]] == ["scheduled"]
    assert "call.answered" not in [event["what"] for event in before["events"]]
    shown = system.manage("trace", phone.number).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "the trace" in shown


def test_it_says_that_nobody_of_that_number_ever_texted(system: System) -> None:
    for command in ("statement", "trace"):
        done = system.manage(command, "+12025559999")
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_it_lets_every_sentence_of_a_call_be_repeated_without_a_key(
    system: System, carrier: Carrier, phone: Phone
) -> None:
    """Nobody presses anything: said twice, hung up, answered all the same."""
    phone.texts("Remind in 1 second about silence")
    call = phone.rings()
    phone.answers(call)
    assert "Once more: silence." in phone.hears(call, "Goodbye.")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    assert system.oracle.charges([phone]) == {"sms": 1, "call": 1}
