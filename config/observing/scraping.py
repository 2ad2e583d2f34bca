"""Reading the other processes' /metrics: which of them answer, and what their counters did since the last look."""

import concurrent.futures
import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

SECONDS_MAX: Final = 3.0  # one that is busy is late, not down
BYTES_MAX: Final = 4 << 20
TARGETS_MAX: Final = 64
LEVELS: Final = (
    "ringback_spool_files",
    "ringback_spool_oldest_seconds",
    "ringback_spend_breaker_open",
    "ringback_carrier_breaker_open",
)

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A series: its name and its labels, sorted."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One instance: its name (web-1), its kind (web), where its /metrics are."""

    name: str
    kind: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Scraped:
    """One round: who was asked, who did not answer, and by how much each counter of an instance rose."""

    targets: tuple[Target, ...]
    down: tuple[Target, ...]
    rose: Mapping[str, Mapping[Key, float]]
    levels: Mapping[str, float]  # of each gauge in LEVELS the highest that an instance showed

    def total(self, series: str, *, instances: Iterable[str] | None = None, **labels: str) -> float:
        """By how much a series rose over the instances; a label that is given must be so."""
        chosen = self.rose if instances is None else {name: self.rose.get(name, {}) for name in instances}
        return sum(
            rise
            for series_of in chosen.values()
            for (name, told), rise in series_of.items()
            if name == series and labels.items() <= dict(told).items()
        )


@dataclass
class Scraper:
    """Remembers each instance's counters, so that a round can say what rose. A restart begins anew from zero."""

    place: Path
    _seen: dict[str, dict[Key, float]] = field(default_factory=dict)

    def targets(self) -> list[Target]:
        """The instances that the supervisor lists; none where it lists none."""
        try:
            listed = json.loads(self.place.read_text())
        except (OSError, ValueError):
            return []
        return [
            Target(name=one["labels"]["instance"], kind=one["labels"]["process"], address=address)
            for one in listed[:TARGETS_MAX]
            for address in one["targets"]
        ]

    def scrape(self) -> Scraped:
        """Ask every instance at once; whoever does not answer within SECONDS_MAX counts as down."""
        targets = self.targets()
        rose: dict[str, dict[Key, float]] = {}
        levels: dict[str, float] = {}
        down = []
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(targets))) as pool:
            for target, text in zip(targets, pool.map(_read, targets), strict=True):
                if text is None:
                    down.append(target)
                else:
                    found = _samples(text)
                    rose[target.name] = self._rise(target.name, found)
                    for name in LEVELS:
                        shown = [value for (series, _), value in found.items() if series == name]
                        levels[name] = max([levels.get(name, 0.0), *shown])
        return Scraped(targets=tuple(targets), down=tuple(down), rose=rose, levels=levels)

    def _rise(self, name: str, now: dict[Key, float]) -> dict[Key, float]:
        before = self._seen.get(name)
        self._seen[name] = now
        if before is None:
            return {}
        return {
            key: value - before.get(key, 0.0) if value >= before.get(key, 0.0) else value for key, value in now.items()
        }


def _read(target: Target) -> str | None:
    host, _, port = target.address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS_MAX)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        return response.read(BYTES_MAX).decode() if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _samples(text: str) -> dict[Key, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        if family.type in ("counter", "histogram") or family.name in LEVELS:
            for sample in family.samples:
                if sample.name.startswith("ringback_") and not sample.name.endswith("_created"):
                    found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found
