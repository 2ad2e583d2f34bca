"""Many people whose phones are to ring at the same second, and something that dies in the middle of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from tests.acceptance.carrier import Phone
from tests.acceptance.system import QUICK, System
from tests.acceptance.waiting import until

TEXTED_SECONDS: Final = (8.0, 30.0, 90.0)  # what it may take to text everyone, on a slower machine each time
BURSTS_MAX: Final = 6  # a machine that stands still may sleep over one
# Back-off of a restart, lease, look-up horizon, the dial after it, and 200 calls at the carrier's pace.
END_SECONDS: Final = 180.0
# A burst takes some seconds, which are longer than a look at it on a busy machine.
PACED: Final[Mapping[str, str]] = {**QUICK, "RINGBACK_CALLS_PER_SECOND": "25"}


def burst(system: System, people: int) -> list[Phone]:
    """So many people's reminders, all due at the same second; each text was accepted."""
    for seconds in TEXTED_SECONDS:
        phones = list(system.carrier.phones(people))
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        body = f"Remind at {due:%Y-%m-%d %H:%M:%S} UTC about tea"
        sids = [system.carrier.text(sender=phone.number, body=body) for phone in phones]
        for sid in sids:
            assert [one["status"] for one in system.carrier.await_webhooks(sid)] == [200]
        if datetime.now(UTC) < due:
            return phones
        system.oracle.await_quiet(phones, seconds=END_SECONDS)
    raise AssertionError(f"texting {people} people took longer than {seconds:g} s")


def rung(system: System, phones: list[Phone]) -> int:
    numbers = {phone.number for phone in phones}
    return sum(call["to"] in numbers for call in system.carrier.calls())


def a_fifth_rang(system: System, phones: list[Phone]) -> bool:
    return len(phones) / 5 <= rung(system, phones)


def mid_burst(system: System, people: int) -> list[Phone]:
    """The people of a burst of which a fifth has rung, and not everyone."""
    system.carrier.behave(answer="always", press="1")
    for _ in range(BURSTS_MAX):
        phones = burst(system, people)
        until(partial(a_fifth_rang, system, phones), what="a fifth of them have rung")
        if rung(system, phones) < len(phones):
            return phones
        system.oracle.await_quiet(phones, seconds=END_SECONDS)
    raise AssertionError("each burst was over before anything could die")
