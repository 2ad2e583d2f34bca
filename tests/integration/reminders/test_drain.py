"""What comes out of the spool is accepted once, as of when it was received, and confirmed once, by us."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.test import RequestFactory

from billing import breaker
from config import health
from config.postgres import probe
from reminders import dispatch, drainer, intake, limits
from reminders.carriers.base import Inbound
from reminders.intake import Answer
from reminders.spool import Spool
from tests.environment import SERVICE_NUMBER
from tests.world import promises
from tests.world.carrier import Text
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"


def _texted(world: World, body: str) -> Inbound:
    """A text that the carrier keeps, and whose webhook somebody else takes."""
    sid, now = world.carrier.sid("SM"), world.clock.now
    text = Text(
        sid=sid,
        sender=PERSON,
        to=SERVICE_NUMBER,
        body=body,
        created_at=now.replace(microsecond=0),
        listed_at=now,
        inbound=True,
        status="received",
        answered=200,
    )
    world.carrier.texts.append(text)
    return Inbound(carrier="twilio", carrier_sid=sid, sender=PERSON, body=body, opt_out=None)


def _told(world: World) -> list[str]:
    return [text.body for text in world.carrier.texts if text.to == PERSON]


@pytest.mark.parametrize("body", [TEA, "LIST", "blah"])
def test_it_sends_the_reply_by_itself_where_nobody_waits_for_the_answer(world: World, body: str) -> None:
    message = _texted(world, body)
    received_at = world.clock.now
    world.clock.step(40)
    intake.accept(message=message, received_at=received_at, trace_context="", answers=False)
    assert world.rows("SELECT state, handed_over_at, sends FROM reminders_reply") == [("intended", None, 0)]
    again = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    assert (again.repeated, again.body) == (True, None), "its timer sends it: nobody else may"
    world.turn()
    (told,) = _told(world)
    again = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    assert (again.repeated, again.body) == (True, None)
    world.run()
    assert _told(world)[0] == told
    assert len([one for one in _told(world) if one == told]) == 1
    promises.assert_kept(world)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """This process has a spool."""
    found = Spool(root=tmp_path / "spool", bytes_max=1 << 20, age_seconds_max=1e12)
    found.prepare()
    monkeypatch.setattr(drainer, "spool", lambda: found)
    monkeypatch.setattr(drainer, "_tries", {})
    monkeypatch.setattr(drainer, "_seen", drainer._Seen())
    yield found
    _back()


def _away() -> None:
    breaker.trip(why=breaker.AWAY)


def _back() -> None:
    assert breaker.shut(proved_since=time.monotonic())


def _states(world: World) -> list[tuple[int, str]]:
    return world.rows("SELECT number, state FROM reminders_reminder ORDER BY number")


def _received(world: World) -> list[str]:
    return [sid for (sid,) in world.rows("SELECT carrier_sid FROM reminders_message ORDER BY id")]


def _charged(world: World) -> int:
    return len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'"))


def test_it_takes_a_text_while_the_database_is_away_and_rings_as_if_it_had_not_been(world: World, kept: Spool) -> None:
    _away()
    began = world.clock.now
    text = world.text(PERSON, TEA)
    assert text.answered == 200
    assert (_told(world), _states(world)) == ([], [])
    assert kept.holds(sender=PERSON)
    world.clock.step(20)
    _back()
    assert drainer.turn() == 1
    assert not kept.holds(sender=PERSON)
    assert world.rows("SELECT received_at FROM reminders_message") == [(began,)]
    assert world.rows("SELECT due_at FROM reminders_reminder") == [(began + timedelta(minutes=1),)]
    world.run()
    (told,) = _told(world)
    assert told.startswith("#1 tea")
    assert _charged(world) == 1
    promises.assert_kept(world)


def test_it_queues_newer_texts_behind_what_waits_of_the_same_number(world: World, kept: Spool) -> None:
    _away()
    first = world.text(PERSON, TEA)
    _back()
    second = world.text(PERSON, "DELETE 1")
    other = world.text("+12025550102", TEA)
    assert _received(world) == [other.sid]
    assert drainer.turn() == 2
    assert _received(world) == [other.sid, first.sid, second.sid]
    third = world.text(PERSON, "LIST")
    assert _received(world)[-1] == third.sid, "nothing waits any more: straight to the database"
    world.run()
    promises.assert_kept(world)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_it_falls_back_where_the_write_fails(
    world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fails(**_: object) -> None:
        raise error("the connection is lost")

    monkeypatch.setattr(intake, "accept", fails)
    assert world.text(PERSON, TEA).answered == 200
    assert kept.holds(sender=PERSON)


def test_it_asks_no_database_that_is_known_to_be_away(
    world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "accept", lambda **_: pytest.fail("it asked"))
    _away()
    assert world.text(PERSON, TEA).answered == 200
    assert drainer.turn() == 0
    assert kept.holds(sender=PERSON)


def test_it_stays_with_the_database_where_only_the_persons_row_is_held(
    world: World, kept: Spool, superuser: psycopg.Connection[tuple[object, ...]]
) -> None:
    world.text(PERSON, TEA)
    connection.close()
    connection.ensure_connection()
    connection.cursor().execute("SET lock_timeout = 50")
    with psycopg.connect(superuser.info.dsn, password=superuser.info.password) as holder:
        holder.execute("SELECT FROM public.reminders_subscriber FOR UPDATE")
        assert world.text(PERSON, "LIST").answered == 200
        assert not breaker.is_open()
        assert kept.holds(sender=PERSON)
        assert world.text("+12025550102", TEA).answered == 200
        assert not kept.holds(sender="+12025550102")
    assert drainer.turn() == 1
    assert not kept.holds(sender=PERSON)


def test_it_confirms_once_what_came_both_ways(world: World, kept: Spool) -> None:
    """Written and answered; its repeat meets a database that is away; and the other way round."""
    first = world.text(PERSON, TEA)
    _away()
    world.deliver_text(first)
    second = world.text("+12025550102", TEA)
    _back()
    world.deliver_text(second)
    assert drainer.turn() == 2
    world.deliver_text(second)
    world.deliver_text(first)
    world.run()
    confirmed = [(text.to, text.body) for text in world.carrier.texts if text.body.startswith("#1 tea")]
    assert len(confirmed) == len(set(confirmed)) == 2
    assert _charged(world) == 2
    promises.assert_kept(world)


def test_it_lets_a_stop_win_over_what_is_older_whenever_it_is_read(world: World, kept: Spool) -> None:
    """Two hosts: a STOP waits in one's spool, an older text in another's that is drained later."""
    world.text(PERSON, TEA)
    older = _texted(world, "Remind me in 5 minutes about cake")
    older_at = world.clock.now
    world.clock.step(5)
    _away()
    world.text(PERSON, "STOP")
    _back()
    world.clock.step(5)
    drainer.turn()
    intake.accept(message=older, received_at=older_at, trace_context="", answers=False)
    assert _states(world) == [(1, "cancelled")]
    world.run()
    assert world.carrier.calls == []
    promises.assert_kept(world)


def test_it_puts_a_text_aside_that_cannot_be_taken_and_goes_on_with_the_rest(
    world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _away()
    world.text(PERSON, "poison")
    world.text(PERSON, TEA)
    accept = intake.accept

    def poisoned(**given: Any) -> Answer:
        if given["message"].body == "poison":
            raise ValueError("poison")
        return accept(**given)

    monkeypatch.setattr(intake, "accept", poisoned)
    _back()
    for _ in range(limits.DRAIN_TRIES_MAX):
        assert _states(world) == []
        drainer.turn()
    assert drainer.turn() == 1
    assert _states(world) == [(1, "scheduled")]
    assert kept.standing().aside == 1
    monkeypatch.setattr(intake, "accept", accept)
    assert kept.put_back(now=world.clock.now) == 1
    assert drainer.turn() == 1
    world.run()
    promises.assert_kept(world)


def test_it_counts_a_texts_failures_and_not_its_senders(
    world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, broken = intake.accept, True

    def sometimes(**given: Any) -> Answer:
        if broken:
            raise ValueError("not now")
        return accept(**given)

    monkeypatch.setattr(intake, "accept", sometimes)
    for _ in range(2):
        _away()
        world.text(PERSON, TEA)
        _back()
        broken = True
        for _ in range(limits.DRAIN_TRIES_MAX - 1):
            drainer.turn()
        broken = False
        assert drainer.turn() == 1
    assert kept.standing().aside == 0


def test_it_drains_the_others_past_a_file_that_cannot_be_read(world: World, kept: Spool) -> None:
    unreadable = kept.queue / "0.spool"
    unreadable.mkdir()
    os.utime(unreadable, (0, 0))
    _away()
    world.text(PERSON, TEA)
    _back()
    assert kept.waiting()[0] == "0"
    assert drainer.turn() == 1
    assert _states(world) == [(1, "scheduled")]


def test_it_has_taken_a_text_though_nobody_could_be_woken(
    world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away again between the text's commit and the notice."""

    def away() -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(dispatch, "notify", away)
    _away()
    world.text(PERSON, "Remind me in 1 second about tea")
    world.clock.step(1)
    _back()
    assert drainer.turn() == 1
    assert not kept.holds(sender=PERSON)


