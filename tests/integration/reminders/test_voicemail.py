"""A voicemail picks up: it is asked for where the setting says so, told without keys, and not charged."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from reminders import wiring
from reminders.carriers.base import CallRequest
from reminders.carriers.twilio import Twilio
from tests.integration.reminders.test_conversation_rows import talk
from tests.world.carrier import Fate
from tests.world.world import POLICY, World


@pytest.mark.parametrize("detect", [True, False])
def test_the_carrier_listens_only_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch, detect: bool) -> None:
    sent: list[tuple[str, str]] = []

    async def post(_: Twilio, path: str, form: list[tuple[str, str]]) -> Any:
        sent.extend(form)
        return {"sid": "CA1", "path": path}

    monkeypatch.setattr(Twilio, "_post", post)
    twilio = Twilio(base="", account_sid="AC1", auth_token="", service_number="+12025550100", public_base="")
    request = CallRequest(attempt_id=UUID(int=1), to="+12025550101", ring_seconds=30, detect_machine=detect)
    asyncio.run(twilio.place_call(request))
    assert (("MachineDetection", "Enable") in sent) is detect


@pytest.mark.parametrize("waiting", ["", "https://bins.example/waiting"])
def test_a_call_names_who_asks_for_its_words_again(monkeypatch: pytest.MonkeyPatch, waiting: str) -> None:
    """By the document that the carrier keeps: the words' address is in it, whole."""
    sent: list[tuple[str, str]] = []

    async def post(_: Twilio, path: str, form: list[tuple[str, str]]) -> Any:
        sent.extend(form)
        return {"sid": "CA1", "path": path}

    monkeypatch.setattr(Twilio, "_post", post)
    twilio = Twilio(
        base="",
        account_sid="AC1",
        auth_token="",
        service_number="+12025550100",
        public_base="https://x",
        waiting=waiting,
    )
    asyncio.run(twilio.place_call(CallRequest(attempt_id=UUID(int=1), to="+12025550101", ring_seconds=30)))
    told = dict(sent)
    if not waiting:
        assert "FallbackUrl" not in told
        return
    address, _, query = told["FallbackUrl"].partition("?")
    assert (address, parse_qs(query)) == (waiting, {"again": [told["Url"]]})


def test_a_voicemail_hears_the_reminder_twice_and_no_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "policy", lambda: replace(POLICY, detect_machines=True, attempts=1))
    world.carrier.fate_of = lambda _: Fate(answered_by="machine_start")
    answers: list[str] = []
    post = world.post

    def listening(path: str, form: dict[str, str]) -> str | None:
        answer = post(path, form)
        if "/words" in path:
            answers.append(answer or "")
        return answer

    world.carrier.post = listening
    talk(world, "Remind in 1 minute about tea")
    world.run()
    assert len(answers) == 1
    assert answers[0].count("tea") == 2 and "<Gather" not in answers[0]
    assert world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'call'") == []
    assert world.rows("SELECT state FROM reminders_reminder") == [("missed",)]
