"""Two of each: a process dies and nobody notices."""

import base64
import urllib.error
import urllib.request
from typing import Final

import pytest

from deploy.local.home import read_environment
from tests.acceptance import audit, http
from tests.acceptance.bursts import END_SECONDS, PACED, mid_burst, rung
from tests.acceptance.system import System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 120


@pytest.fixture
def system(systems: Systems) -> System:
    return systems.running("redundant", PACED, tier="redundant")


def text(system: System, body: str) -> str:
    """A new person's text, which was taken, if not at once then when the carrier repeated it. The number."""
    phone = system.carrier.phone()
    sid = system.carrier.text(sender=phone.number, body=body)
    answers = system.carrier.await_webhooks(sid)
    assert answers[-1]["status"] == 200, answers
    assert {one["status"] for one in answers[:-1]} <= {502}, answers  # it was in the instance that died
    return phone.number


def test_it_refuses_no_text_while_a_web_instance_is_killed_and_comes_back(system: System) -> None:
    until(lambda: {"web-1", "web-2", "proxy"} <= set(system.ready()), what="both serve")
    for name in ("web-1", "web-2"):
        for _ in range(3):
            text(system, "Remind in 2 hours about tea")
        killed = system.kill(name)
        numbers = [text(system, "Remind in 2 hours about tea") for _ in range(10)]
        while name not in system.ready() or system.pid(name) == killed:
            numbers.append(text(system, "Remind in 2 hours about tea"))
        system.await_back(name, killed)
        kept = "SELECT count(*) FROM reminders_subscriber s JOIN reminders_reminder r ON r.subscriber_id = s.id" \
            " WHERE s.number = ANY(%s)"  # fmt: skip
        assert system.rows(kept, numbers) == [(len(numbers),)]


def test_it_rings_everybody_once_where_one_of_each_is_killed_in_a_burst(system: System) -> None:
    phones = mid_burst(system, PEOPLE)
    killed = {name: system.kill(name) for name in ("dispatch-1", "worker-1", "web-1")}
    for name, pid in killed.items():
        system.await_back(name, pid)
    system.oracle.await_quiet(phones, seconds=END_SECONDS)
    system.carrier.usual()
    system.oracle.judge(phones)
    assert system.oracle.states(phones) == {"answered": PEOPLE}
    assert rung(system, phones) == PEOPLE
    audit.clean(system)


def test_it_runs_a_second_carrier_with_an_account_and_phones_of_its_own(system: System) -> None:
    settings = read_environment(system.home.run / "env")
    base = settings["RINGBACK_TWILIO_2_BASE"]
    assert base == f"http://127.0.0.1:{system.port + 11}"

    def status(sid: str, token: str) -> int:
        request = urllib.request.Request(f"{base}/2010-04-01/Accounts/{sid}/Calls.json")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{sid}:{token}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return int(refused.code)

    second = (settings["RINGBACK_TWILIO_2_ACCOUNT_SID"], settings["RINGBACK_TWILIO_2_AUTH_TOKEN"])
    first = (settings["RINGBACK_TWILIO_ACCOUNT_SID"], settings["RINGBACK_TWILIO_AUTH_TOKEN"])
    assert status(*second) == 200
    assert status(*first) in (401, 404)
    text(system, "Remind in 2 hours about tea")
    assert http.get(f"{base}/sim/calls") == []
    assert (system.home.root / "carrier-2").is_dir()
