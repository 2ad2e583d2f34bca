"""What a text leaves behind, exactly; and that a text which changes nothing changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection
from psycopg.pq import Trace

from reminders import intake, limits
from reminders.carriers.base import Inbound
from reminders.intake import Answer, Conflict
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"
TABLES: Final = (
    "reminders_subscriber",
    "reminders_messagekey",
    "reminders_message",
    "reminders_reminder",
    "reminders_occurrence",
    "reminders_timer",
    "reminders_event",
    "reminders_reply",
    "billing_account",
    "billing_ledgertransaction",
    "billing_entry",
)


def _accept(
    world: World, body: str, *, sid: str, sender: str = PERSON, at: timedelta = timedelta(0), **more: Any
) -> Answer:
    message = Inbound(carrier="twilio", carrier_sid=sid, sender=sender, body=body, opt_out=more.get("opt_out"))
    return intake.accept(message=message, received_at=world.clock.now + at, trace_context="")


def _everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(world.rows(f"SELECT * FROM {table}"), key=str) for table in TABLES}


def _states(world: World) -> list[tuple[int, str]]:
    return world.rows("SELECT number, state FROM reminders_reminder ORDER BY number")


def _owed(world: World) -> int:
    return len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'"))


class Trips:
    """How often a process spoke and then listened: libpq's own trace of its messages, F(rontend) then B(ackend)."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    @property
    def count(self) -> int:
        sides = [line[0] for line in self._trace.read_text().splitlines() if line]
        return sum(one == "F" and two == "B" for one, two in pairwise(sides))


@contextmanager
def _round_trips(tmp_path: Path) -> Iterator[Trips]:
    connection.ensure_connection()
    pgconn = connection.connection.pgconn
    with (tmp_path / "trace").open("w") as trace:
        pgconn.trace(trace.fileno())
        pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield Trips(tmp_path / "trace")
        finally:
            pgconn.untrace()


@pytest.mark.parametrize("body", [TEA, "blah", "LIST", "HELP", "STOP", "START", "DELETE 1"])
def test_it_needs_at_most_three_round_trips(world: World, tmp_path: Path, body: str) -> None:
    _accept(world, TEA, sid="SM0")
    _accept(world, body, sid="SM1")  # prepares its statements
    with _round_trips(tmp_path) as trips:
        _accept(world, body, sid="SM2")
    assert 1 < trips.count <= 3


@pytest.mark.parametrize("body", [TEA, "blah", "HELP", "STOP"])
def test_it_needs_at_most_three_round_trips_for_a_first_text(world: World, tmp_path: Path, body: str) -> None:
    _accept(world, body, sid="SM0")  # prepares its statements
    with _round_trips(tmp_path) as trips:
        _accept(world, body, sid="SM1", sender="+12025550102")
    assert 1 < trips.count <= 3
    assert _owed(world) == (0 if body == "STOP" else 2)


def test_it_needs_at_most_three_round_trips_to_delete(world: World, tmp_path: Path) -> None:
    for sid in ("SM0", "SM1"):
        _accept(world, TEA, sid=sid)
    _accept(world, "DELETE 1", sid="SM2")
    with _round_trips(tmp_path) as trips:
        _accept(world, "DELETE 2", sid="SM3")
    assert trips.count == 3
    assert _states(world) == [(1, "cancelled"), (2, "cancelled")]


def test_what_is_written_with_its_begin_is_undone_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _accept(world, TEA, sid="SM1")
    before = _everything(world)

    def lost(*_: object) -> list[object]:
        raise ConnectionError

    monkeypatch.setattr(intake, "_change", lost)
    with pytest.raises(ConnectionError):
        _accept(world, "STOP", sid="SM2")
    assert _everything(world) == before
    assert connection.get_autocommit()


def test_it_takes_a_reminder_from_a_known_person_in_two_round_trips(world: World, tmp_path: Path) -> None:
    for sid in ("SM0", "SM1"):
        _accept(world, TEA, sid=sid)
    with _round_trips(tmp_path) as trips:
        _accept(world, TEA, sid="SM2")
    assert trips.count == 2


