"""Audit names exactly what was broken, promise by promise, and nothing in a history that merely happened."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest

from billing.breaks import open_break
from reminders import limits
from reminders.audit import PROMISES, Report, audit, checks
from reminders.carriers.base import Evidence
from reminders.models import Attempt, Occurrence, Reply
from tests import servers
from tests.integration.commands import played
from tests.integration.commands.plants import PLANTS, Plant
from tests.integration.commands.played import ANSWERS, MISSES, POLICY, RINGS, WAITS, BookedCarrier

# Audited a while later by the carrier's clock, so that what it listed is older than every allowance.
LATER = timedelta(minutes=5)
FETCHED: Final = "+12025550130"  # nobody has texted from there yet


def run(carrier: BookedCarrier) -> Report:
    """Audit, a while later."""
    return audit(carrier=carrier, policy=POLICY, now=datetime.now(UTC) + LATER)


def named(report: Report) -> set[tuple[str, str, str]]:
    """What audit names: (promise, kind, id)."""
    return {(one.id, found.kind, found.id) for one in report.promises for found in one.breaks}


def test_a_history_that_only_happened_is_clean(carrier: BookedCarrier) -> None:
    report = run(carrier)
    assert named(report) == set()
    assert report.ok is True
    assert all(one.ok is True and one.checked > 0 for one in report.promises)


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{plant.promise}-{plant.kind}" for plant in PLANTS])
def test_it_names_exactly_what_was_planted(
    carrier: BookedCarrier, planter: psycopg.Connection[tuple[Any, ...]], plant: Plant
) -> None:
    for statement in plant.statements[:-1]:
        planter.execute(statement)
    rows = planter.execute(plant.statements[-1]).fetchall()
    assert rows
    report = run(carrier)
    assert named(report) == {(plant.promise, plant.kind, str(row[0])) for row in rows}
    assert report.ok is False


@pytest.mark.parametrize("ago", [timedelta(minutes=10), timedelta(hours=20)])
def test_what_was_fetched_late_is_overdue_only_once_it_could_have_rung(
    carrier: BookedCarrier, planter: psycopg.Connection[tuple[Any, ...]], ago: timedelta
) -> None:
    played.text(carrier, FETCHED, "Remind in 1 minute about soup", ago=ago)
    assert named(run(carrier)) == set()
    earlier = "UPDATE reminders_timer SET made_late_at = made_late_at - make_interval(secs => %s) WHERE kind = 'ring'"
    planter.execute(earlier, [limits.OVERDUE_SECONDS - 10])
    assert named(run(carrier)) == set()
    ((timer,),) = planter.execute(earlier + " AND made_late_at IS NOT NULL RETURNING id", [11]).fetchall()
    assert named(run(carrier)) == {("P2", "timer_overdue", str(timer))}


def _call_of(carrier: BookedCarrier, number: str, position: int = 0) -> str:
    return [one.sid for one in carrier.calls.values() if one.to == number][position]


def _text_of(carrier: BookedCarrier, number: str, *, inbound: bool) -> str:
    return next(one.sid for one in carrier.texts.values() if number in (one.sender, one.to) and one.inbound == inbound)


def _reply_of(sid: str) -> str:
    return str(Reply.objects.get(carrier_sid=sid).id)


def _attempt_of(sid: str) -> str:
    return str(Attempt.objects.get(carrier_sid=sid).id)


def _second_call(carrier: BookedCarrier) -> str:
    return carrier.book_call(ANSWERS, at=carrier.calls[_call_of(carrier, ANSWERS)].created_at)


def _calls_overlap(carrier: BookedCarrier) -> str:
    first, second = (_call_of(carrier, MISSES, position) for position in (0, 1))
    at = datetime.now(UTC).replace(microsecond=0)
    for position in range(3):
        sid = _call_of(carrier, MISSES, position)
        start = at + timedelta(seconds=10 * position)
        carrier.calls[sid] = replace(carrier.calls[sid], started_at=start, ended_at=start + timedelta(seconds=5))
    carrier.calls[first] = replace(carrier.calls[first], ended_at=at + timedelta(seconds=14))
    return second


def _call_unknown(carrier: BookedCarrier) -> str:
    return carrier.book_call(WAITS)


def _call_unrecorded(carrier: BookedCarrier) -> str:
    sid = _call_of(carrier, ANSWERS)
    del carrier.calls[sid]
    return _attempt_of(sid)


def _call_differs(carrier: BookedCarrier) -> str:
    sid = _call_of(carrier, MISSES, 1)
    carrier.calls[sid] = replace(carrier.calls[sid], status="busy")
    return _attempt_of(sid)


def _call_elsewhere(carrier: BookedCarrier) -> str:
    sid = _call_of(carrier, ANSWERS)
    carrier.calls[sid] = replace(carrier.calls[sid], to="+12025550177")
    return _attempt_of(sid)


def _call_end_missed(carrier: BookedCarrier) -> str:
    sid = _call_of(carrier, RINGS)
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    carrier.calls[sid] = replace(carrier.calls[sid], status="no-answer", started_at=ended, ended_at=ended)
    return _attempt_of(sid)


def _message_missed(carrier: BookedCarrier) -> str:
    return carrier.book_text(sender=ANSWERS, body="LIST")


def _message_unrecorded(carrier: BookedCarrier) -> str:
    sid = _text_of(carrier, ANSWERS, inbound=True)
    del carrier.texts[sid]
    return sid


def _message_differs(carrier: BookedCarrier) -> str:
    sid = _text_of(carrier, ANSWERS, inbound=True)
    carrier.texts[sid] = replace(carrier.texts[sid], body="Remind in 5 minutes about coffee")
    return sid


def _reply_unrecorded(carrier: BookedCarrier) -> str:
    sid = _text_of(carrier, WAITS, inbound=False)
    del carrier.texts[sid]
    return _reply_of(sid)


def _reply_differs(carrier: BookedCarrier) -> str:
    sid = _text_of(carrier, WAITS, inbound=False)
    carrier.texts[sid] = replace(carrier.texts[sid], status="failed")
    return _reply_of(sid)


def _break_opened(_: BookedCarrier) -> str:
    subject = uuid4()
    open_break(promise="P3", kind="rang_after_given_up", subject=("attempt", subject), detail={}, at=datetime.now(UTC))
    return str(subject)


FALSIFIED: Final = (
    ("P3", "second_call", _second_call),
    ("P3", "calls_overlap", _calls_overlap),
    ("P3", "rang_after_given_up", _break_opened),
    ("P6", "call_unknown", _call_unknown),
    ("P6", "call_unrecorded", _call_unrecorded),
    ("P6", "call_differs", _call_differs),
    ("P6", "call_differs", _call_elsewhere),
    ("P6", "call_end_missed", _call_end_missed),
    ("P6", "message_missed", _message_missed),
    ("P6", "message_unrecorded", _message_unrecorded),
    ("P6", "message_differs", _message_differs),
    ("P6", "reply_unrecorded", _reply_unrecorded),
    ("P6", "reply_differs", _reply_differs),
)


@pytest.mark.parametrize(("promise", "kind", "falsify"), FALSIFIED)
def test_it_names_exactly_what_differs_in_the_carriers_books(
    carrier: BookedCarrier, promise: str, kind: str, falsify: Callable[[BookedCarrier], str]
) -> None:
    wrong = falsify(carrier)
    assert named(run(carrier)) == {(promise, kind, wrong)}


def test_what_the_carrier_did_a_moment_ago_is_no_break_yet(carrier: BookedCarrier) -> None:
    _message_missed(carrier)
    _call_unknown(carrier)
    assert named(audit(carrier=carrier, policy=POLICY, now=datetime.now(UTC))) == set()


def test_a_reply_that_left_a_moment_ago_is_no_break_yet_however_old_its_text(carrier: BookedCarrier) -> None:
    reply_id = _reply_unrecorded(carrier)
    Reply.objects.filter(id=reply_id).update(handed_over_at=datetime.now(UTC) + LATER)
    assert named(run(carrier)) == set()


def test_where_the_carrier_cannot_be_asked_its_promises_are_unknown(carrier: BookedCarrier) -> None:
    carrier.away = True
    report = run(carrier)
    assert [one.id for one in report.promises if one.ok is None] == ["P3", "P6"]
    assert report.ok is None


def test_a_ringing_that_is_told_after_the_end_is_stored_all_the_same(carrier: BookedCarrier) -> None:
    sid, attempt_id = played._open_call(carrier, RINGS)
    now = datetime.now(UTC)
    carrier.end_call(sid, "no-answer", seconds=0, at=now)
    played._fold(carrier, attempt_id, Evidence(carrier_sid=sid, call_ended_at=now, call_status="no_answer"))
    played._fold(carrier, attempt_id, Evidence(carrier_sid=sid, ringing_at=now))
    occurrence = Occurrence.objects.get(reminder__subscriber__number=RINGS)
    assert occurrence.rang_at == now
    assert occurrence.lateness_ms is not None


def test_a_break_of_ours_counts_though_the_carrier_is_away(carrier: BookedCarrier) -> None:
    carrier.away = True
    _break_opened(carrier)
    report = run(carrier)
    assert next(one for one in report.promises if one.id == "P3").ok is False


def test_in_an_empty_system_nothing_was_checked(database: servers.Database) -> None:
    report = run(BookedCarrier())
    assert {one.ok for one in report.promises} == {None}
    assert report.ok is None


def planted_checks() -> set[tuple[str, str]]:
    """The checks that a test sees name what it broke."""
    return {(plant.promise, plant.kind) for plant in PLANTS} | {(promise, kind) for promise, kind, _ in FALSIFIED}


def test_every_check_has_seen_its_break() -> None:
    """A new check comes with a plant: one that never failed proves nothing."""
    tables = (checks.CHECKS, checks.COMPARISONS)
    catalogue = {(promise, kind) for table in tables for promise, kinds in table.items() for kind in kinds}
    assert catalogue - planted_checks() == set()


def test_every_promise_has_at_least_two_breaks_planted() -> None:
    planted = Counter(promise for promise, _ in planted_checks())
    assert {promise for promise in PROMISES if planted[promise] >= 2} == set(PROMISES)


def test_every_check_is_a_statement_and_every_statement_a_check() -> None:
    listed = {
        f"audit_{promise.lower()}_{kind}"
        for table in (checks.CHECKS, checks.COMPARISONS)
        for promise, kinds in table.items()
        for kind in kinds
    }
    written = {name for name in checks.statements._texts if name.startswith("audit_p")}
    assert listed == written


def test_it_reads_only(carrier: BookedCarrier) -> None:
    from django.db import connection

    from reminders import history

    with history.snapshot(seconds=5), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
