"""One poisonous row among 99 good ones: the 99 ring, the one becomes a dead letter that can be replayed.

What everybody fails at is nobody's fault: nobody is buried, and all ring by themselves once it is mended.
"""

from typing import Final

import pytest

from reminders.limits import CLAIMS_MAX
from tests.acceptance import audit
from tests.acceptance.carrier import Phone
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

GOOD: Final = 99
# The row makes whatever writes its attempt fail, or ends the connection that tries.
POISON: Final = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  {deed};
  RETURN NEW;
END $$;
CREATE TRIGGER poison BEFORE INSERT ON reminders_attempt FOR EACH ROW
  WHEN (NEW.subscriber_id = '{subscriber}') EXECUTE FUNCTION poison()
"""
BROKEN: Final = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the worker is broken'; END $$;
CREATE TRIGGER poison BEFORE INSERT ON reminders_attempt FOR EACH ROW EXECUTE FUNCTION poison()
"""
CLAIMS: Final = """
SELECT t.claims FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id
 WHERE t.kind = 'ring' AND s.number = ANY (%s)
"""
MENDED: Final = "DROP TRIGGER poison ON reminders_attempt; DROP FUNCTION poison()"
REMINDER: Final = """
SELECT r.id FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = %s
"""
EVENTS: Final = """
SELECT e.what, e.detail ->> 'cause' FROM reminders_event e JOIN reminders_subscriber s ON s.id = e.subscriber_id
 WHERE s.number = %s AND e.version IS NOT NULL ORDER BY e.version
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One whose rows are poisoned."""
    return systems.running("poisoned", {**QUICK, "RINGBACK_LOOKUP_HORIZON_SECONDS": "4", "RINGBACK_LEASE_SECONDS": "5"})


@pytest.mark.parametrize(
    "deed",
    ["RAISE EXCEPTION 'this row is poison'", "PERFORM pg_terminate_backend(pg_backend_pid())", "PERFORM pg_sleep(600)"],
    ids=["raises", "ends the connection", "never answers"],
)
def test_it_rings_the_others_and_buries_the_one(system: System, deed: str) -> None:
    system.carrier.behave(answer="always", press="1")
    good = list(system.carrier.phones(GOOD))
    bad = system.carrier.phone()
    bad.texts("HELP")
    ((subscriber,),) = system.rows("SELECT id FROM reminders_subscriber WHERE number = %s", bad.number)
    system.plant(POISON.format(deed=deed, subscriber=subscriber))
    try:
        for phone in [*good[:50], bad, *good[50:]]:
            system.carrier.text(sender=phone.number, body="Remind in 4 seconds about tea")
        until(lambda: len(rung(good)) == GOOD, seconds=180, what="the 99 have rung")
        until(lambda: system.oracle.states([bad]) == {"dead": 1}, seconds=180, what="the one is a dead letter")
    finally:
        system.plant(MENDED)
    system.oracle.await_quiet([*good, bad])
    assert system.rows(EVENTS, bad.number) == [("reminder.scheduled", None), ("reminder.dead", "poison")]
    ((reminder,),) = system.rows(REMINDER, bad.number)
    assert bad.calls == []
    assert rung(good) == {phone.number: 1 for phone in good}
    system.oracle.judge([*good, bad])
    letters = system.told("replay_dead_letter")["dead_letters"]
    assert [letter["id"] for letter in letters] == [str(reminder)]
    assert system.told("replay_dead_letter", str(reminder))["replayed"] == [str(reminder)]
    call = bad.rings()
    bad.awaits_end(call)
    assert "tea" in bad.heard(call)
    system.oracle.await_quiet([bad])
    system.oracle.judge([bad])
    assert system.oracle.charges([bad]) == {"sms": 2, "call": 1}
    audit.clean(system)


def test_it_buries_nobody_where_the_worker_fails_everybody_and_rings_all_once_it_is_mended(system: System) -> None:
    system.carrier.behave(answer="always", press="1")
    before, *phones = system.carrier.phones(9)
    numbers = [phone.number for phone in phones]
    before.texts("Remind in 1 second about tea")
    before.awaits_end(before.rings())  # until here the worker was well
    for phone in phones:
        phone.texts("Remind in 2 seconds about tea")
    system.plant(BROKEN)
    try:
        until(lambda: all(claims > CLAIMS_MAX for (claims,) in system.rows(CLAIMS, numbers)), what="all fail often")
        assert len(system.rows(CLAIMS, numbers)) == len(phones)
        assert system.oracle.states(phones) == {"scheduled": len(phones)}
    finally:
        system.plant(MENDED)
    until(lambda: len(rung(phones)) == len(phones), seconds=180, what="all have rung")
    system.oracle.await_quiet(phones)
    system.oracle.judge(phones)
    assert system.oracle.states(phones) == {"answered": len(phones)}
    audit.clean(system)


def rung(phones: list[Phone]) -> dict[str, int]:
    """How often each of them was rung, of those that were."""
    wanted = {phone.number for phone in phones}
    found: dict[str, int] = {}
    for call in phones[0].carrier.calls():
        if call["to"] in wanted:
            found[call["to"]] = found.get(call["to"], 0) + 1
    return found
