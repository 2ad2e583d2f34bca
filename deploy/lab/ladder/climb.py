"""Climbs the ladder: every event of the year on every tier, counted, and what each tier costs.

What was found is one file of JSON: a tally for each tier, event and seed, a cost for each tier. It is written after
every trial, so that an interrupted climb loses one trial at most, and the next one goes on where it stopped.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from deploy.lab import books, load, report
from deploy.lab.experiment import NAIVE, Experiment
from deploy.lab.ladder import costs, tally
from deploy.lab.ladder.events import AT_REST, PREFIX, Year
from deploy.lab.series import Options, Outcome, Series
from deploy.lab.subject import Subject
from deploy.lab.trial import Found

# What was not accepted is fetched from the carrier's list: a pass each minute, and a list that lags a little.
_FETCHED_SECONDS: Final = 100.0
_COST_NUMBERS: Final = 3_000_000

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One trial, as it is kept. `tally` is None where it could not be tried here; `not_here` says why."""

    tier: str
    event: str
    seed: int
    commit: str
    date: str
    load: float
    tally: tally.Tally | None
    cost: dict[str, Any] | None = None
    not_here: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**vars(self), "tally": self.tally and self.tally.plain()}


class Notebook:
    """The records on disk."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.records: list[Record] = read(place)

    def add(self, record: Record) -> None:
        """Keep it, in the place of an older one of the same trial."""
        same = (record.tier, record.event, record.seed)
        self.records = [one for one in self.records if (one.tier, one.event, one.seed) != same] + [record]
        self._place.parent.mkdir(parents=True, exist_ok=True)
        new = self._place.with_suffix(".new")
        new.write_text(written(self.records))
        new.replace(self._place)


class Climb(Series):
    """A series whose trials are counted."""

    def __init__(self, options: Options, *, notebook: Notebook) -> None:
        super().__init__(options)
        self._notebook = notebook

    def _keep(self, found: Found, system: Subject) -> None:
        super()._keep(found, system)
        taken = _taken_in_the_end(found, system)
        assert found.judgement is not None
        assert found.books is not None
        counted = tally.counted(
            promises=found.promises,
            judgement=found.judgement,
            taken=taken,
            band=found.bands[0] if found.bands else None,
            freshness_seconds=found.books.freshness_seconds,
        )
        event = found.experiment.name.removeprefix(PREFIX)
        cost = None
        if event == AT_REST:
            self._progress.tell("what it costs while nothing happens", 45)
            cost = costs.measured(system, seed=found.seed, numbers=load.people(first=_COST_NUMBERS)).plain()
        self._note(event, counted, cost)

    def run(self, experiments: Sequence[Experiment]) -> Outcome:
        """As a series does; what a tier has nothing of to strike is noted as such."""
        outcome = super().run(experiments)
        for name, words in outcome.not_here.items():
            self._note(name.removeprefix(PREFIX), None, None, not_here=words)
        return outcome

    def _note(
        self, event: str, counted: tally.Tally | None, cost: dict[str, Any] | None, *, not_here: str = ""
    ) -> None:
        record = Record(
            tier=self._options.tier, event=event, seed=self._options.seed, commit=report.commit(),
            date=time.strftime("%Y-%m-%d", time.gmtime()), load=round(os.getloadavg()[0], 1), tally=counted, cost=cost,
            not_here=not_here,
        )  # fmt: skip
        self._notebook.add(record)


def climb(
    *,
    year: Year,
    tiers: Sequence[str],
    names: Sequence[str],
    trials: int,
    options: Options,
    notebook: Notebook,
    say: Say,
) -> int:
    """Try these events on these tiers, `trials` times each with the seeds from the options' on.

    What was done at this commit is not done again. Returns how many trials could not be made.
    """
    wanted = [one for one in year.experiments() if one.name.removeprefix(PREFIX) in names]
    failed, commit = 0, report.commit()
    for tier in tiers:
        for seed in range(options.seed, options.seed + trials):
            done = {one.event for one in notebook.records if (one.tier, one.seed, one.commit) == (tier, seed, commit)}
            waiting = [one for one in wanted if one.name.removeprefix(PREFIX) not in done]
            say(f"{tier}, seed {seed}: {len(waiting)} of {len(wanted)} trials to do")
            outcome = Climb(replace(options, tier=tier, seed=seed), notebook=notebook).run(waiting)
            failed += len(outcome.not_tried)
    return failed


def read(place: Path) -> list[Record]:
    """The records of a file; none where there is none."""
    try:
        found = json.loads(place.read_text())
    except FileNotFoundError:
        return []
    return [Record(**{**one, "tally": one["tally"] and tally.parsed(one["tally"])}) for one in found]


def written(records: Sequence[Record]) -> str:
    """One record a line, in order."""
    ordered = sorted(records, key=lambda one: (one.tier, one.event, one.seed))
    return "[\n" + ",\n".join(json.dumps(one.plain()) for one in ordered) + "\n]\n"


def _taken_in_the_end(found: Found, system: Subject) -> set[str]:
    """The message ids that the service has, once what was not accepted had its time to be fetched."""
    assert found.books is not None
    missing = [one for one in found.promises if one.answer != load.ACCEPTED and one.sid]
    taken = set(found.books.ours.messages)
    until = time.monotonic() + (_FETCHED_SECONDS if found.tier != NAIVE else 0.0)
    while any(one.sid not in taken for one in missing) and time.monotonic() < until:
        time.sleep(2.0)
        numbers = sorted({one.number for one in missing})
        taken |= {sid for sid, _ in system.rows(books.MESSAGES, [numbers])}
    return taken
