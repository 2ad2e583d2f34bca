"""After a restore: what the carrier's books do not say is left to a person, and nobody is rung for it."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from reminders import delivery, limits, rebuild, reconcile
from reminders.carriers import session
from reminders.carriers.base import CallRequest, Unavailable, Unknown
from reminders.rebuild import Gathered, Rebuilt
from tests import servers
from tests.world import past, promises
from tests.world.carrier import Fate
from tests.world.past import Past
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
OTHER: Final = "+12025550102"
TEA: Final = "Remind me in 1 minute about tea"
STATES: Final = "SELECT number, state FROM reminders_reminder ORDER BY 1"
BREAKS: Final = "SELECT promise, kind, subject_id FROM billing_break"


def _gather(world: World) -> Gathered:
    return rebuild.gather(carrier=world.carrier, since=world.clock.now - timedelta(days=1))


def _rebuild(world: World, kept: Past) -> Rebuilt:
    now = world.clock.now
    return rebuild.rebuild(gathered=[_gather(world)], moment=kept.moment, stopped_at=now, policy=POLICY, now=now)


def _put_back(world: World, kept: Past, copy: servers.Database) -> None:
    world.clock.step(60)
    kept.restore(copy)


def _kept_after_each_intent(kept: Past, monkeypatch: pytest.MonkeyPatch) -> list[servers.Database]:
    """Copies that are made whenever attempts were committed and nothing was asked of the carrier yet."""
    copies: list[servers.Database] = []
    act = delivery.act

    def acted(**words: Any) -> list[delivery.Told]:
        copies.append(kept.keep())
        return act(**words)

    monkeypatch.setattr(delivery, "act", acted)
    return copies


def test_it_says_of_which_answered_calls_the_keys_are_not_known(world: World, database: servers.Database) -> None:
    world.carrier.fate_of = lambda call: Fate(press="9") if call.to == PERSON else Fate(end="busy")
    with past.kept(world, database) as kept:
        copy = kept.keep()
        world.text(PERSON, TEA)
        world.text(OTHER, TEA)
        world.run(seconds=120)
        world.carrier.tells = False
        _put_back(world, kept, copy)
        assert _gather(world).untold == tuple(call.sid for call in world.carrier.calls if call.to == PERSON)
        world.carrier.tells = True
        assert _gather(world).untold == ()


def test_it_binds_by_time_where_nothing_else_is_told(
    world: World, database: servers.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt was committed before the moment, its call after it; then another one is due."""
    with past.kept(world, database) as kept:
        copies = _kept_after_each_intent(kept, monkeypatch)
        world.text(PERSON, TEA)
        world.text(PERSON, "Remind me in 5 minutes about cake")
        world.run()
        calls = len(world.carrier.calls)
        world.carrier.tells = False
        _put_back(world, kept, copies[0])
        assert world.rows("SELECT state FROM reminders_attempt") == [("intended",)]
        _rebuild(world, kept)
        world.run()
        assert world.rows(STATES) == [(1, "answered"), (2, "answered")]
        assert len(world.carrier.calls) == calls
        assert world.rows(BREAKS) == []
        promises.every_reminder_ends(world)


def test_it_leaves_a_call_alone_for_which_nothing_was_due(world: World, database: servers.Database) -> None:
    """Somebody replayed a dead letter by hand, say: nothing in the carrier's books tells of that."""
    with past.kept(world, database) as kept:
        world.text(PERSON, "Remind me in 1 hour about tea")
        copy = kept.keep()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(world.carrier, "fate_of", lambda _: Fate())
            world.see.execute("UPDATE reminders_timer SET due_at = now(), wake_at = now() WHERE kind = 'ring'")
            world.run(seconds=60)
        (call,) = world.carrier.calls
        _put_back(world, kept, copy)
        rebuilt = _rebuild(world, kept)
        assert rebuilt.strangers == [(call.sid, PERSON)]
        assert world.rows(BREAKS) == [("P6", "call_unknown", call.sid)]
        assert world.rows("SELECT * FROM billing_hold") == []
        assert rebuild.due(numbers=[PERSON, OTHER], now=world.clock.now) == []
        world.clock.step(3600)
        assert rebuild.due(numbers=[PERSON, OTHER], now=world.clock.now) == [PERSON]