@pytest.mark.parametrize("error", [OperationalError("lost"), OSError("disk"), RuntimeError("a bug")])
def test_its_thread_outlives_whatever_one_turn_meets(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Over(BaseException):
        """The test is."""

    meets = iter([error, error, Over()])

    def turn() -> None:
        raise next(meets)

    monkeypatch.setattr(drainer, "turn", turn)
    monkeypatch.setattr(limits, "DRAIN_POLL_SECONDS", 0)
    with pytest.raises(Over):
        drainer._run()


def test_it_says_which_way_is_open(world: World, kept: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def way() -> tuple[int, bytes]:
        answer = health.readyz(RequestFactory().get("/readyz"))
        return answer.status_code, answer.content

    monkeypatch.setattr(probe, "accepts", lambda: True)
    assert way() == (200, b'{"accept": "database"}')
    monkeypatch.setattr(probe, "accepts", lambda: False)
    assert way() == (503, b'{"accept": null}'), "nobody has tried the disk yet"
    _away()
    drainer.turn()
    assert way() == (200, b'{"accept": "spool"}')
    kept.bytes_max = 0
    kept._counted = None
    drainer.turn()
    assert way() == (503, b'{"accept": null}')


def test_it_refuses_a_text_that_neither_takes(world: World, kept: Spool) -> None:
    _away()
    kept.bytes_max = 0
    text = world.text(PERSON, TEA)
    assert text.answered is None
    world.carrier.texts.remove(text)
    _back()
    assert drainer.turn() == 0
    assert _received(world) == []
