"""The carrier misbehaves, one way at a time: never two calls for one attempt, one charge, and the reminder ends."""

from typing import Final

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 6
FAULTS: Final[tuple[dict[str, float], ...]] = (
    {"create_reply_lost": 1},
    {"create_reply_lost": 0.5},
    {"create_5xx_after_placing": 1},
    {"create_hang_seconds": 3},
    {"create_hold_seconds": 1},
    {"create_reply_lost": 1, "list_lag_seconds": 1.5, "callbacks_drop": 1},
    {"callbacks_duplicate": 1},
    {"callbacks_delay_seconds": 0.7},
    {"callbacks_reverse": 1},
    {"callbacks_drop": 1},
    {"callbacks_drop": 0.5, "callbacks_duplicate": 0.5, "callbacks_delay_seconds": 0.2},
    {"webhook_twice": 1},
)


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: " ".join(f"{name}={value:g}" for name, value in fault.items())
)
def test_it_rings_once_and_charges_once(system: System, carrier: Carrier, fault: dict[str, float]) -> None:
    carrier.behave(answer="always", press="1", seed=7, faults=fault)
    phones = list(carrier.phones(PEOPLE))
    before = system.oracle.breaks()
    for phone in phones:
        phone.texts("Remind in 1 second about the fault")
    system.oracle.await_quiet(phones)
    carrier.usual()
    system.oracle.judge(phones)
    assert system.oracle.states(phones) == {"answered": PEOPLE}
    assert system.oracle.charges(phones) == {"sms": PEOPLE, "call": PEOPLE}
    assert {phone.number: len(phone.calls) for phone in phones} == {phone.number: 1 for phone in phones}
    assert system.oracle.breaks() == before


def test_it_dials_again_what_the_carrier_was_too_busy_for(system: System, carrier: Carrier) -> None:
    """Refused before a call existed: no call, and no try of the person's three is spent."""
    carrier.behave(answer="always", press="1", faults={"create_429": 1})
    phones = list(carrier.phones(PEOPLE))
    for phone in phones:
        phone.texts("Remind in 1 second about patience")
    refused = (
        "SELECT count(*) FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id"
        " WHERE s.number = ANY (%s) AND a.state = 'not_sent'"
    )
    numbers = [phone.number for phone in phones]
    until(lambda: system.rows(refused, numbers)[0][0] >= PEOPLE, what="each was refused")
    assert [phone.calls for phone in phones] == [[]] * PEOPLE
    carrier.fault(create_429=0)
    system.oracle.await_quiet(phones)
    system.oracle.judge(phones)
    assert system.oracle.charges(phones) == {"sms": PEOPLE, "call": PEOPLE}
    assert {len(phone.calls) for phone in phones} == {1}


@pytest.mark.parametrize("share", [{"decline": 1}, {"busy": 1}, {"fail": 1}], ids=str)
def test_it_tells_who_was_missed_even_where_every_reply_is_lost(
    system: System, carrier: Carrier, phone: Phone, share: dict[str, float]
) -> None:
    carrier.behave(**share, faults={"create_reply_lost": 1, "callbacks_duplicate": 1})
    phone.texts("Remind in 1 second about the dentist")
    phone.awaits_text("You missed: the dentist")
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    assert len(phone.calls) == 3
    assert sum("You missed" in text for text in phone.received()) == 1
    assert system.oracle.charges([phone]) == {"sms": 1}


def test_it_refuses_forged_callbacks_and_looks_up_instead(system: System, carrier: Carrier, phone: Phone) -> None:
    phone.texts("Remind in 2 seconds about forgery")
    carrier.behave(answer="always", faults={"bad_signature": 1})
    phone.awaits_end(phone.rings())
    system.oracle.await_quiet([phone])
    assert "forgery" in phone.heard(phone.calls[0]["sid"])  # the call is the carrier's own, and asks as itself
    system.oracle.judge([phone])


def test_it_fetches_a_text_that_never_arrived(system: System, carrier: Carrier, phone: Phone) -> None:
    """P6: its webhook was refused; the carrier's own list has it, and the person is told and rung all the same."""
    carrier.fault(bad_signature=1)
    sid = carrier.text(sender=phone.number, body="Remind in 1 second about the lost text")
    assert [one["status"] for one in carrier.await_webhooks(sid)] == [403]
    carrier.usual()

    def reconciled() -> bool:
        system.plant("UPDATE reminders_timer SET wake_at = now() WHERE kind = 'reconcile' AND token IS NULL")
        return bool(system.oracle.states([phone]))

    until(reconciled, what="the text is fetched")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "the lost text")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    assert system.oracle.charges([phone])["sms"] == 1
