"""The spool at every point: the database is lost at each statement of an intake, a drain dies at each of its own.

Whatever was answered ends as one reminder or command, confirmed once and charged once, in its sender's order.
"""

import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from billing import breaker
from reminders import drainer, limits, phone
from reminders.spool import Spool
from tests.world import promises
from tests.world.points import Points
from tests.world.world import World

TEA: Final = "Remind me in 1 minute about tea"
POINTS_MIN: Final = 8
PATIENT_SECONDS: Final = 120.0  # a commit that the disk holds up is no loss of the database, and decides nothing here
NUMBERS: Final = [f"+1202{n}" for n in range(5551000, 5552000) if phone.parse(f"+1202{n}").callable]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    found = Spool(root=tmp_path / "spool", bytes_max=1 << 20, age_seconds_max=1e12)
    found.prepare()
    monkeypatch.setattr(drainer, "spool", lambda: found)
    monkeypatch.setattr(limits, "CALLBACK_SECONDS", PATIENT_SECONDS)
    monkeypatch.setattr(settings, "RINGBACK_ACCEPT_SECONDS", PATIENT_SECONDS)
    return found


def _confirmed(world: World, number: str) -> list[str]:
    return [text.body for text in world.carrier.texts if text.to == number and text.body.startswith("#")]


def _ended(world: World, number: str, where: str) -> None:
    rows = world.rows(
        """SELECT r.subject, r.state, count(*) OVER () FROM reminders_reminder r
             JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = %s ORDER BY r.number""",
        number,
    )
    assert [row[:2] for row in rows] == [("tea", "cancelled"), ("cake", "answered")], where
    confirmed = _confirmed(world, number)
    assert Counter(body[:2] for body in confirmed if "tea" in body or "cake" in body)["#1"] >= 1, where
    assert len(confirmed) == len(set(confirmed)), where
    assert len([call for call in world.carrier.calls if call.to == number]) == 1, where


def _three(world: World, number: str) -> None:
    for body in (TEA, "DELETE 1", "Remind me in 1 minute about cake"):
        assert world.text(number, body).answered == 200


def test_it_loses_and_repeats_nothing_wherever_the_database_is_lost_while_a_text_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the commit and after it: what is in doubt goes to the spool, and is found or made when it is drained."""
    reach, lost_at = Points.reach, [-1]

    def lost(points: Points, label: str, *, raising: bool = True) -> bool:
        if len(points.passed) == lost_at[0]:
            lost_at[0] = -1
            connection.connection.close()
            raise OperationalError(label)
        return reach(points, label, raising=raising)

    monkeypatch.setattr(Points, "reach", lost)
    numbers = iter(NUMBERS)
    world.points.again(None)
    _three(world, next(numbers))
    count = len(world.points.passed)
    assert count >= POINTS_MIN
    world.run()
    for position in range(count):
        number = next(numbers)
        world.points.again(None)
        lost_at[0] = position
        _three(world, number)
        connection.close()
        drainer.turn()
        world.run()
        _ended(world, number, f"point {position} of {count}")
    promises.assert_kept(world)


def test_it_loses_and_repeats_nothing_wherever_a_drain_dies(world: World, kept: Spool) -> None:
    numbers = iter(NUMBERS)
    points = _drained(world, next(numbers), die_at=None)
    assert points >= POINTS_MIN
    for position in range(points):
        number = next(numbers)
        _drained(world, number, die_at=position)
        assert not kept.holds(sender=number)
        _ended(world, number, f"point {position} of {points}")
    promises.assert_kept(world)


def _drained(world: World, number: str, *, die_at: int | None) -> int:
    breaker.trip(why=breaker.AWAY)
    _three(world, number)
    assert breaker.shut(proved_since=time.monotonic())
    world.points.again(die_at)
    world.live(drainer.turn)
    count = len(world.points.passed)
    world.points.again(None)
    drainer.turn()
    world.run()
    return count
