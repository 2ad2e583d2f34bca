"""A few people's day, and what the rows say of it: to be put back, and compared with what is rebuilt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tests.acceptance.carrier import Phone
from tests.acceptance.system import System

SOON: Final = "Remind in 1 second about tea"
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
