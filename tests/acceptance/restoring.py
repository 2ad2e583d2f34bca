"""A few people's day, and what the rows say of it: to be put back, and compared with what is rebuilt."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from deploy.local import platform
from tests.acceptance.carrier import Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import until

SOON: Final = "Remind in 1 second about tea"
AT_ONCE_AGAIN: Final = "Remind in 4 seconds about tea"  # copied before it rings: in the copy it is due when it is back
LATER: Final = "Remind in 3 hours about cake"
PEOPLE: Final = 6
# Everything of these people, without ids and without what only time changes.
SAYS: Final = {
    "reminders": "SELECT s.number, r.number, r.state, r.sequence, r.subject, r.due_at > now() FROM reminders_reminder r"
    " JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = ANY (%s) ORDER BY 1, 2",
    "occurrences": "SELECT s.number, r.number, o.sequence, o.outcome, o.late FROM reminders_occurrence o"
    " JOIN reminders_reminder r ON r.id = o.reminder_id JOIN reminders_subscriber s ON s.id = r.subscriber_id"
    " WHERE s.number = ANY (%s) ORDER BY 1, 2, 3",
    "attempts": "SELECT a.carrier_sid, a.state, a.outcome, a.pressed FROM reminders_attempt a"
    " JOIN reminders_subscriber s ON s.id = a.subscriber_id WHERE s.number = ANY (%s) ORDER BY 1",
    "messages": "SELECT m.carrier_sid, m.outcome, m.kind FROM reminders_message m"
    " JOIN reminders_subscriber s ON s.id = m.subscriber_id WHERE s.number = ANY (%s) ORDER BY 1",
    "stopped": "SELECT number, stopped_at IS NOT NULL FROM reminders_subscriber WHERE number = ANY (%s) ORDER BY 1",
    "charges": "SELECT s.number, t.kind, count(*), sum(e.amount_minor) FROM billing_entry e"
    " JOIN billing_ledgertransaction t ON t.id = e.transaction_id"
    " JOIN reminders_subscriber s ON s.account_id = e.account_id WHERE s.number = ANY (%s) GROUP BY 1, 2 ORDER BY 1, 2",
    "holds": "SELECT h.state, count(*) FROM billing_hold h JOIN reminders_subscriber s ON s.account_id = h.account_id"
    " WHERE s.number = ANY (%s) GROUP BY 1 ORDER BY 1",
    "rings": "SELECT count(*) FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id"
    " WHERE t.kind = 'ring' AND s.number = ANY (%s)",
    "open calls": "SELECT count(*) FROM reminders_opencall c JOIN reminders_subscriber s ON s.id = c.subscriber_id"
    " WHERE s.number = ANY (%s)",
}


def says(system: System, phones: Sequence[Phone]) -> dict[str, list[tuple[Any, ...]]]:
    """What the rows say of these people."""
    numbers = [phone.number for phone in phones]
    return {name: system.rows(query, numbers) for name, query in SAYS.items()}


def is_settled(system: System, phones: Sequence[Phone]) -> bool:
    """Whether no call of theirs is open, and nothing is reserved for one."""
    said = says(system, phones)
    return said["open calls"] == [(0,)] and "reserved" not in dict(said["holds"])


def begin(phones: Sequence[Phone]) -> None:
    """What happened before: somebody was rung, two have something to come."""
    answers, ends, stops, *_ = phones
    answers.texts(SOON)
    answered(answers, 1, "1")
    ends.texts(LATER)
    stops.texts(LATER)


def go_on(phones: Sequence[Phone]) -> None:
    """What happens then: answered, declined and answered, snoozed, ended by key and by text, still to come."""
    answers, ends, stops, declines, snoozes, waits = phones
    for phone in (answers, ends, declines, snoozes):
        phone.texts(SOON)
    waits.texts(LATER)
    stops.texts("STOP")
    answered(answers, 2, "1")
    declines.declines(declines.rings(1))
    answered(snoozes, 1, "2")
    answered(ends, 1, "9")
    answered(declines, 2, "1")
    answered(snoozes, 2, "1")


def answered(phone: Phone, nth: int, keys: str) -> None:
    """Its nth call is picked up, keys are pressed, and it is over."""
    sid = phone.rings(nth)
    phone.answers(sid)
    phone.presses(sid, keys)
    phone.awaits_end(sid)


def put_back(system: System, moment: datetime) -> None:
    """Stop it, restore the moment, start it: in quarantine."""
    assert system.stop() == 0
    done = system.run("restore", "--to", moment.isoformat())
    assert done.returncode == 0, done.stdout + done.stderr
    system.start()


def copy(system: System) -> None:
    """Copy the data as a dead machine would leave it: of a server that stands still."""
    shutil.rmtree(_older(system), ignore_errors=True)
    subprocess.run(["cp", "-a", str(system.home.postgres), str(_older(system))], check=True, capture_output=True)


def swap(system: System) -> None:
    """Put that copy in the place of the data. No server may run."""
    system.home.postgres.rename(system.root / f"before-{len(list(system.root.glob('before-*')))}")
    _older(system).rename(system.home.postgres)


def end_server(system: System) -> None:
    """kill -9 of a server whose supervisor stands still, and of everything that belongs to it."""
    postmaster = system.pid("postgres-1")
    children = {pid: platform.started(pid) for pid in system.children("postgres-1")}
    os.kill(postmaster, signal.SIGKILL)
    gone = "a dead server's processes follow it"
    until(lambda: all(platform.started(pid) != since for pid, since in children.items()), what=gone)


def is_recognised(system: System) -> bool:
    """Whether it is declared for everybody, and who dispatches has been refused."""
    declared = system.rows("SELECT FROM reminders_lineage WHERE kind = 'lost' AND at > now() - interval '5 minutes'")
    lines = [line for line in system.said().splitlines() if line.startswith("dispatch-1")]
    refused = [position for position, line in enumerate(lines) if "database.quarantined" in line]
    released = [position for position, line in enumerate(lines) if "database.released" in line]
    return bool(declared) and bool(refused) and max(refused) > max(released, default=-1)


def _older(system: System) -> Path:
    return system.root / "older"
