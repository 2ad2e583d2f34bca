"""kill -9 in the middle of a burst: nothing is lost, nobody is rung twice, charges are right, the instance is back."""

import os
import signal
from contextlib import suppress
from typing import Final

import pytest

from tests.acceptance import audit
from tests.acceptance.bursts import END_SECONDS, PACED, mid_burst, rung
from tests.acceptance.carrier import Phone
from tests.acceptance.system import System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 150
INSTANCES: Final = ("worker-1", "dispatch-1", "web-1", "redis", "postgres-1", "carrier")
UNANSWERED: Final = ([("intended",)], [("unknown",)])  # the worker may have given its request up already


@pytest.fixture
def system(systems: Systems) -> System:
    """One whose processes die: nobody else's test suffers from it."""
    return systems.running("killed", PACED)


def everyone_rang_once(system: System, phones: list[Phone]) -> None:
    system.oracle.await_quiet(phones, seconds=END_SECONDS)
    system.carrier.usual()
    system.oracle.judge(phones)
    assert system.oracle.states(phones) == {"answered": len(phones)}
    assert system.oracle.charges(phones) == {"sms": len(phones), "call": len(phones)}
    assert rung(system, phones) == len(phones)
    audit.clean(system)


@pytest.mark.parametrize("name", INSTANCES)
def test_it_survives_the_death_of_one_process_in_a_burst(system: System, name: str) -> None:
    phones = mid_burst(system, PEOPLE)
    killed = system.kill(name)
    system.await_back(name, killed)
    everyone_rang_once(system, phones)


def test_it_survives_the_death_of_any_child_in_a_burst(system: System) -> None:
    """Only Postgres has children; each that dies takes the others along, and the server begins anew."""
    with_children = [name for name in INSTANCES if system.children(name)]
    assert with_children == ["postgres-1"]
    phones = mid_burst(system, PEOPLE)
    postmaster = system.pid("postgres-1")
    for nth in (0, 1, -1):
        children = until(lambda: system.children("postgres-1"), what="Postgres has children")
        with suppress(ProcessLookupError):
            os.kill(children[nth % len(children)], signal.SIGKILL)
        until(lambda: system.rows("SELECT 1"), what="Postgres serves again")
    assert system.pid("postgres-1") == postmaster
    everyone_rang_once(system, phones)


def test_it_survives_the_death_of_everything_at_once(system: System) -> None:
    phones = mid_burst(system, 100)
    killed = {name: system.kill(name) for name in INSTANCES}
    for name, pid in killed.items():
        system.await_back(name, pid)
    everyone_rang_once(system, phones)


def test_it_rings_within_a_lease_what_was_claimed_by_a_worker_that_died(system: System) -> None:
    """Claimed and not intended: the doorbell died with its worker."""
    phone = system.carrier.phone()
    claimed = "SELECT 1 FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id" \
        " WHERE s.number = %s AND t.kind = 'ring' AND t.token IS NOT NULL"  # fmt: skip
    with system.frozen("worker-1"):
        phone.texts("Remind in 1 second about the lease")
        until(lambda: system.rows(claimed, phone.number), what="it is claimed")
        system.kill("worker-1")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "the lease")
    phone.presses(call, "1")
    phone.awaits_end(call)
    everyone_rang_once(system, [phone])


@pytest.mark.parametrize("placed", [True, False], ids=["and placed", "and not placed"])
def test_it_resolves_within_the_horizon_what_was_intended_by_a_worker_that_died(system: System, placed: bool) -> None:
    """Intended, and no reply came: looked up, bound where a call is found, dialled anew where none is."""
    hold = "create_hang_seconds" if placed else "create_hold_seconds"
    system.carrier.behave(callbacks=0, answer="always", answer_after_seconds=3, press="1", faults={hold: 120})
    phone = system.carrier.phone()
    phone.texts("Remind in 1 second about the horizon")
    attempts = "SELECT a.state FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id" \
        " WHERE s.number = %s ORDER BY a.id"  # fmt: skip
    until(lambda: system.rows(attempts, phone.number) in UNANSWERED, what="it is intended")
    system.kill("worker-1")
    if not placed:
        system.kill("carrier")  # what it held back was never placed
        until(lambda: system.carrier.calls(phone.number) == [], what="the carrier is back")
    system.carrier.fault(create_hang_seconds=0, create_hold_seconds=0)
    known = ("placed", "in_call", "ended", "not_placed")
    until(lambda: system.rows(attempts, phone.number)[0][0] in known, what="it is resolved")
    call = phone.rings()
    phone.hears(call, "the horizon")
    phone.awaits_end(call)
    everyone_rang_once(system, [phone])
    assert len(system.rows(attempts, phone.number)) == (1 if placed else 2)
