"""Which alerts fire: conditions over time, with the page of a cause silencing those of its symptoms. Pure.

Evaluates the same data as the generated Prometheus rules, for machines without Prometheus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from config.observing.slos import PAGE, SEVERITIES, WATCH_ABSENT, Alert, Burn, LookedFor

Looks = Mapping[str, Mapping[str, float]]
"""The gauges of one look: metric → label's value (empty where it has none) → value."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What an objective spent of its budget over one window: how fast (1: all of it in its own time), by how many."""

    rate: float
    bad: int


Burns = Mapping[str, Mapping[int, Spent]]
"""By objective and by window in seconds; nothing where there was no event."""


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


class Evaluator:
    """Remembers since when each condition holds, and when each alert fired last."""

    def __init__(self, looked_for: LookedFor) -> None:
        self._looked_for = looked_for
        self._since: dict[str, float] = {}
        self._held: dict[str, float] = {}
        self._fired: dict[str, float] = {}
        self._causes = {alert.name: looked_for.causes(alert.name) for alert in looked_for.alerts}
        self._burn_causes = {slo.name: looked_for.burn_causes(slo.name) for slo in looked_for.slos}

    def look(self, *, looks: Looks, burns: Burns, at: float) -> list[Firing]:
        """What fires at `at`, on the looker's clock."""
        symptoms = self._symptoms(looks, at)
        self._fired |= {one.name: at for one, _ in symptoms}
        several = [*symptoms, *self._burning(burns, at)]
        return merged([replace(one, silenced_by=self._cause(one, echo, at)) for one, echo in several])

    def remembers(self, *, at: float) -> dict[str, float]:
        """How many seconds ago each symptom fired last, for as long as that silences anything."""
        longest = max(self._looked_for.echoes(), default=0)
        return {name: at - fired for name, fired in self._fired.items() if at - fired <= longest}

    def recall(self, *, fired: Mapping[str, float], firing: Mapping[str, float], at: float) -> None:
        """Go on where another evaluator stopped: what it remembered, and since when what fires does, in seconds ago."""
        self._fired = {name: at - ago for name, ago in fired.items()} | self._fired
        keys = {alert.name: [alert.name] for alert in self._looked_for.alerts}
        for slo in self._looked_for.slos:
            for burn in self._looked_for.burns:
                keys.setdefault(burn_name(slo.name, burn.severity), []).append(_burn_key(slo.name, burn))
        since = {key: at - ago for name, ago in firing.items() for key in keys.get(name, ())}
        self._since = since | self._since
        self._held = dict.fromkeys(firing, at) | self._held

    def _symptoms(self, looks: Looks, at: float) -> list[tuple[Firing, float]]:
        found = []
        for alert in self._looked_for.alerts:
            values = looks.get(alert.metric, {})
            holds = alert.holds(values) or self._is_kept(alert.name, at)
            if self._stays(alert.name, holds, alert.for_seconds, at):
                if alert.holds(values):
                    self._held[alert.name] = at
                found.append((_firing(alert, self._since[alert.name], values), alert.echo_seconds))
        return found

    def _is_kept(self, name: str, at: float) -> bool:
        """Whether it fired with its condition until a moment ago."""
        return at - self._held.get(name, float("-inf")) <= self._looked_for.keep_seconds

    def _burning(self, burns: Burns, at: float) -> list[tuple[Firing, float]]:
        found = []
        for slo in self._looked_for.slos:
            for burn in self._looked_for.burns:
                key = _burn_key(slo.name, burn)
                if self._stays(key, _burns(burn, burns.get(slo.name, {})), burn.for_seconds, at):
                    one = Firing(
                        name=burn_name(slo.name, burn.severity), severity=burn.severity, promise=slo.promise,
                        slo=slo.name, says=f"{slo.title}: the error budget is spent too fast.",
                        since=self._since[key], silenced_by="", value=None,
                    )  # fmt: skip
                    found.append((one, burn.echo_seconds))
        return found

    def _stays(self, name: str, holds: bool, for_seconds: float, at: float) -> bool:
        if not holds:
            self._since.pop(name, None)
            return False
        return at - self._since.setdefault(name, at) >= for_seconds

    def _cause(self, one: Firing, echo_seconds: float, at: float) -> str:
        causes = self._causes[one.name] if one.name in self._causes else self._burn_causes[one.slo]
        for name in causes:
            if at - self._fired.get(name, float("-inf")) <= echo_seconds:
                return name
        return ""


def merged(several: Sequence[Firing]) -> list[Firing]:
    """One for each name: an objective burns in several windows, and one that nothing silences is enough for a page."""
    found: dict[str, Firing] = {}
    for one in several:
        before = found.setdefault(one.name, one)
        if before.silenced_by and not one.silenced_by:
            found[one.name] = one
    return list(found.values())


def burn_name(slo: str, severity: str) -> str:
    """The name of an objective's burn-rate alert: FreshnessBudgetBurnsFast, or …Slowly for a ticket."""
    words = "".join(word.capitalize() for word in slo.split("-"))
    return f"{words}BudgetBurns{'Fast' if severity == PAGE else 'Slowly'}"


def known_names(looked_for: LookedFor) -> list[str]:
    """The name of every alert that can fire."""
    burning = [burn_name(slo.name, severity) for slo in looked_for.slos for severity in SEVERITIES]
    return [WATCH_ABSENT, *(alert.name for alert in looked_for.alerts), *burning]


def _burn_key(slo: str, burn: Burn) -> str:
    return f"{slo} over {burn.long_seconds}"


def _burns(burn: Burn, spent: Mapping[int, Spent]) -> bool:
    long, short = spent.get(burn.long_seconds), spent.get(burn.short_seconds)
    if long is None or short is None:
        return False
    return min(long.rate, short.rate) > burn.factor and long.bad >= burn.events_floor


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
