"""Late says so and is free; and what a stop of everything keeps."""

import os
import signal
import time
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import pytest

from deploy.local import down, platform
from tests.acceptance import audit
from tests.acceptance.carrier import Phone
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import passed, until

pytestmark = pytest.mark.acceptance

# Longer than a busy machine takes to ring in time, shorter than a phone rings (QUICK): a retry comes after it.
FRESHNESS_SECONDS = 6


@pytest.fixture
def system(systems: Systems) -> System:
    """One that is late after some seconds, and is stopped and started."""
    return systems.running("late", {**QUICK, "RINGBACK_FRESHNESS_SECONDS": str(FRESHNESS_SECONDS)})


@pytest.fixture
def phone(system: System) -> Phone:
    return system.carrier.phone()


def says_that_it_is_late_and_free(system: System, phone: Phone, subject: str) -> None:
    call = phone.rings()
    phone.answers(call)
    heard = phone.hears(call, "Press 1")
    assert subject in heard
    assert "late, so it is free" in heard
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    assert system.oracle.states([phone]) == {"answered": 1}
    assert system.oracle.charges([phone]) == {"sms": 1}
    statement = system.told("statement", phone.number)
    assert statement["balance_minor"] == -1


def test_it_says_that_it_is_late_where_nothing_was_dispatched_in_time(system: System, phone: Phone) -> None:
    with system.frozen("dispatch-1"):
        phone.texts("Remind in 1 second about tea")
        due = "SELECT 1 FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id" \
            " WHERE s.number = %s AND t.kind = 'ring' AND now() - t.due_at > interval '7 seconds'"  # fmt: skip
        until(lambda: system.rows(due, phone.number), what="it is seven seconds late")
    says_that_it_is_late_and_free(system, phone, "tea")


def test_it_does_not_call_a_retry_late(system: System, phone: Phone) -> None:
    """A retry that the plan foresees is not late, however long after the due time it rings."""
    phone.texts("Remind in 1 second about tea")
    phone.awaits_end(phone.rings(1), "no-answer")
    ((due_at,),) = system.rows(
        "SELECT o.due_at FROM reminders_occurrence o JOIN reminders_reminder r ON r.id = o.reminder_id"
        " JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = %s",
        phone.number,
    )
    call = phone.rings(2)
    first, second = (datetime.fromisoformat(one["ringing_at"]) - due_at for one in phone.calls)
    assert first < timedelta(seconds=FRESHNESS_SECONDS) < second
    phone.answers(call)
    assert "late" not in phone.hears(call, "Press 1")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    assert system.oracle.charges([phone]) == {"sms": 1, "call": 1}


def test_it_says_what_runs_where_it_is_started_twice(system: System) -> None:
    again = system.run("up", "--port", str(system.port))
    assert again.returncode == 0
    assert "already runs" in again.stdout
    assert f"The phone: {system.carrier.base}/" in again.stdout
    for name in ("web-1", "dispatch-1", "worker-1", "redis", "postgres-1", "carrier"):
        assert f"{name} " in again.stdout
        assert str(system.pid(name)) in again.stdout
    doctor = system.run("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout


def test_a_reset_knows_every_place_where_a_system_keeps_anything(system: System) -> None:
    known = {pattern.partition("/")[0] for pattern in down.DATA}
    kept = [place.name for place in system.home.root.iterdir()]
    assert [name for name in kept if not any(fnmatchcase(name, pattern) for pattern in known)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_it_keeps_every_reminder_over_a_stop(system: System, number: signal.Signals) -> None:
    """Set before, due while nothing ran: it rings after the start and says that it is late."""
    missed, later = system.carrier.phone(), system.carrier.phone()
    missed.texts("Remind in 3 seconds about tea")
    due = time.monotonic() + 3
    later.texts("Remind in 3 hours about bread")
    pids = [system.pid(name) for name in ("web-1", "dispatch-1", "worker-1", "redis", "postgres-1", "carrier")]
    if number is signal.SIGKILL:
        os.kill(system.supervisor() or 0, number)
        system.reap()
    else:
        assert system.stop(number) == 0
        assert not list(system.home.run.glob("*.pid"))
        assert not any(alive(pid) for pid in pids)
        nowhere = system.manage("statement", missed.number)
        assert nowhere.returncode == 2, nowhere.stderr
        assert "make up" in nowhere.stderr
        assert "Traceback" not in nowhere.stderr
    passed(due + FRESHNESS_SECONDS + 1)
    system.start()
    assert not any(alive(pid) for pid in pids)
    says_that_it_is_late_and_free(system, missed, "tea")
    assert system.oracle.states([later]) == {"scheduled": 1}
    assert "bread" in later.texts("LIST")
    audit.clean(system)


def test_it_stops_in_time_while_phones_ring(system: System) -> None:
    phones = list(system.carrier.phones(5))
    for phone in phones:
        phone.texts("Remind in 1 second about tea")
    for phone in phones:
        phone.rings()
    assert system.stop() == 0
    system.start()
    system.carrier.behave(answer="always", press="1")
    system.oracle.await_quiet(phones)
    system.oracle.judge(phones)
    audit.clean(system)


def alive(pid: int) -> bool:
    return platform.started(pid) is not None
