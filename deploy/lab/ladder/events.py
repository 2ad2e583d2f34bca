"""The events of a year, as the file beside this one has them, and the experiment that each is tried by."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from deploy.lab.experiment import Abort, Experiment, Load, Planned
from deploy.local import tiers

FILE: Final = Path(__file__).resolve().with_name("events.toml")
AT_REST: Final = "nothing"  # the trial without an event: what a tier costs is measured after it
PREFIX: Final = "nines-"  # of an experiment's name
_AT_SECONDS: Final = 12.0  # into the load: by then people wait for reminders that they have texted
_TAIL_SECONDS: Final = 12.0  # of load after an event that lasts


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens `per_year` times; where it lasts, `seconds` in the lab and `lasts_seconds` in earnest."""

    name: str
    title: str
    fault: str
    per_year: float
    seconds: float = 0.0
    lasts_seconds: float = 0.0
    target: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def longer_seconds(self) -> float:
        """By how much it lasts longer in earnest than in the lab."""
        return max(0.0, self.lasts_seconds - self.seconds)


@dataclass(frozen=True, kw_only=True)
class Year:
    """What a year is taken to bring. `lead_seconds`: from a reminder's text to its due time, in earnest."""

    lead_seconds: float
    load: Load
    events: tuple[Event, ...]

    def experiments(self) -> list[Experiment]:
        """The trial at rest, then one of each event, on every tier."""
        return [_experiment(self, None), *(_experiment(self, event) for event in self.events)]


def read(place: Path = FILE) -> Year:
    """The file. Raises ValueError where an event cannot be priced."""
    found = tomllib.loads(place.read_text())
    load: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in found["load"].items()
    }
    year = Year(
        lead_seconds=float(found["lead_seconds"]),
        load=Load(**load),
        events=tuple(Event(**one) for one in found["events"]),
    )
    for event in year.events:
        if event.per_year <= 0 or bool(event.seconds) != bool(event.lasts_seconds):
            raise ValueError(f"{event.name}: per_year is above 0, and `seconds` and `lasts_seconds` stand together")
    return year


def _experiment(year: Year, event: Event | None) -> Experiment:
    fault = event and Planned(
        name=event.fault, target=event.target, at=_AT_SECONDS, seconds=event.seconds, options=event.options
    )
    seconds = max(year.load.seconds, fault.ends + _TAIL_SECONDS if fault else 0.0)
    # Some who texted before an event that lasts must be due shortly before its end, to see whether they still ring.
    latest = max(year.load.due_in[1], round(_AT_SECONDS + event.seconds) if event and event.seconds else 0)
    return Experiment(
        name=PREFIX + (event.name if event else AT_REST),
        title=event.title if event else "Nothing happens",
        claim="What this event spoils on this tier is counted; nothing is claimed of it.",
        promises=("P1", "P2", "P3", "P4", "P5"),
        tiers=tuple(tiers.names()),
        load=replace(year.load, seconds=seconds, due_in=(year.load.due_in[0], latest)),
        faults=(fault,) if fault else (),
        expect={},
        abort=Abort(refused_in_a_row=1_000_000, unready_seconds=1_000_000.0),
    )
