"""Two carrier accounts, the first of which is dead: people are rung through the second, once."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from deploy.local.home import read_environment
from tests.acceptance import signing
from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.http import Answered
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 6
NOBODY_LISTENS: Final = "http://127.0.0.1:9"
ACCOUNTS: Final = """
SELECT a.carrier, a.state, count(*) FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id
 WHERE s.number = ANY (%s) GROUP BY 1, 2
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One whose first account is not reached; the first carrier's phones and webhooks work all the same."""
    return systems.running("failover", {**QUICK, "RINGBACK_TWILIO_BASE": NOBODY_LISTENS}, tier="redundant")


@pytest.fixture
def second(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carrier]:
    """The second account's carrier, by whose books is judged."""
    carrier = Carrier(f"http://127.0.0.1:{system.port + 11}")
    carrier.usual()
    carrier.behave(answer="always", press="1")
    yield carrier
    carrier.usual()


def _texted(system: System, second: Carrier) -> list[Phone]:
    """People text through the first carrier; their phones at the second will ring."""
    phones = list(system.carrier.phones(PEOPLE))
    for phone in phones:
        phone.texts("Remind in 2 seconds about tea")
    return [Phone(second, phone.number) for phone in phones]


def _judged(system: System, second: Carrier, phones: list[Phone], monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: all(phone.calls for phone in phones), seconds=60, what="everybody's phone rings at the second")
    system.oracle.await_quiet(phones, seconds=60)
    with monkeypatch.context() as patch:
        patch.setattr(system, "carrier", second)
        system.oracle.judge(phones)
    assert {len(phone.calls) for phone in phones} == {1}
    assert system.oracle.states(phones) == {"answered": PEOPLE}
    assert system.oracle.charges(phones) == {"sms": PEOPLE, "call": PEOPLE}


def test_it_rings_through_the_second_account(system: System, second: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    phones = _texted(system, second)
    _judged(system, second, phones, monkeypatch)
    states = {(name, state) for name, state, _ in system.rows(ACCOUNTS, [phone.number for phone in phones])}
    assert states <= {("twilio", "not_sent"), ("twilio-2", "ended"), ("twilio-2", "not_sent")}
    assert ("twilio-2", "ended") in states


def test_it_dials_nothing_twice_where_the_second_loses_its_replies(
    system: System, second: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    second.fault(create_reply_lost=1)
    phones = _texted(system, second)
    _judged(system, second, phones, monkeypatch)


def test_it_believes_each_account_its_own_token_only(system: System) -> None:
    settings = read_environment(system.home.run / "env")
    tokens = {
        settings["RINGBACK_TWILIO_ACCOUNT_SID"]: settings["RINGBACK_TWILIO_AUTH_TOKEN"],
        settings["RINGBACK_TWILIO_2_ACCOUNT_SID"]: settings["RINGBACK_TWILIO_2_AUTH_TOKEN"],
    }
    before = system.oracle.counts()
    for account in tokens:
        for other, token in tokens.items():
            answered = _signed(system, account, token)
            assert answered.status == (200 if account == other else 403)
    assert _signed(system, "AC" + "0" * 32, "").status == 403
    after = system.oracle.counts()
    assert after["reminders_messagekey"] == before["reminders_messagekey"] + len(tokens)


def _signed(system: System, account: str, token: str) -> Answered:
    fields = {
        "MessageSid": signing.message_sid(),
        "AccountSid": account,
        "From": system.carrier.phone().number,
        "To": system.interface["service_number"],
        "Body": "HELP",
    }
    signature = RequestValidator(token).compute_signature(system.interface["public_base"] + signing.SMS, fields)
    return signing.sent(system, signing.SMS, urlencode(fields).encode(), signature=signature)
