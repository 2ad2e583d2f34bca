"""Every step is interrupted at every statement, every commit and every network call: before, after, reply lost.

Each script is played once to learn its points, then once for each of them: the process dies there (or the reply is
lost), another takes over, and when the world has come to rest the promises hold. No point is skipped.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from reminders import phone
from tests.world import promises
from tests.world.scripts import SCRIPTS, Script
from tests.world.world import World

# A script that passed fewer points than this would not be what it says.
POINTS_MIN: Final = 40


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_it_keeps_its_promises_wherever_it_dies_when(script: Script, world: World, record_property: object) -> None:
    numbers = _numbers()
    points = _play(world, script, next(numbers), die_at=None)
    assert len(points) >= POINTS_MIN
    promises.assert_kept(world)
    for position, label in enumerate(points):
        _play(world, script, next(numbers), die_at=position)
        _ended(world, script, f"point {position} of {len(points)}: {label}")
    promises.assert_kept(world)
    if callable(record_property):
        record_property("points", len(points))


def _play(world: World, script: Script, number: str, *, die_at: int | None) -> list[str]:
    script.begin(world, number)
    world.points.again(die_at)
    world.crashes.clear()
    script.tell(world, number)
    world.run()
    if any(text.answered is None for text in world.carrier.texts if text.inbound):
        world.reconcile()
        world.run()
    reached = list(world.points.passed)
    world.points.again(None)
    assert die_at is None or len(reached) > die_at, f"point {die_at} was not reached"
    return reached


def _ended(world: World, script: Script, where: str) -> None:
    """The cheap half of the promises, at once, so that a failure names its point; the rest at the end."""
    try:
        promises.every_reminder_ends(world)
        promises.nobody_is_rung_twice(world)
        states = {
            state
            for (state,) in world.rows(
                """SELECT r.state FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id
                    WHERE s.number = %s""",
                script.number,
            )
        }
        assert states, "no reminder was made"
        assert states <= set(script.ends), f"ended {states}, not {script.ends}"
    except AssertionError as error:
        raise AssertionError(f"{script.name}, {where}: {error}") from error


def _numbers() -> Iterator[str]:
    """Numbers that may be rung, of one place."""
    return (f"+1202{number}" for number in range(5550000, 5990000) if phone.parse(f"+1202{number}").callable)
