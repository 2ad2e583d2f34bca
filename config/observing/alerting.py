"""Which alerts fire: conditions over time, with the page of a cause silencing those of its symptoms. Pure.

Evaluates the same data as the generated Prometheus rules, for machines without Prometheus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from config.observing.slos import PAGE, SEVERITIES, WATCH_ABSENT, Alert, Burn, LookedFor

Looks = Mapping[str, Mapping[str, float]]
"""The gauges of one look: metric → label's value (empty where it has none) → value."""


@dataclass(frozen=True, kw_only=True)
class Firing:
    """An alert that fires: since when (seconds on the looker's clock), and what silences it, if something does."""

    name: str
    severity: str
    promise: str
    slo: str
    says: str
    since: float
    silenced_by: str
    value: float | None


ECHO_SECONDS: Final = 75.0
"""How long an ended cause goes on to silence what began while it fired: symptoms look back over a minute."""


class Evaluator:
    """Remembers since when each condition holds, and when each alert fired last."""

    def __init__(self, looked_for: LookedFor) -> None:
        self._looked_for = looked_for
        self._since: dict[str, float] = {}
        self._fired: dict[str, float] = {}

    def look(self, *, looks: Looks, burns: Mapping[str, Mapping[int, float | None]], at: float) -> list[Firing]:
        """What fires at `at`. `burns`: each objective's burn rate by window in seconds; None where too few events."""
        firing = [*self._symptoms(looks, at), *self._burning(burns, at)]
        self._fired |= {one.name: at for one in firing}
        return [replace(one, silenced_by=self._cause(one, at)) for one in firing]

    def _symptoms(self, looks: Looks, at: float) -> list[Firing]:
        found = []
        for alert in self._looked_for.alerts:
            values = looks.get(alert.metric, {})
            if self._stays(alert.name, alert.holds(values), alert.for_seconds, at):
                found.append(_firing(alert, self._since[alert.name], values))
        return found

    def _burning(self, burns: Mapping[str, Mapping[int, float | None]], at: float) -> list[Firing]:
        found = []
        for slo in self._looked_for.slos:
            for severity in SEVERITIES:
                name = burn_name(slo.name, severity)
                several = [one for one in self._looked_for.burns if one.severity == severity]
                holds = any(_burns(one, burns.get(slo.name, {})) for one in several)
                if self._stays(name, holds, min((one.for_seconds for one in several), default=0.0), at):
                    says = f"{slo.title}: the error budget is spent too fast."
                    found.append(
                        Firing(
                            name=name, severity=severity, promise=slo.promise, slo=slo.name, says=says,
                            since=self._since[name], silenced_by="", value=None,
                        )
                    )  # fmt: skip
        return found

    def _stays(self, name: str, holds: bool, for_seconds: float, at: float) -> bool:
        if not holds:
            self._since.pop(name, None)
            return False
        return at - self._since.setdefault(name, at) >= for_seconds

    def _cause(self, one: Firing, at: float) -> str:
        for name in self._silencers(one):
            fired_at = self._fired.get(name, float("-inf"))
            if name != one.name and (fired_at == at or (one.since <= fired_at and at - fired_at <= ECHO_SECONDS)):
                return name
        return ""

    def _silencers(self, one: Firing) -> Sequence[str]:
        for alert in self._looked_for.alerts:
            if alert.name == one.name:
                return alert.silenced_by
        return [alert.name for alert in self._looked_for.alerts if alert.slo == one.slo and alert.severity == PAGE]


def burn_name(slo: str, severity: str) -> str:
    """The name of an objective's burn-rate alert: FreshnessBudgetBurnsFast, or …Slowly for a ticket."""
    words = "".join(word.capitalize() for word in slo.split("-"))
    return f"{words}BudgetBurns{'Fast' if severity == PAGE else 'Slowly'}"


def known_names(looked_for: LookedFor) -> list[str]:
    """The name of every alert that can fire."""
    burning = [burn_name(slo.name, severity) for slo in looked_for.slos for severity in SEVERITIES]
    return [WATCH_ABSENT, *(alert.name for alert in looked_for.alerts), *burning]


def _burns(burn: Burn, rates: Mapping[int, float | None]) -> bool:
    both = [rates.get(burn.long_seconds), rates.get(burn.short_seconds)]
    return all(rate is not None and rate > burn.factor for rate in both)


def _firing(alert: Alert, since: float, values: Mapping[str, float]) -> Firing:
    return Firing(
        name=alert.name,
        severity=alert.severity,
        promise=alert.promise,
        slo=alert.slo,
        says=alert.says,
        since=since,
        silenced_by="",
        value=values.get(alert.label),
    )
