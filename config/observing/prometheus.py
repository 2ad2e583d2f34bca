"""What Prometheus finds, as Alertmanager holds it; and who is listened to: Prometheus while it looks, else the watch.

Prometheus evaluates the rules that are generated from the same data as what the watch evaluates, on what the watch and
the other processes show. It says by an alert that always fires (a dead man's switch) that it still looks: once
Alertmanager has not heard that for a while, or does not answer, nothing that Prometheus says is worth anything.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from config.observing.alerting import Firing, Looks, merged
from config.observing.slos import ECHO, LOOKS, LookedFor

PROMETHEUS, WATCH = "prometheus", "watch"
SECONDS_MAX: Final = 1.0
BYTES_MAX: Final = 4 << 20
SILENT_SECONDS: Final = 25.0
AGREE_SECONDS: Final = 120.0
_PATH: Final = "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true"
_BY_HAND: Final = "a silence in Alertmanager"

Found = Sequence[Mapping[str, Any]]


def ask(url: str) -> Found | None:
    """Every alert that Alertmanager holds; None where it does not answer. Never raises."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=SECONDS_MAX)
    try:
        connection.request("GET", parts.path.rstrip("/") + _PATH)
        answer = connection.getresponse()
        found = json.loads(answer.read(BYTES_MAX)) if answer.status == 200 else None
        return found if isinstance(found, list) else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def fires(found: Found | None, *, looked_for: LookedFor, looks: Looks, now: datetime, at: float) -> list[Firing] | None:
    """What fires by what Alertmanager holds; None where Prometheus does not look. `at`: the looker's clock at `now`."""
    try:
        return _fires(found or (), looked_for, looks, now, at)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # another version's answer: nothing that could be relied on


def _fires(found: Found, looked_for: LookedFor, looks: Looks, now: datetime, at: float) -> list[Firing] | None:
    beats = [one for one in found if one["labels"]["alertname"] == LOOKS]
    if not any((now - _instant(one["updatedAt"])).total_seconds() <= SILENT_SECONDS for one in beats):
        return None
    names = {one["fingerprint"]: one["labels"].get("cause", one["labels"]["alertname"]) for one in found}
    shown = {alert.name: (alert.metric, alert.label) for alert in looked_for.alerts}
    firing = []
    for one in (one for one in found if one["labels"]["alertname"] not in (LOOKS, ECHO)):
        labels, name = one["labels"], one["labels"]["alertname"]
        metric, label = shown.get(name, ("", ""))
        firing.append(
            Firing(
                name=name,
                severity=labels["severity"],
                promise=labels["promise"],
                slo="" if labels["slo"] == "none" else labels["slo"],
                says=one["annotations"]["summary"],
                since=at - (now - _instant(one["startsAt"])).total_seconds(),
                silenced_by=_silenced(one["status"], names),
                value=looks.get(metric, {}).get(label),
            )
        )
    return merged(firing)


def _silenced(status: Mapping[str, Any], names: Mapping[str, str]) -> str:
    causes = [names[one] for one in status["inhibitedBy"] if one in names]
    if causes or status["inhibitedBy"]:
        return min(causes, default="another alert")
    return _BY_HAND if status["silencedBy"] else ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass
class Listening:
    """Who is listened to. The watch takes over at once; Prometheus only when both say the same, or after a while:
    it is some seconds later with everything, and a page that ends and begins again would be a second one.
    """

    by: str = WATCH
    _since: float | None = field(default=None)

    def choose(self, *, own: list[Firing], theirs: list[Firing] | None, at: float) -> list[Firing]:
        """What fires, of what the watch found by itself and what Prometheus did (None: it does not look)."""
        if theirs is None:
            self.by, self._since = WATCH, None
            return own
        self._since = at if self._since is None else self._since
        if _loud(own) == _loud(theirs) or at - self._since >= AGREE_SECONDS:
            self.by = PROMETHEUS
        return theirs if self.by == PROMETHEUS else own


def _loud(several: Sequence[Firing]) -> set[str]:
    return {one.name for one in several if not one.silenced_by}
