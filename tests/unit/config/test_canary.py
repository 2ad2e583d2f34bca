"""The canary: it texts, answers what rings, presses 1, and tells for how long it has heard nothing."""

from typing import Any

import pytest

from config.observing import canary
from config.observing.canary import Canary


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What its phone shows (`calls`), and what it did (`asked`)."""
    shown: dict[str, Any] = {"calls": [], "asked": []}

    def ask(_: Canary, method: str, path: str, told: dict[str, str] | None = None) -> Any:
        if method == "GET":
            return {"calls": shown["calls"]}
        shown["asked"].append((path, told))
        return None

    monkeypatch.setattr(Canary, "_ask", ask)
    return shown


def call(state: str, *, heard: bool = False, pressed: str | None = None) -> dict[str, Any]:
    return {"sid": "CA1", "state": state, "heard": ["This is about the canary."] if heard else [], "pressed": pressed}


def test_it_texts_answers_and_presses_and_then_has_heard(phone: dict[str, Any]) -> None:
    bird = Canary(carrier="http://127.0.0.1:1", every_seconds=15)
    assert bird.look(100) == 0
    phone["calls"] = [call("ringing")]
    assert bird.look(106) == 6
    phone["calls"] = [call("in-progress", heard=True)]
    assert bird.look(107) == 0
    phone["calls"] = [call("completed", heard=True, pressed="1")]
    assert bird.look(112) == 5
    assert [path for path, _ in phone["asked"]] == ["/sim/sms", "/sim/calls/CA1/answer", "/sim/calls/CA1/press"]
    assert phone["asked"][0][1] == {"from": canary.NUMBER, "body": canary.BODY}


def test_it_has_heard_where_the_carrier_answered_and_pressed_between_two_looks(phone: dict[str, Any]) -> None:
    bird = Canary(carrier="http://127.0.0.1:1", every_seconds=15)
    bird.look(100)
    phone["calls"] = [call("completed", heard=True, pressed="1")]
    assert bird.look(110) == 0
    assert bird.look(114) == 4


def test_it_tells_for_how_long_it_has_heard_nothing(phone: dict[str, Any]) -> None:
    bird = Canary(carrier="http://127.0.0.1:1", every_seconds=15)
    assert [bird.look(at) for at in (100, 110, 120, 160)] == [0, 10, 20, 60]
    assert [path for path, _ in phone["asked"]] == ["/sim/sms"] * 3
