"""What the webhook never brought is fetched from the carrier's list, from the last complete pass on."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from django.db import OperationalError

from reminders import intake, limits, reconcile
from reminders.carriers import session
from reminders.carriers.base import Unavailable
from reminders.carriers.twilio import Twilio
from tests.environment import ACCOUNT_SID, SERVICE_NUMBER
from tests.world import promises
from tests.world.carrier import Text
from tests.world.world import POLICY, World

PERSON: Final = "+12025550101"
HOUR: Final = 3600.0


def _unheard(world: World, body: str, *, number: str = PERSON) -> None:
    """A text whose webhook finds nobody."""
    text = Text(
        sid=world.carrier.sid("SM"),
        sender=number,
        to=SERVICE_NUMBER,
        body=body,
        created_at=world.clock.now.replace(microsecond=0),
        listed_at=world.clock.now,
        inbound=True,
        status="received",
    )
    world.carrier.texts.append(text)


def _backfill(world: World) -> reconcile.Reconciled:
    return reconcile.backfill(carrier=world.carrier, policy=POLICY, now=world.clock.now)


def _mark(world: World) -> list[tuple[datetime]]:
    return world.rows("SELECT spent_until FROM reminders_pace WHERE account = 'reconciled:twilio'")


def test_it_fetches_everything_since_the_last_complete_pass_however_long_ago(world: World) -> None:
    assert _backfill(world).complete
    world.clock.step(60)
    _unheard(world, "Remind me in 9 hours about tea")
    began = world.clock.now.replace(microsecond=0)
    world.clock.step(5 * HOUR)  # everything of ours was away
    assert _backfill(world).fetched == 1
    assert world.rows("SELECT due_at FROM reminders_reminder") == [(began + timedelta(hours=9),)]
    assert _backfill(world).fetched == 0
    world.run()
    promises.assert_kept(world)


def test_it_begins_an_hour_ago_where_it_has_never_been_done(world: World) -> None:
    _unheard(world, "Remind me in 9 hours about tea")
    world.clock.step(HOUR + 60)
    _unheard(world, "Remind me in 9 hours about cake")
    world.clock.step(60)
    assert _backfill(world).fetched == 1


def test_it_asks_again_from_where_a_restored_database_was(world: World) -> None:
    """A database that is put back to the past has its mark of then, and misses what came since."""
    _backfill(world)
    restored_to = world.clock.now
    world.clock.step(3 * HOUR)
    _backfill(world)
    _unheard(world, "Remind me in 9 hours about tea")
    world.clock.step(2 * HOUR)
    world.see.execute("UPDATE reminders_pace SET spent_until = %s WHERE account = 'reconciled:twilio'", [restored_to])
    assert _backfill(world).fetched == 1


def test_it_remembers_no_pass_that_was_not_complete(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _backfill(world)
    before = _mark(world)
    _unheard(world, "Remind me in 9 hours about tea")
    world.clock.step(2 * HOUR)

    async def away(**_: Any) -> None:
        raise Unavailable("connection")

    with monkeypatch.context() as patch:
        patch.setattr(world.carrier, "messages", away)
        assert not _backfill(world).asked
    assert _mark(world) == before
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MESSAGE_LIST_MAX", 0)
        assert not _backfill(world).complete
    assert _mark(world) == before
    assert _backfill(world).complete
    assert _mark(world) == [(world.clock.now,)]


def test_a_text_that_cannot_be_taken_holds_up_nobody_elses_and_is_fetched_once_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _backfill(world)
    before = _mark(world)
    _unheard(world, "poison", number="+12025550102")
    world.clock.step(1)
    _unheard(world, "Remind me in 9 hours about tea")
    world.clock.step(60)
    accept = intake.accept

    def poisoned(**given: Any) -> intake.Answer:
        if given["message"].body == "poison":
            raise ValueError("poison")
        return accept(**given)

    with monkeypatch.context() as patch:
        patch.setattr(intake, "accept", poisoned)
        for fetched in (1, 0):
            done = _backfill(world)
            assert (done.fetched, done.stuck, done.complete) == (fetched, 1, False)
    assert world.rows("SELECT promise, kind, detail ->> 'error' FROM billing_break") == [
        ("P1", "message_stuck", "ValueError")
    ]
    assert _mark(world) == before
    world.clock.step(3 * HOUR)  # mended at last
    assert (_backfill(world).fetched, _backfill(world).fetched) == (1, 0)
    world.run()
    promises.assert_kept(world)


def test_a_database_that_goes_away_is_no_fault_of_the_text_in_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _unheard(world, "Remind me in 9 hours about tea")
    world.clock.step(60)

    def away(**_: Any) -> intake.Answer:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(intake, "accept", away)
    with pytest.raises(OperationalError):
        _backfill(world)
    assert world.rows("SELECT kind FROM billing_break") == []


def test_a_snooze_that_is_fetched_is_as_long_as_any_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.text(PERSON, "Remind me in 1 minute about tea")
    world.run(seconds=120)
    _unheard(world, "SNOOZE")
    snoozed_at = world.clock.now.replace(microsecond=0)
    world.clock.step(60)
    reconcile.backfill(carrier=world.carrier, policy=replace(POLICY, snooze_seconds=1200), now=world.clock.now)
    assert world.rows("SELECT due_at FROM reminders_timer WHERE kind = 'ring'") == [
        (snoozed_at + timedelta(seconds=1200),)
    ]


def test_it_counts_what_it_fetched_and_not_what_may_still_come_by_itself(world: World) -> None:
    _unheard(world, "Remind me in 9 hours about tea")
    done = _backfill(world)
    assert (done.messages, done.fetched) == (1, 0)


@pytest.mark.parametrize("stop_first", [True, False])
def test_it_lets_a_stop_end_what_is_older_and_nothing_after_a_start(world: World, stop_first: bool) -> None:
    world.text(PERSON, "Remind me in 9 hours about tea")
    world.clock.step(60)
    _unheard(world, "STOP" if stop_first else "Remind me in 9 hours about cake")
    world.clock.step(60)
    _unheard(world, "Remind me in 9 hours about cake" if stop_first else "STOP")
    world.clock.step(60)
    assert _backfill(world).fetched == 2
    states = [state for (state,) in world.rows("SELECT state FROM reminders_reminder")]
    assert states == (["cancelled"] if stop_first else ["cancelled", "cancelled"])
    world.run()
    assert world.carrier.calls == []
    promises.assert_kept(world)


PAGES: Final = {
    "": (["SM5", "SM4"], "1"),
    "1": (["SM4", "SM3"], "2"),  # one came in meanwhile: SM4 stands on both pages
    "2": (["SM2", "SM1"], None),
}


@pytest.mark.parametrize(("pages_max", "wanted"), [(1, 2), (2, 3), (9, 5)])
def test_it_reads_the_carriers_list_page_by_page(monkeypatch: pytest.MonkeyPatch, pages_max: int, wanted: int) -> None:
    asked: list[str] = []

    async def get(_: Twilio, path: str) -> Any:
        asked.append(path)
        sids, following = PAGES[path.partition("&Page=")[2]]
        next_page = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?PageSize=1000&Page={following}"
        found = [
            {"sid": sid, "direction": "inbound", "date_created": f"Mon, 02 Mar 2026 09:30:0{sid[2]} +0000"}
            for sid in sids
        ]
        return {"messages": found, "next_page_uri": next_page if following else None}

    monkeypatch.setattr(Twilio, "_get", get)
    twilio = Twilio(
        base="http://nowhere", account_sid=ACCOUNT_SID, auth_token="t", service_number=SERVICE_NUMBER, public_base=""
    )
    since = datetime.fromisoformat("2026-03-02T09:30:00+00:00")
    listed = session.run(twilio.messages(number="", inbound=True, since=since, pages_max=pages_max), within_seconds=5)
    assert [one.sid for one in listed] == [f"SM{n}" for n in range(6 - wanted, 6)]
    assert len(asked) == min(pages_max, len(PAGES))
    later = since + timedelta(seconds=3)
    asked.clear()
    session.run(twilio.messages(number="", inbound=True, since=later, pages_max=9), within_seconds=5)
    assert len(asked) == 3, "it stops at the page that reaches further back"
