"""What is looked for: the objectives and the alerts, as `deploy/slo` wrote them for this process. Data only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

PLACE: Final = Path(__file__).with_name("looked_for.json")
PAGE: Final = "page"  # wakes somebody
TICKET: Final = "ticket"  # waits for the morning
SEVERITIES: Final = (PAGE, TICKET)
WATCH_ABSENT: Final = "WatchAbsent"  # Prometheus says it, or whoever reads what the watch told
LOOKS: Final = "PrometheusLooks"  # fires as long as Prometheus looks at what the watch shows; nobody is told of it
LOOKS_LABELS: Final = {"severity": "none", "class": "heartbeat"}
ECHO: Final = "FiredLately"  # fires for each symptom that has fired lately: what silences, and is told to nobody
ECHO_LABELS: Final = {"severity": "none", "class": "echo"}
WATCH_ABSENT_SAYS: Final = "The watch itself is away, so nothing that it shows can fire."


@dataclass(frozen=True, kw_only=True)
class Slo:
    """One objective: `target` of its events are good over `days`; `promise` is the one that it measures."""

    name: str
    title: str
    promise: str
    target: float
    days: int
    public: bool
    good: str  # when an event is good, in words


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A symptom: a gauge of the watch that stays beyond a bound. Exactly one of `above` and `below` is given."""

    name: str
    severity: str  # of SEVERITIES
    promise: str
    slo: str  # whose budget it spends; empty where none
    metric: str
    label: str  # the value of the gauge's label that is looked at; empty where it has no label
    above: float | None
    below: float | None
    for_seconds: float
    says: str
    silenced_by: tuple[str, ...]  # causes that page for it
    echo_seconds: float  # for so long after a cause has ended it may still tell of it, and is silent

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether its condition holds for one look at its gauge, by label; nothing seen is not good and not bad."""
        value = values.get(self.label)
        if value is None:
            return False
        return value > self.above if self.above is not None else self.below is not None and value < self.below


@dataclass(frozen=True, kw_only=True)
class Burn:
    """A burn-rate alert of every objective: both windows burn faster than `factor`.

    Its short window holds the bad minutes of a symptom that has ended: `echo_seconds` is as long, and what it takes to
    count them.
    """

    severity: str
    factor: float
    long_seconds: int
    short_seconds: int
    for_seconds: float
    echo_seconds: float
    events_floor: int  # with fewer bad events in the long window it is silent


@dataclass(frozen=True, kw_only=True)
class LookedFor:
    """All of it."""

    slos: tuple[Slo, ...]
    alerts: tuple[Alert, ...]
    burns: tuple[Burn, ...]
    keep_seconds: float  # a symptom goes on to fire for so long after its condition: what flutters is one page

    def echoes(self) -> list[int]:
        """For how many seconds something that has ended silences anything: each length once, the shortest first."""
        several = [*(one.echo_seconds for one in self.alerts), *(one.echo_seconds for one in self.burns)]
        return sorted({int(seconds) for seconds in several})

    def causes(self, name: str) -> tuple[str, ...]:
        """What silences a symptom: its causes, and theirs, in the order of the data (the deepest first)."""
        direct = {alert.name: alert.silenced_by for alert in self.alerts}
        found, new = set[str](), {*direct[name]}
        while new:
            found |= new
            new = {cause for one in new for cause in direct[one]} - found
        return tuple(one for one in direct if one in found)

    def burn_causes(self, slo: str) -> tuple[str, ...]:
        """What silences a burn rate: the pages that spend this budget, and what they are silenced by."""
        pages = [alert.name for alert in self.alerts if alert.severity == PAGE]
        spend = {alert.name for alert in self.alerts if alert.slo == slo and alert.name in pages}
        spend |= {cause for one in spend for cause in self.causes(one)}
        return tuple(one for one in pages if one in spend)


@cache
def looked_for() -> LookedFor:
    """What the generated file says."""
    return parsed(json.loads(PLACE.read_text()))


def parsed(found: Mapping[str, Any]) -> LookedFor:
    """The data as it stands in the file. Raises TypeError for a key that is missing or unknown."""
    return LookedFor(
        slos=tuple(Slo(**one) for one in found["slos"]),
        alerts=tuple(Alert(**{**one, "silenced_by": tuple(one["silenced_by"])}) for one in found["alerts"]),
        burns=tuple(Burn(**one) for one in found["burns"]),
        keep_seconds=found["keep_seconds"],
    )
