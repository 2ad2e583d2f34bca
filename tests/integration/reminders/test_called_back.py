"""Somebody calls the number that rang them: they hear what they missed."""

from typing import Final

from reminders import limits
from tests.world.carrier import Fate
from tests.world.world import World

PERSON: Final = "+12025550101"
DAY_SECONDS: Final = 86_400
CALL: Final = "CA" + "7" * 32
NONE: Final = "You have missed no reminder"


def _hear(world: World, number: str = PERSON) -> str:
    return world.post("/carriers/twilio/voice-in", {"CallSid": CALL, "From": number}) or ""


def test_they_hear_what_they_missed_of_what_repeats_too_newest_first(world: World) -> None:
    world.carrier.fate_of = lambda _: Fate(end="no-answer")
    world.text(PERSON, "Remind me in 1 minute about tea")
    world.text(PERSON, "every day 4pm take pills")
    world.run(seconds=DAY_SECONDS)
    assert world.rows("SELECT subject, state FROM reminders_reminder ORDER BY number") == [
        ("tea", "missed"),
        ("take pills", "scheduled"),
    ]
    heard = _hear(world)
    assert "You missed 2 reminders" in heard
    assert 0 < heard.index("take pills, due Monday at 4:00 PM") < heard.index("tea, due Monday at 4:31 AM")


def test_they_hear_of_the_last_days_only_and_of_so_many(world: World) -> None:
    world.carrier.fate_of = lambda _: Fate(end="no-answer")
    world.text(PERSON, "Remind me in 1 minute about tea")
    world.text(PERSON, "every day 4pm take pills")
    world.run(seconds=(limits.MISSED_DAYS + 1) * DAY_SECONDS)
    heard = _hear(world)
    assert heard.count("take pills") == limits.MISSED_SAID_MAX
    assert "tea" not in heard


def test_who_answered_and_who_never_texted_missed_nothing(world: World) -> None:
    world.text(PERSON, "every day 4pm take pills")
    world.run(seconds=DAY_SECONDS)
    assert NONE in _hear(world)
    assert NONE in _hear(world, "+12025550177")
    assert NONE in _hear(world, "anonymous")
