"""The canary: it texts where nobody is rung, answers what rings, presses 1, and tells for how long it heard nothing."""

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


@pytest.fixture
def bird() -> Canary:
    """One that has looked once, at 100."""
    return Canary(carrier="http://127.0.0.1:1", every_seconds=15)


def call(state: str, *, heard: bool = False, pressed: str | None = None) -> dict[str, Any]:
    return {"sid": "CA1", "state": state, "heard": ["This is about the canary."] if heard else [], "pressed": pressed}


def texts(phone: dict[str, Any]) -> int:
    return [path for path, _ in phone["asked"]].count("/sim/sms")


def test_it_texts_answers_and_presses_and_then_has_heard(phone: dict[str, Any], bird: Canary) -> None:
    assert bird.look(100, placed=0) == 0
    assert phone["asked"] == []
    assert bird.look(115, placed=0) == 15
    phone["calls"] = [call("ringing")]
    assert bird.look(121, placed=1) == 21
    phone["calls"] = [call("in-progress", heard=True)]
    assert bird.look(122, placed=0) == 0
    phone["calls"] = [call("completed", heard=True, pressed="1")]
    assert bird.look(127, placed=0) == 5
    assert [path for path, _ in phone["asked"]] == ["/sim/sms", "/sim/calls/CA1/answer", "/sim/calls/CA1/press"]
    assert phone["asked"][0][1] == {"from": canary.NUMBER, "body": canary.BODY}


def test_it_has_heard_where_the_carrier_answered_and_pressed_between_two_looks(
    phone: dict[str, Any], bird: Canary
) -> None:
    bird.look(100, placed=0)
    bird.look(115, placed=0)
    phone["calls"] = [call("completed", heard=True, pressed="1")]
    assert bird.look(125, placed=1) == 0
    assert bird.look(129, placed=0) == 4


def test_it_has_heard_a_call_that_had_only_greeted_it_when_it_looked_before(
    phone: dict[str, Any], bird: Canary
) -> None:
    bird.look(100, placed=0)
    bird.look(115, placed=0)
    phone["calls"] = [call("in-progress") | {"heard": ["Hello, this is Ringback with your reminder."]}]
    assert bird.look(121, placed=1) == 21
    phone["calls"] = [call("completed", heard=True, pressed="1")]
    assert bird.look(125, placed=0) == 0


def test_it_keeps_quiet_while_others_are_rung(phone: dict[str, Any], bird: Canary) -> None:
    assert [bird.look(at, placed=1) for at in range(100, 400, 5)] == [0] * 60
    assert texts(phone) == 0
    assert [bird.look(at, placed=0) for at in (400, 409, 410)] == [5, 14, 15]
    assert texts(phone) == 1


def test_it_tells_for_how_long_it_has_heard_nothing(phone: dict[str, Any], bird: Canary) -> None:
    assert [bird.look(at, placed=0) for at in (100, 115, 125, 130, 145)] == [0, 15, 25, 30, 45]
    assert texts(phone) == 3


def test_it_is_owed_a_ring_from_when_its_text_is_due_until_it_has_heard(phone: dict[str, Any], bird: Canary) -> None:
    owed = []
    for at in (100, 115, 119, 125, 150, 151):
        phone["calls"] = [call("in-progress", heard=True)] if at == 151 else []
        bird.look(at, placed=0)
        owed.append(bird.overdue_seconds(at))
    assert owed == [0, 0, 0, 5, 30, 0]


def test_it_texts_once_more_soon_after_a_text_that_nothing_came_of_and_then_seldom(phone: dict[str, Any]) -> None:
    rare = Canary(carrier="http://127.0.0.1:1", every_seconds=300)
    texted = []
    for at in range(100, 700, 5):
        before = texts(phone)
        rare.look(at, placed=0)
        texted += [at] * (texts(phone) - before)
    assert texted == [400, 415, 445, 505, 565, 625, 685]
    assert rare.overdue_seconds(700) == 295


def test_it_does_not_text_again_while_its_phone_rings(phone: dict[str, Any], bird: Canary) -> None:
    bird.look(100, placed=0)
    bird.look(115, placed=0)
    phone["calls"] = [call("ringing")]
    bird.look(130, placed=1)
    assert texts(phone) == 1


def test_a_carrier_that_does_not_answer_owes_it_a_ring(bird: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(Canary, "_ask", refuse)
    assert [bird.look(at, placed=0) for at in (100, 115, 130)] == [0, 15, 30]
    assert bird.overdue_seconds(130) == 10


def test_its_own_call_is_nobody_elses(phone: dict[str, Any], bird: Canary) -> None:
    """Placed, and never heard: it must not be taken for the call of a person whom everything reaches."""
    bird.look(100, placed=0)
    bird.look(115, placed=0)
    assert bird.look(120, placed=1) == 20
