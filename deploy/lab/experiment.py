"""An experiment is a file: the claim, the load, the faults, what each tier is expected to show, when to stop.

`expect` bounds measures by name: `lost = 0` is exact, `lateness_max_seconds_max = 20` an upper bound,
`refused_min = 1` a lower one, and `some = ["lost", "twice"]` asks that at least one of them is not zero: a rung
that is expected to lose must be seen to lose. `expect.default` is for every tier without a table of its own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

EXPERIMENTS: Final = Path(__file__).resolve().parent / "experiments"
RATE_MAX: Final = 200.0
NAIVE: Final = "naive"
# What every tier that claims anything must show in every experiment.
KEPT: Final[Mapping[str, Any]] = {
    "lost": 0, "twice": 0, "late": 0, "mischarged": 0, "unresolved": 0, "dead": 0, "audit_breaks": 0,
    "statements_differ": 0,
}  # fmt: skip


class WrongExperimentError(ValueError):
    """The file cannot be run; the text says why, and what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """People who text at their own times whatever the answers are. Seconds count from the load's start.

    `due_in`: how long after the text the reminder is due, from-to; `due_at`: all at that moment of the load
    instead. `via`: "carrier" (the phones' way) or "webhook" (signed requests straight to the web, for rates).
    `rings` false: due so far away that nothing rings, only what was accepted is counted. `flood` is the rate at
    which one more number texts from `flood_at` on, for `flood_seconds`.
    """

    per_second: float = 5.0
    seconds: float = 20.0
    due_in: tuple[int, int] = (4, 10)
    due_at: float | None = None
    via: str = "carrier"
    rings: bool = True
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    flood: float = 0.0
    flood_at: float = 5.0
    flood_seconds: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One fault to inject: `at` seconds into the load, healed `seconds` later; `times` with `every` repeats it."""

    name: str
    target: str = ""
    at: float = 5.0
    seconds: float = 0.0
    times: int = 1
    every: float = 5.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> float:
        """When the last of it is healed."""
        return self.at + self.every * (self.times - 1) + self.seconds


@dataclass(frozen=True, kw_only=True)
class Steady:
    """The steady state in business terms: that many people text, all are accepted, ring this soon, and answer."""

    people: int = 6
    due_in: int = 2
    lateness_max_seconds: float = 5.0
    within_seconds: float = 45.0  # how long it may take until it is so again once everything was undone


@dataclass(frozen=True, kw_only=True)
class Abort:
    """When to undo everything and stop: so many refused in a row, or not ready for so long."""

    refused_in_a_row: int = 200
    unready_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is claimed, and how it is tried."""

    name: str
    title: str
    claim: str
    promises: tuple[str, ...]
    tiers: tuple[str, ...]
    load: Load
    faults: tuple[Planned, ...]
    expect: Mapping[str, Mapping[str, Any]]
    steady: Steady = field(default_factory=Steady)
    abort: Abort = field(default_factory=Abort)
    quiet_seconds: float = 75.0
    not_tested: tuple[str, ...] = ()
    needs_root: bool = False
    links: bool = False  # the system is started with the fault proxy between every two processes
    settings: Mapping[str, str] = field(default_factory=dict)
    back_seconds: float = 0.0  # its faults are none of the catalogue: each puts the database back by so much
    again: str = ""  # the words behind `lab run` that repeat it, where its name is not enough

    @property
    def seconds(self) -> float:
        """How long load and faults take."""
        flood = self.load.flood_at + self.load.flood_seconds if self.load.flood else 0.0
        return max([self.load.seconds, flood, *(fault.ends for fault in self.faults)])

    def expected(self, tier: str) -> dict[str, Any]:
        """What this tier must show."""
        wanted = self.expect.get(tier, self.expect.get("default", {}) if tier != NAIVE else {})
        return dict(wanted) if tier == NAIVE else {**KEPT, **wanted}

    def with_faults(self, faults: tuple[Planned, ...]) -> "Experiment":
        """The same with other faults."""
        return replace(self, faults=faults)


def names() -> list[str]:
    """The experiments that there are."""
    return sorted(place.stem for place in EXPERIMENTS.glob("*.toml"))


def read(name: str) -> Experiment:
    """The experiment of that name, or of a file of one's own (`mine/try.toml`). Raises WrongExperimentError."""
    place = Path(name) if name.endswith(".toml") else EXPERIMENTS / f"{name}.toml"
    if not place.is_file():
        raise WrongExperimentError(f"There is no experiment {name!r}; there are {', '.join(names())}.")
    try:
        found = parsed(place.stem, tomllib.loads(place.read_text()))
        return replace(found, again=name) if name.endswith(".toml") else found
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise WrongExperimentError(f"{place}: {wrong}") from None


def parsed(name: str, found: Mapping[str, Any]) -> Experiment:
    """The experiment that a file's table describes. Raises WrongExperimentError, KeyError or TypeError."""
    tables = {"load": Load, "steady": Steady, "abort": Abort}
    made: dict[str, Any] = {key: kind(**_tuples(found.get(key, {}))) for key, kind in tables.items()}
    made["faults"] = tuple(Planned(**one) for one in found.get("faults", ()))
    plain = {key: value for key, value in _tuples(found).items() if key not in (*tables, "faults")}
    experiment = Experiment(name=name, **{"tiers": ("durable",), "expect": {}, **plain, **made})
    _refuse_unbounded(experiment)
    return experiment


def _tuples(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}


def _refuse_unbounded(experiment: Experiment) -> None:
    if not 0 < experiment.load.per_second <= RATE_MAX:
        raise WrongExperimentError(f"load.per_second must be above 0, at most {RATE_MAX:g}")
    if experiment.load.via not in ("carrier", "webhook"):
        raise WrongExperimentError('load.via must be "carrier" or "webhook"')
    if not experiment.claim or not experiment.promises:
        raise WrongExperimentError("an experiment states its claim and the promises that it is about")


def judged(measures: Mapping[str, float], expected: Mapping[str, Any]) -> list[str]:
    """What is not as expected, in words; empty where everything is."""
    wrong = []
    for name, wanted in expected.items():
        if name == "some":
            if not any(measures.get(one, 0) for one in wanted):
                wrong.append(f"none of {', '.join(wanted)}: this tier was expected to show at least one")
            continue
        measure, sign = (name[:-4], name[-4:]) if name.endswith(("_max", "_min")) else (name, "")
        if measure not in measures:
            wrong.append(f"{measure} was not measured")
        elif not _holds(measures[measure], sign, wanted):
            words = {"_max": "at most ", "_min": "at least "}.get(sign, "")
            wrong.append(f"{measure} is {measures[measure]:g}, expected {words}{wanted:g}")
    return wrong


def _holds(found: float, sign: str, wanted: float) -> bool:
    if sign == "_max":
        return found <= wanted
    return found >= wanted if sign == "_min" else found == wanted
