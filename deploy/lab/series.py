"""Runs experiments one after the other: on systems of its own, or on one that runs already; keeps the reports."""

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.lab import load, page, report, subject
from deploy.lab.breaking import Catalogue
from deploy.lab.experiment import Experiment
from deploy.lab.restorer import Restorer
from deploy.lab.subject import Subject
from deploy.lab.trial import Found, NotHere, NotInjected, NotSteady, Trial

_FIRST_NUMBER: Final = 2_000_000
_BLOCK: Final = 10_000  # numbers between two series on a system that keeps its data
_SAID_EVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where trials run and where their reports go. `home` names a system that runs; without it one is started."""

    tier: str
    seed: int
    port: int
    reports: Path
    home: Path | None = None


@dataclass(kw_only=True)
class Outcome:
    """What became of a series, by the names of the experiments."""

    as_expected: list[str] = field(default_factory=list)
    not_as_expected: list[str] = field(default_factory=list)
    not_here: dict[str, str] = field(default_factory=dict)
    not_tried: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """0: all as expected; 1: some are not; 2: some could not be tried although they should."""
        if self.not_as_expected:
            return 1
        return 2 if self.not_tried else 0


class Series:
    """A run of experiments; systems are shared by neighbours that need the same one, as long as they behave."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._progress = Progress()
        self.outcome = Outcome()
        self.last: dict[str, Any] | None = None

    def run(self, experiments: Sequence[Experiment]) -> Outcome:
        """All of them; what cannot be tried here is said with its reason."""
        waiting = [one for one in experiments if self._is_for_this_tier(one)]
        # Neighbours share a system: those that want the same settings stand together.
        waiting.sort(key=lambda one: (one.links, sorted(one.settings.items())))
        while waiting:
            try:
                with self._system(waiting[0]) as system:
                    waiting = self._on(system, waiting)
            except subject.DidNotStartError as problem:
                self.outcome.not_tried[waiting[0].name] = str(problem)
                self._progress.say(f"✗ {waiting[0].name}: {problem}")
                waiting = waiting[1:]
        return self.outcome

    def _on(self, system: Subject, waiting: list[Experiment]) -> list[Experiment]:
        """Run what this system suits; what is left. A system that disappointed is not used again."""
        first = waiting[0]
        start = _FIRST_NUMBER if self._options.home is None else _FIRST_NUMBER + int(time.time()) % 700 * _BLOCK
        numbers = load.people(first=start)
        while waiting and (waiting[0].links, waiting[0].settings) == (first.links, first.settings):
            wanted, waiting = waiting[0], waiting[1:]
            if not self._try(wanted, system, numbers):
                break
        return waiting

    def _try(self, wanted: Experiment, system: Subject, numbers: load.Numbers) -> bool:
        """One trial; whether the system may be used again."""
        options = self._options
        try:
            back = wanted.back_seconds
            breaker = Restorer(system, back_seconds=back) if back else Catalogue(system)
            found = Trial(
                wanted=wanted, subject=system, breaker=breaker, seed=options.seed, numbers=numbers,
                tell=lambda words, seconds: self._progress.tell(f"{wanted.name}: {words}", seconds),
            ).run()  # fmt: skip
        except NotHere as missing:
            self.outcome.not_here[wanted.name] = str(missing)
            self._progress.say(f"– {wanted.name}: not here: {missing}")
            return True
        except (NotSteady, NotInjected, OSError) as problem:
            self.outcome.not_tried[wanted.name] = str(problem)
            before = "the system was not steady before: " if isinstance(problem, NotSteady) else ""
            self._progress.say(f"✗ {wanted.name}: not tried, {before}{problem}")
            return False
        self._keep(found, system)
        return found.is_as_expected

    def _keep(self, found: Found, system: Subject) -> None:
        name, tier = found.experiment.name, found.tier
        again = found.experiment.again or name
        command = f"./manage.py lab run {again} --tier {shlex.quote(tier)} --seed {found.seed}"
        self.last = report.made(found, system, command=command)
        place = report.write(self.last, directory=self._options.reports)
        place.with_suffix(".html").write_text(page.page(self.last))
        load.write(place.with_suffix(".promises.jsonl"), found.promises)
        write_index(self._options.reports)
        self._say(found, place.with_suffix(".html"))
        listed = self.outcome.as_expected if found.is_as_expected else self.outcome.not_as_expected
        listed.append(name)

    def _say(self, found: Found, place: Path) -> None:
        measures = found.measures
        four = ", ".join(f"{measures[kind]:g} {kind}" for kind in page.HEADLINE)
        late = f"worst {measures['lateness_max_seconds']:.1f} s late, " if "lateness_max_seconds" in measures else ""
        mark = "✓ as expected" if found.is_as_expected else "✗ NOT as expected"
        counted = f"{measures['accepted']:g} of {measures['texted']:g} accepted"
        seconds = found.ended_at - found.started_at
        self._progress.say(f"{mark}: {found.experiment.name} on {found.tier}: {counted}, {four}, {late}{seconds:.0f} s")
        for one in found.wrong:
            self._progress.say(f"    {one}")
        self._progress.say(f"    {place}")

    @contextlib.contextmanager
    def _system(self, wanted: Experiment) -> Iterator[Subject]:
        if self._options.home is not None:
            yield subject.attached(home=self._options.home)
            return
        self._progress.tell(f"starting a system of tier {self._options.tier}", subject.START_SECONDS)
        settings = {**wanted.settings, **({"RINGBACK_LAB": "1"} if wanted.links else {})}
        with subject.running(tier=self._options.tier, port=self._options.port, settings=settings) as system:
            yield system

    def _is_for_this_tier(self, wanted: Experiment) -> bool:
        if self._options.tier in wanted.tiers:
            return True
        self.outcome.not_here[wanted.name] = f"made for {', '.join(wanted.tiers)}"
        self._progress.say(f"– {wanted.name}: made for {', '.join(wanted.tiers)}, not for {self._options.tier}")
        return False


def write_index(directory: Path) -> Path:
    """The page that lists every report there."""
    place = directory / "index.html"
    place.write_text(page.index(report.read_all(directory)))
    return place


class Progress:
    """One line that says what is going on and how long it will take; at a terminal it is written over."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._said_at = 0.0
        self._width = 0

    def tell(self, words: str, seconds: float) -> None:
        """What goes on; `seconds` are left of it at most."""
        line = f"  {words}, {max(0.0, seconds):.0f} s left at most"
        if self._is_terminal:
            print(f"\r{line:<{self._width}}", end="", flush=True)
            self._width = len(line)
        elif time.monotonic() - self._said_at > _SAID_EVERY_SECONDS:
            self._said_at = time.monotonic()
            print(line, flush=True)

    def say(self, words: str) -> None:
        """A line that stays."""
        if self._is_terminal and self._width:
            print(f"\r{'':<{self._width}}\r", end="")
            self._width = 0
        print(words, flush=True)