def test_it_leaves_message_reminder_timers_charge_event_and_reply(world: World) -> None:
    answer = _accept(world, TEA, sid="SM1")
    due = world.clock.now + timedelta(minutes=1)
    assert (answer.outcome, answer.repeated, answer.due_at) == ("reminder", False, due)
    assert answer.body is not None
    assert answer.body.startswith("#1 tea: Mon 2 Mar 2026")
    assert world.rows("SELECT carrier_sid, outcome, reply_id FROM reminders_messagekey") == [
        ("SM1", "reminder", answer.reply_id)
    ]
    assert world.rows("SELECT body, segments, kind FROM reminders_message") == [(TEA, 1, "remind")]
    assert world.rows("SELECT number, subject, state, version, due_at FROM reminders_reminder") == [
        (1, "tea", "scheduled", 1, due)
    ]
    assert world.rows("SELECT sequence, due_at FROM reminders_occurrence") == [(1, due)]
    assert world.rows("SELECT kind, wake_at FROM reminders_timer ORDER BY wake_at, kind") == [
        ("reply", world.clock.now + timedelta(seconds=limits.REPLY_LOOK_UP_SECONDS)),
        ("ring", due),
    ]
    assert world.rows("SELECT state, body FROM reminders_reply") == [("handed_over", answer.body)]
    assert world.rows("SELECT what, version FROM reminders_event") == [("reminder.scheduled", 1)]
    assert world.rows("SELECT kind, evidence ->> 'sid' FROM billing_ledgertransaction") == [("sms", "SM1")]


@pytest.mark.parametrize("seconds", [0.0, limits.STORED_ANSWER_SECONDS - 1.0])
def test_it_gives_a_repeat_within_ten_minutes_the_stored_answer_and_changes_nothing(
    world: World, seconds: float
) -> None:
    first = _accept(world, TEA, sid="SM1")
    before = _everything(world)
    again = _accept(world, TEA, sid="SM1", at=timedelta(seconds=seconds))
    assert (again.body, again.reply_id, again.repeated) == (first.body, first.reply_id, True)
    assert _everything(world) == before


def test_it_gives_a_later_repeat_an_empty_answer_and_changes_nothing(world: World) -> None:
    _accept(world, TEA, sid="SM1")
    before = _everything(world)
    again = _accept(world, TEA, sid="SM1", at=timedelta(seconds=limits.STORED_ANSWER_SECONDS))
    assert (again.body, again.reply_id, again.repeated) == (None, None, True)
    assert _everything(world) == before


@pytest.mark.parametrize(("body", "sender"), [("Remind me in 2 minutes about tea", PERSON), (TEA, "+12025550102")])
def test_it_refuses_an_id_that_comes_with_other_content(world: World, body: str, sender: str) -> None:
    _accept(world, TEA, sid="SM1")
    before = _everything(world)
    with pytest.raises(Conflict):
        _accept(world, body, sid="SM1", sender=sender)
    assert _everything(world) == before


def test_it_welcomes_a_person_once(world: World) -> None:
    first, second = (_accept(world, TEA, sid=sid) for sid in ("SM1", "SM2"))
    assert first.body is not None
    assert second.body is not None
    assert "\n" in first.body
    assert "\n" not in second.body


def test_it_cancels_what_is_open_on_stop_and_neither_charges_nor_takes_more(world: World) -> None:
    _accept(world, TEA, sid="SM1")
    _accept(world, "STOP", sid="SM2")
    assert _states(world) == [(1, "cancelled")]
    answer = _accept(world, TEA, sid="SM3")
    assert _states(world) == [(1, "cancelled")]
    assert (answer.outcome, answer.body) == ("refused", None)
    assert _owed(world) == 1
    assert world.rows("SELECT kind FROM reminders_timer WHERE kind = 'ring'") == []


def test_it_takes_reminders_again_after_start(world: World) -> None:
    _accept(world, "STOP", sid="SM1")
    _accept(world, "START", sid="SM2", at=timedelta(seconds=1))
    _accept(world, TEA, sid="SM3", at=timedelta(seconds=2))
    assert _states(world) == [(1, "scheduled")]


def test_it_lets_a_stop_win_over_anything_older_whenever_that_arrives(world: World) -> None:
    _accept(world, "STOP", sid="SM1", at=timedelta(seconds=10))
    _accept(world, "START", sid="SM2", at=timedelta(seconds=5))
    _accept(world, TEA, sid="SM3", at=timedelta(seconds=6))
    assert _states(world) == []
    _accept(world, "START", sid="SM4", at=timedelta(seconds=11))
    _accept(world, TEA, sid="SM5", at=timedelta(seconds=9))
    assert _states(world) == []
    _accept(world, TEA, sid="SM6", at=timedelta(seconds=12))
    assert _states(world) == [(1, "scheduled")]


