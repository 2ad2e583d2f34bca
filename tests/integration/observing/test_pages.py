"""What those who look are shown: the receipt of a call, and a person's trace, which only staff may see."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from tests.world.carrier import Fate
from tests.world.scripts import TEA
from tests.world.world import World

NUMBER = "+12025550150"


def _ring(world: World, fate: Fate) -> str:
    """Text for tea, let it ring once, and say which call it was."""
    world.carrier.fate_of = lambda _call: fate
    world.text(NUMBER, TEA)
    world.run()
    (sid,) = world.rows("SELECT carrier_sid FROM reminders_attempt ORDER BY id LIMIT 1")[0]
    return str(sid)


def _receipt(sid: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Client().get("/receipt", {"call": sid}).content)
    return answer


def test_an_answered_call_says_what_it_cost(world: World) -> None:
    assert _receipt(_ring(world, Fate())) == {"state": "posted", "said": "Charged $0.10 for one answered call."}


def test_a_busy_line_says_that_nothing_was_charged(world: World) -> None:
    assert _receipt(_ring(world, Fate(end="busy"))) == {"state": "voided", "said": "Nothing was charged for this call."}


def test_a_call_that_is_not_ours_says_nothing(world: World) -> None:
    _ring(world, Fate())
    assert _receipt("CA" + "0" * 32) == {"state": None, "said": None}


def test_a_real_carrier_has_no_receipts(world: World) -> None:
    with override_settings(RINGBACK_SIMULATED=False):
        assert Client().get("/receipt", {"call": _ring(world, Fate())}).status_code == 404


@pytest.fixture
def staff(world: World) -> Client:
    """A signed-in member of staff."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))
    return client


def test_a_trace_is_for_staff_only(world: World) -> None:
    answer = Client().get("/trace/", {"number": NUMBER})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_a_trace_tells_the_whole_story(world: World, staff: Client) -> None:
    _ring(world, Fate())
    page = staff.get("/trace/", {"number": NUMBER}).content.decode()
    told = [page.index(what) for what in ("message.received", "reminder.ringing", "reminder.answered", "charge.call")]
    assert told == sorted(told)


def test_a_trace_tells_when_a_reminder_is_due_as_people_write_it(world: World, staff: Client) -> None:
    _ring(world, Fate())
    page = staff.get("/trace/", {"number": NUMBER}).content.decode()
    (due_at,) = world.rows("SELECT due_at FROM reminders_reminder")[0]
    assert f"due_at <i>{due_at:%Y-%m-%d %H:%M:%S}</i>" in page
    assert str(int(due_at.timestamp())) not in page


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"number": "+12025550151"}, "Nobody has texted from +12025550151"),
        ({"number": "tea"}, "Nobody has texted from tea"),
        ({"number": NUMBER, "at": "yesterday"}, "is not a time"),
    ],
)
def test_what_cannot_be_traced_is_said(staff: Client, query: dict[str, str], says: str) -> None:
    answer = staff.get("/trace/", query)
    assert answer.status_code == 404
    assert says in answer.content.decode()
