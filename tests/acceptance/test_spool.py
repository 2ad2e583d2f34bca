"""The database away while people text: nobody is refused, everything is drained, rung on time, once, charged once."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import pytest

from tests.acceptance import audit, http, restoring
from tests.acceptance.carrier import Phone
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 12  # before, while and after
TEA: Final = "Remind in 10 seconds about tea"
LATE: Final = """
SELECT s.number, o.lateness_ms FROM reminders_occurrence o JOIN reminders_reminder r ON r.id = o.reminder_id
  JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = ANY (%s) AND o.late
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One with a spool, whose database suffers."""
    return systems.running("spooling", {**QUICK, "RINGBACK_SPOOL": "1", "RINGBACK_POOL_TIMEOUT_SECONDS": "0.5"})


def way(system: System) -> str | None:
    answered = http.request("GET", system.interface["web"] + "/readyz")
    return answered.json()["accept"] if answered.status in (200, 503) else None


def waiting(system: System) -> dict[str, Any]:
    done = system.manage("spool", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def stopped(system: System) -> Iterator[None]:
    """SIGSTOP to the postmaster and to each of its backends: a server whose connections stay open and say nothing."""
    postmaster = system.pid("postgres-1")
    os.kill(postmaster, signal.SIGSTOP)
    pids = [*system.children("postgres-1"), postmaster]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(system: System) -> Iterator[None]:
    """kill -9; its supervisor starts it again."""
    system.kill("postgres-1")
    yield


def texts(system: System, phones: list[Phone], body: str) -> None:
    """Everybody texts; nobody is refused."""
    sids = [system.carrier.text(sender=phone.number, body=body) for phone in phones]
    for sid in sids:
        assert [one["status"] for one in system.carrier.await_webhooks(sid)] == [200], system.said()[-4000:]


@pytest.mark.parametrize("broken", [stopped, killed], ids=["is frozen", "dies"])
def test_it_refuses_nobody_while_the_database(
    system: System, broken: Callable[[System], AbstractContextManager[None]]
) -> None:
    system.carrier.behave(answer="always", press="1")
    until(lambda: way(system) == "database", seconds=30, what="the database is the way")
    phones = list(system.carrier.phones(3 * PEOPLE))
    before, meanwhile, after = phones[:PEOPLE], phones[PEOPLE : 2 * PEOPLE], phones[2 * PEOPLE :]
    texts(system, before, TEA)
    with broken(system):
        texts(system, meanwhile, TEA)
        if broken is stopped:
            until(lambda: way(system) == "spool", seconds=20, what="the spool is the way")
            found = waiting(system)
            assert found["count"] == PEOPLE
            assert {one["number"] for one in found["waiting"]} == {phone.number for phone in meanwhile}
        texts(system, after, TEA)
    until(lambda: way(system) == "database", seconds=40, what="the database is the way again")
    until(lambda: waiting(system)["count"] == 0, seconds=40, what="everything is drained")
    for phone in phones:
        phone.awaits_text("#1 tea", seconds=40)
    system.oracle.await_quiet(phones, seconds=60)
    system.oracle.judge(phones)
    assert {len(phone.calls) for phone in phones} == {1}
    assert system.oracle.charges(phones) == {"sms": len(phones), "call": len(phones)}
    assert system.rows(LATE, [phone.number for phone in phones]) == []
    assert [[text for text in phone.received() if text.startswith("#1")] for phone in phones] == [
        [phone.received()[0]] for phone in phones
    ]
    audit.clean(system)


def by_restore(system: System, moment: datetime) -> None:
    """As we do it."""
    restoring.put_back(system, moment)


def by_a_copy(system: System, moment: datetime) -> None:
    """Stopped, and an older copy put in the place of the data: nobody says anything."""
    assert system.stop() == 0
    restoring.swap(system)
    system.start()


def by_a_copy_while_it_runs(system: System, moment: datetime) -> None:
    """The server dies, and what starts in its place is an older copy: no other process is stopped."""
    supervisor = system.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGSTOP)
    try:
        restoring.end_server(system)
        restoring.swap(system)
    finally:
        os.kill(supervisor, signal.SIGCONT)


@pytest.mark.parametrize(
    "put_back",
    [by_restore, by_a_copy, by_a_copy_while_it_runs],
    ids=["by restore", "by a copy", "by a copy while it runs"],
)
def test_it_is_put_back_rebuilt_and_rings_nobody_again(
    system: System, put_back: Callable[[System, datetime], None]
) -> None:
    until(lambda: way(system) == "database", seconds=60, what="the database is the way")
    rung, *others, waits = phones = list(system.carrier.phones(restoring.PEOPLE + 1))
    restoring.begin([*others, waits])
    rung.texts(restoring.AT_ONCE_AGAIN)
    if put_back is by_restore:
        done = system.manage("backup")
        assert done.returncode == 0, done.stderr
    else:
        with stopped(system):
            restoring.copy(system)
    (moment,) = system.rows("SELECT clock_timestamp()")[0]
    restoring.answered(rung, 1, "1")
    restoring.go_on([*others, waits])
    others.append(rung)
    until(lambda: restoring.is_settled(system, phones), seconds=60, what="every call is over")
    said, calls = restoring.says(system, others), len(system.carrier.calls())
    received = [phone.received() for phone in others]
    put_back(system, moment)
    if put_back is not by_restore:
        until(lambda: restoring.is_recognised(system), seconds=60, what="nobody had to say it")
    assert restoring.says(system, others) != said
    while_closed = system.carrier.text(sender=waits.number, body=TEA)
    assert [one["status"] for one in system.carrier.await_webhooks(while_closed)] == [200]
    assert waiting(system)["count"] == 1
    assert len(system.carrier.calls()) == calls, "who was rung already is due there, and is not rung"
    done = system.manage("release")
    assert done.returncode == 0, done.stdout + done.stderr
    assert restoring.says(system, others) == said, done.stdout
    restoring.answered(waits, 1, "1")
    until(lambda: restoring.is_settled(system, phones), seconds=60, what="the last call is over")
    assert [state for _, _, state, *_ in restoring.says(system, [waits])["reminders"]] == ["scheduled", "answered"]
    assert restoring.says(system, others) == said
    assert [phone.received() for phone in others] == received
    assert len(system.carrier.calls()) == calls + 1
    audit.clean(system)
