"""A whole conversation over the carrier, in each language, with the call in the middle of it."""

import pytest

from tests.acceptance.carrier import Phone
from tests.acceptance.system import System

pytestmark = pytest.mark.acceptance


def test_what_rang_is_snoozed_moved_and_forgotten_by_text(system: System, phone: Phone) -> None:
    phone.texts("Remind in 1 second about tea")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "tea")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    assert "We call you again about #1 tea" in phone.texts("SNOOZE 5")
    assert "Moved #1 tea" in phone.texts("make it tomorrow 9am")
    assert "Next: #1 tea" in phone.texts("what's next")
    assert "Deleted #1 tea" in phone.texts("forget the tea")
    assert "Back again: #1 tea" in phone.texts("oops")
    assert "Deleted #1 tea" in phone.texts("DELETE ALL")
    assert "nothing to undo" not in phone.texts("UNDO")
    assert system.oracle.states([phone]) == {"scheduled": 1}
    phone.texts("DELETE 1")
    system.oracle.judge([phone])


def test_a_question_is_asked_and_answered(system: System, phone: Phone) -> None:
    assert "Did you mean" in phone.texts("Remind on Feb 30 about rent")
    assert "#1 rent" in phone.texts("1")
    assert "When shall we call you about tea?" in phone.texts("Remind me about tea")
    assert "#2 tea" in phone.texts("tomorrow 9am")
    assert system.oracle.states([phone]) == {"scheduled": 2}
    phone.texts("DELETE ALL")
    assert "Deleted all 2 reminders" in phone.texts("yes please")
    system.oracle.judge([phone])


def test_a_zone_that_was_told_is_kept(system: System, phone: Phone) -> None:
    assert "Berlin time now" in phone.texts("TZ Berlin")
    assert "9:00 AM Berlin time" in phone.texts("Remind tomorrow 9am about tea")
    phone.texts("DELETE 1")
    system.oracle.judge([phone])


@pytest.mark.parametrize(
    ("asked", "confirmed", "listed", "removed"),
    [
        ("Recuérdame mañana a las 9 comprar té", "hora de New York", "LISTA", "BORRAR 1"),
        ("Kal subah 9 baje chai yaad dilana", "New York samay", "LIST", "hata do 1"),
    ],
)
def test_it_speaks_the_language_of_the_text(
    system: System, phone: Phone, asked: str, confirmed: str, listed: str, removed: str
) -> None:
    assert confirmed in phone.texts(asked)
    assert "#1" in phone.texts(listed)
    phone.texts(removed)
    assert system.oracle.states([phone]) == {"cancelled": 1}
    system.oracle.judge([phone])