def test_it_leaves_a_call_that_goes_on_to_its_look_up(world: World, database: servers.Database) -> None:
    with past.kept(world, database) as kept:
        copy = kept.keep()
        world.carrier.fate_of = lambda _: Fate(press="1")
        world.text(PERSON, TEA)
        world.run(seconds=63)
        assert [call.status for call in world.carrier.calls] == ["ringing"]
        kept.restore(copy)
        assert _rebuild(world, kept).going_on == 1
        assert world.rows("SELECT state FROM reminders_attempt") == [("placed",)]
        world.run()
        (call,) = world.carrier.calls
        assert call.heard, "its webhooks name an attempt that is not there: the call itself is known"
        assert world.rows("SELECT carrier_sid, pressed FROM reminders_attempt") == [(call.sid, "1")]
        promises.every_reminder_ends(world)


def test_it_ends_with_not_placed_what_the_next_call_proves(
    world: World, database: servers.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment lies between an intent and a request that came to nothing; the next one rang."""
    refusals = iter([Unknown("500")])
    world.carrier.refuse_call = lambda _: next(refusals, None)
    with past.kept(world, database) as kept:
        copies = _kept_after_each_intent(kept, monkeypatch)
        world.text(PERSON, TEA)
        world.run()
        assert len(world.carrier.calls) == 1
        _put_back(world, kept, copies[0])
        _rebuild(world, kept)
        world.run()
        assert len(world.carrier.calls) == 1
        assert sorted(world.rows("SELECT state FROM reminders_attempt")) == [("ended",), ("not_placed",)]
        promises.every_reminder_ends(world)


def test_it_takes_no_older_call_for_what_is_due(world: World, database: servers.Database) -> None:
    """A call that was unknown before the moment, to somebody who is due since then and was not rung."""
    with past.kept(world, database) as kept:
        session.run(
            world.carrier.place_call(CallRequest(attempt_id=uuid4(), to=PERSON, ring_seconds=30)), within_seconds=5
        )
        world.clock.step(60)
        world.carrier.act()
        world.text(PERSON, "Remind me in 1 second about tea")
        world.see.execute("UPDATE reminders_timer SET due_at = now() - interval '2 minutes' WHERE kind = 'ring'")
        world.clock.step(10)
        copy = kept.keep()
        _put_back(world, kept, copy)
        assert _rebuild(world, kept) == Rebuilt()
        assert world.rows(STATES) == [(1, "scheduled")]
        assert world.rows(BREAKS) == []


def test_it_reaches_no_further_than_the_last_reconciling_in_it(world: World) -> None:
    """Put back to a moment at which it was in quarantine already, not rebuilt: it is older than that moment."""
    began, month = world.clock.now, timedelta(days=limits.BACKFILL_DAYS_MAX)
    assert rebuild.reached(moment=began, carriers=[world.carrier], now=began) == began - month
    reconcile.backfill(carrier=world.carrier, policy=POLICY, now=began)
    later = began + timedelta(hours=3)
    assert rebuild.reached(moment=later, carriers=[world.carrier], now=later) == began
    assert rebuild.reached(moment=began - month / 2, carriers=[world.carrier], now=later) == began - month / 2


def test_it_knows_when_it_does_not_know(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.text(PERSON, TEA)
    world.run()

    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("connection")

    with monkeypatch.context() as patch:
        patch.setattr(world.carrier, "calls_to", away)
        assert not _gather(world).is_asked
    with monkeypatch.context() as patch:
        patch.setattr(limits, "CALL_LIST_MAX", 1)
        assert not _gather(world).is_complete
    assert _gather(world).is_complete
