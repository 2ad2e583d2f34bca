"""The database is put back to moments of a history; what it lacks is rebuilt from the carrier's books.

A history is played to its end, and copied on the way. Each copy is put in its place a while later and rebuilt: it must
say what the history said, and nobody is called, texted or charged once more.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from reminders import phone, rebuild
from reminders.carriers.base import Rejected
from reminders.rebuild import Rebuilt
from tests import servers
from tests.world import past, promises
from tests.world.past import Past
from tests.world.scripts import SCRIPTS, Script
from tests.world.world import POLICY, World

# A request that was refused leaves nothing in the carrier's books: it is made again after a restore.
REBUILT: Final = tuple(one for one in SCRIPTS if not any(isinstance(refusal, Rejected) for refusal in one.refusals))
MOMENTS: Final = (0, 1, 4)  # 0: before anything was texted; then before the nth turn of dispatcher and carrier
LATER_SECONDS: Final = 400.0
SAYS: Final = (
    "SELECT number, state, sequence, subject FROM reminders_reminder ORDER BY 1",
    """SELECT r.number, o.sequence, o.outcome, o.late FROM reminders_occurrence o
         JOIN reminders_reminder r ON r.id = o.reminder_id ORDER BY 1, 2""",
    "SELECT outcome, pressed, count(*) FROM reminders_attempt WHERE state = 'ended' GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT kind, count(*) FROM billing_ledgertransaction GROUP BY 1 ORDER BY 1",
    "SELECT stopped_at IS NULL, reminders_made FROM reminders_subscriber",
    "SELECT kind, state, count(*) FROM reminders_reply GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT kind, outcome FROM reminders_message ORDER BY received_at, carrier_sid",
    "SELECT carrier_sid FROM reminders_carrierkey ORDER BY 1",
)


@pytest.mark.parametrize("script", REBUILT, ids=lambda script: script.name)
def test_it_says_the_same_and_nobody_is_called_again_when(
    script: Script, world: World, database: servers.Database
) -> None:
    with past.kept(world, database) as kept:
        copies = _play(world, kept, script, MOMENTS)
        wanted = _says(world)
        for copy in copies:
            _put_back(world, kept, copy)
            world.run()
            assert _says(world) == wanted
            promises.every_reminder_ends(world)
            promises.nobody_is_rung_twice(world)
            promises.nobody_is_charged_twice(world)
            promises.late_is_free(world)
            promises.history_gives_the_rows(world)


def test_it_would_ring_again_where_only_texts_were_fetched(world: World, database: servers.Database) -> None:
    """The negative control: what the recurring backfill does is not enough."""
    script = next(one for one in SCRIPTS if one.name == "it is never answered, and missed")
    with past.kept(world, database) as kept:
        copies = _play(world, kept, script, (1,))
        calls = len(world.carrier.calls)
        world.clock.step(LATER_SECONDS)
        kept.restore(copies[0])
        world.reconcile()
        world.run()
        assert len(world.carrier.calls) > calls


def test_it_is_done_again_after_a_crash_anywhere(world: World, database: servers.Database) -> None:
    script = next(one for one in SCRIPTS if one.name == "it is snoozed")
    with past.kept(world, database) as kept:
        copies = _play(world, kept, script, (0,))
        wanted = _says(world)
        world.clock.step(LATER_SECONDS)
        kept.restore(copies[0])
        before = kept.keep(moment=kept.moment)
        world.points.again(None)
        _rebuild(world, kept)
        points = len(world.points.passed)
        assert points > 40
        for at in range(0, points, 7):
            kept.restore(before)
            before = kept.keep(moment=kept.moment)
            world.points.again(at)
            world.live(lambda: _try(world, kept))
            world.points.again(None)
            _rebuild(world, kept)
            world.run()
            assert _says(world) == wanted, f"died at point {at} of {points}"


def _play(world: World, kept: Past, script: Script, moments: tuple[int, ...]) -> list[servers.Database]:
    """Play it to its end; the copies that were made on the way."""
    turn, turns, copies = world.turn, 0, []

    def counted() -> None:
        nonlocal turns
        turns += 1
        if turns in moments:
            copies.append(kept.keep())
        turn()

    if 0 in moments:
        copies.append(kept.keep())
    number = next(_numbers())
    script.begin(world, number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "turn", counted)
        script.tell(world, number)
        world.run()
    assert len(copies) == len(moments), f"it took only {turns} turns"
    return copies


def _put_back(world: World, kept: Past, copy: servers.Database) -> Rebuilt:
    world.clock.step(LATER_SECONDS)
    kept.restore(copy)
    return _rebuild(world, kept)


def _try(world: World, kept: Past) -> None:
    """The same, where the carrier's answer may be lost as well."""
    books = rebuild.gather(carrier=world.carrier, since=world.clock.now - timedelta(days=7))
    if books.is_asked:
        rebuild.rebuild(
            gathered=[books], moment=kept.moment, stopped_at=world.clock.now, policy=POLICY, now=world.clock.now
        )


def _rebuild(world: World, kept: Past) -> Rebuilt:
    books = rebuild.gather(carrier=world.carrier, since=world.clock.now - timedelta(days=7))
    assert books.is_asked and books.is_complete and not books.untold
    return rebuild.rebuild(
        gathered=[books], moment=kept.moment, stopped_at=world.clock.now, policy=POLICY, now=world.clock.now
    )


def _says(world: World) -> dict[str, list[tuple[Any, ...]]]:
    said = {query: world.rows(query) for query in SAYS}
    return said | {"calls": [(len(world.carrier.calls),)], "texts": [(len(world.carrier.texts),)]}


def _numbers() -> Iterator[str]:
    """Numbers that may be rung, of one place."""
    return (f"+1202{number}" for number in range(5550000, 5990000) if phone.parse(f"+1202{number}").callable)