def test_it_cancels_by_a_late_stop_only_what_is_older_than_it(world: World) -> None:
    _accept(world, TEA, sid="SM1")
    _accept(world, "START", sid="SM2", at=timedelta(seconds=20))
    _accept(world, "Remind me in 5 minutes about cake", sid="SM3", at=timedelta(seconds=21))
    _accept(world, "STOP", sid="SM4", at=timedelta(seconds=10))
    assert _states(world) == [(1, "cancelled"), (2, "scheduled")]


def test_it_says_nothing_where_the_carrier_has_confirmed_the_stop(world: World) -> None:
    answer = _accept(world, "STOP", sid="SM1", opt_out="STOP")
    assert (answer.body, answer.reply_id) == (None, None)
    assert world.rows("SELECT * FROM reminders_reply") == []


@pytest.mark.parametrize(
    ("body", "outcome"), [("blah", "refused"), ("", "refused"), ("HELP", "command"), ("LIST", "command")]
)
def test_it_answers_and_charges_what_asks_for_no_reminder(world: World, body: str, outcome: str) -> None:
    answer = _accept(world, body, sid="SM1")
    assert answer.outcome == outcome
    assert answer.body
    assert (_states(world), _owed(world)) == ([], 1)
    assert world.rows("SELECT kind FROM reminders_timer") == [("reply",)]


@pytest.mark.parametrize("sender", ["+19005550101", "+18005550199"])
def test_it_refuses_a_number_that_may_not_be_rung_politely_and_for_nothing(world: World, sender: str) -> None:
    answer = _accept(world, TEA, sid="SM1", sender=sender)
    assert answer.outcome == "refused"
    assert answer.body
    assert (_states(world), _owed(world)) == ([], 0)


@pytest.mark.parametrize("sender", ["12345", "RINGBACK", "+1", "nonsense", "+120255501011111111111"])
def test_it_keeps_only_the_key_of_a_sender_who_has_no_number(world: World, sender: str) -> None:
    answer = _accept(world, TEA, sid="SM1", sender=sender)
    again = _accept(world, TEA, sid="SM1", sender=sender)
    assert (answer.outcome, again.repeated) == ("refused", True)
    assert answer.body
    assert world.rows("SELECT carrier_sid, outcome FROM reminders_messagekey") == [("SM1", "refused")]
    assert world.rows("SELECT * FROM reminders_subscriber") == []


def test_it_takes_no_more_reminders_than_a_person_may_have_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPEN_REMINDERS_MAX", 2)
    for sid in ("SM1", "SM2", "SM3"):
        _accept(world, TEA, sid=sid)
    assert _states(world) == [(1, "scheduled"), (2, "scheduled")]
    assert _owed(world) == 3


@pytest.mark.parametrize("body", ["Remind me yesterday about tea", "Remind me on 1 January 2126 at 9am about tea"])
def test_it_makes_no_reminder_for_a_date_that_cannot_be(world: World, body: str) -> None:
    assert _accept(world, body, sid="SM1").body
    assert _states(world) == []


@pytest.mark.parametrize("body", ["\u202eאב \U0001f600 " * 20, "x" * limits.TEXT_CHARACTERS_MAX, "'; DROP TABLE x; --"])
def test_it_keeps_any_text_as_it_came(world: World, body: str) -> None:
    _accept(world, body, sid="SM1")
    assert world.rows("SELECT body FROM reminders_message") == [(body,)]


def test_it_deletes_the_reminder_that_is_named_and_no_other(world: World) -> None:
    _accept(world, TEA, sid="SM1")
    _accept(world, "Remind me in 2 minutes about cake", sid="SM2")
    _accept(world, "DELETE 1", sid="SM3")
    _accept(world, "DELETE 7", sid="SM4")
    assert _states(world) == [(1, "cancelled"), (2, "scheduled")]
    assert world.rows("SELECT wake_at FROM reminders_timer WHERE kind = 'ring'") == [
        (world.clock.now + timedelta(minutes=2),)
    ]
