"""A key is pressed during a call: what is said is what was done."""

from typing import Final
from uuid import UUID

import pytest

from tests.world.carrier import Fate
from tests.world.world import World

PERSON: Final = "+12025550101"
SAYS: Final = {"1": "Thank you", "2": "again in 10 minutes", "9": "not call you again"}
ANOTHER: Final = "CA" + "7" * 32


def _press(world: World, attempt: UUID, call: str, key: str) -> str:
    address = f"/carriers/twilio/keys?attempt={attempt}&language=en"
    return world.post(address, {"CallSid": call, "Digits": key}) or ""


@pytest.mark.parametrize("key", SAYS)
def test_it_promises_nothing_where_the_call_is_not_known_and_nothing_was_changed(world: World, key: str) -> None:
    world.carrier.fate_of = lambda _: Fate(end="no-answer", lose=frozenset({"ringing", "no-answer"}))
    world.text(PERSON, "Remind me in 1 minute about tea")
    world.run(seconds=61)
    (call,) = world.carrier.calls
    for attempt in (UUID(int=7), call.attempt):
        said = _press(world, attempt, ANOTHER, key)
        assert "Goodbye" in said
        assert not any(words in said for words in SAYS.values())
    assert world.rows("SELECT pressed FROM reminders_attempt") == [("",)]
    assert SAYS[key] in _press(world, call.attempt, call.sid, key)
    assert world.rows("SELECT pressed FROM reminders_attempt") == [(key,)]
