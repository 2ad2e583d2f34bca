"""One experiment on two tiers with real processes: what the one keeps the other loses, and the judge sees both."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from deploy.lab import experiment, load, page, report
from deploy.lab.books import Books
from deploy.lab.breaking import Catalogue
from deploy.lab.experiment import Experiment, Load, Planned, Steady
from deploy.lab.oracle import judge
from deploy.lab.subject import Subject, running
from deploy.lab.trial import Found, Trial
from tests import ports
from tests.acceptance.system import FOLLOWERS

pytestmark = pytest.mark.acceptance

PEOPLE: Final = 48
# The file's claim, on a machine that may be busy: times are waited for generously, facts are exact. When the
# worker dies at 5 s, people who texted before are due within the next seconds: that is who the naive tier loses.
TRIED: Final[Experiment] = replace(
    experiment.read("worker-killed"),
    load=Load(per_second=6, seconds=8, due_in=(2, 9)),
    faults=(Planned(name="worker-killed", at=5),),
    steady=Steady(people=3, lateness_max_seconds=20, within_seconds=100),
    expect={"naive": {"some": ["lost"]}},
)


@contextmanager
def tried(tier: str, wanted: Experiment) -> Iterator[tuple[Found, Subject]]:
    """A trial on a system of its own."""
    taken = closing(ports.take(among=ports.SYSTEMS, followers=FOLLOWERS))
    with taken as own, running(tier=tier, port=own.port, settings={}) as subject:
        trial = Trial(
            wanted=wanted, subject=subject, breaker=Catalogue(subject), seed=1,
            numbers=load.people(first=2_000_000), tell=lambda *_: None,
        )  # fmt: skip
        yield trial.run(), subject


def test_it_finds_that_durable_keeps_what_it_promised_and_finds_every_planted_break(tmp_path: Path) -> None:
    with tried("durable", TRIED) as (found, subject):
        made = report.made(found, subject, command="./manage.py lab run worker-killed")
    assert found.judgement is not None
    assert found.books is not None
    assert found.judgement.findings == []
    assert found.wrong == []
    assert found.measures["texted"] == PEOPLE
    assert [band.name for band in found.bands] == ["worker-killed"]
    assert any(moment["words"].startswith("worker-1 was killed") for moment in made["moments"])
    assert made["victim"]["trace_id"]
    assert made["audit"]["P1"] is True
    place = report.write(made, directory=tmp_path)
    assert page.page(json.loads(place.read_text())).count("<svg") == 1
    planted(found.books)


def test_it_sees_the_naive_tier_lose_under_the_same_fault() -> None:
    with tried("naive", replace(TRIED, quiet_seconds=8)) as (found, _):
        pass
    assert found.judgement is not None
    assert found.wrong == []
    assert found.judgement.counts()["lost"] > 0
    assert {one.words for one in found.judgement.findings if one.kind == "lost"} == {"accepted, and it never rang"}


def planted(true: Books) -> None:
    """The real books of a real trial, each changed in one place: the judge names that person and nobody else."""
    victim = next(call for call in true.calls if call.answered_at is not None and call.sid in true.ours.attempts)
    for plant, kinds in PLANTED.items():
        found = judge(plant(copy.deepcopy(true), victim.sid))
        assert {one.number for one in found.findings} == {victim.to}, plant.__name__
        assert {one.kind for one in found.findings} == kinds, plant.__name__


def dropped(true: Books, sid: str) -> Books:
    return replace(true, calls=[call for call in true.calls if call.sid != sid])


def doubled(true: Books, sid: str) -> Books:
    again = next(replace(call, sid="CA" + "0" * 32) for call in true.calls if call.sid == sid)
    return replace(true, calls=[*true.calls, again])


def dearer(true: Books, sid: str) -> Books:
    charges = [replace(one, amount_minor=11) if one.sid == sid else one for one in true.ours.charges]
    return replace(true, ours=replace(true.ours, charges=charges))


def delayed(true: Books, sid: str) -> Books:
    calls = [replace(call, ringing_at=(call.ringing_at or 0) + 300) if call.sid == sid else call for call in true.calls]
    return replace(true, calls=calls)


PLANTED: Final[dict[Callable[[Books, str], Books], set[str]]] = {
    dropped: {"lost", "mischarged"},
    doubled: {"twice"},
    dearer: {"mischarged"},
    delayed: {"late"},
}
