"""Reads the YAML files of this folder into the types that the watch uses, and refuses what cannot be meant."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from config.observing.gauges import GAUGES
from config.observing.slos import PAGE, SEVERITIES, Alert, Burn, LookedFor, Slo

PLACE: Final = Path(__file__).parent
ECHO_SECONDS: Final = 75.0  # most symptoms look back over a minute
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}
_METRIC: Final = re.compile(r"(?P<name>\w+)(\{(?P<label>\w+)\})?")


class WrongData(Exception):
    """A file of deploy/slo says what cannot be; the message names it."""


def read(place: Path = PLACE) -> LookedFor:
    """Every objective and alert of a folder. Raises WrongData."""
    slos = tuple(_slo(yaml.safe_load(file.read_text())) for file in sorted(place.glob("*.yaml")) if _is_slo(file))
    found = yaml.safe_load((place / "alerts.yaml").read_text())
    alerts = tuple(_alert(one) for one in found["alerts"])
    names = {alert.name for alert in alerts}
    pages = {alert.name for alert in alerts if alert.severity == PAGE}
    for alert in alerts:
        if missing := set(alert.silenced_by) - names:
            raise WrongData(f"{alert.name} is silenced by {min(missing)}, which is no alert.")
        if alert.severity == PAGE and (tickets := set(alert.silenced_by) - pages):
            raise WrongData(f"{alert.name} pages, and is silenced by {min(tickets)}, of which nobody is woken.")
        if alert.slo and alert.slo not in {slo.name for slo in slos}:
            raise WrongData(f"{alert.name} spends the budget of {alert.slo}, which is no objective.")
    if len(names) != len(alerts):
        raise WrongData("Two alerts have one name.")
    burns = tuple(_burn(one) for one in found["burns"])
    whole = LookedFor(slos=slos, alerts=alerts, burns=burns, keep_seconds=float(found["keep_seconds"]))
    for name in names:
        if name in whole.causes(name):
            raise WrongData(f"{name} is a cause of itself, so that nobody would be told of either.")
    return whole


def seconds(text: str) -> int:
    """`5m`, `6h`, `3d` in seconds."""
    return int(text[:-1]) * _UNITS[text[-1]]


def _is_slo(file: Path) -> bool:
    return file.name != "alerts.yaml"


def _slo(found: dict[str, Any]) -> Slo:
    name, spec = found["metadata"]["name"], found["spec"]
    ratio = spec["indicator"]["spec"]["ratioMetric"]
    for part, series in (("good", "ringback_sli_good_total"), ("total", "ringback_sli_events_total")):
        if ratio[part]["metricSource"]["spec"]["query"] != f'{series}{{slo="{name}"}}':
            raise WrongData(f"{name}: its {part} must be {series} of its own name, as the watch counts it.")
    (objective,) = spec["objectives"]
    (window,) = spec["timeWindow"]
    about = found["metadata"]["annotations"]
    return Slo(
        name=name,
        title=found["metadata"]["displayName"],
        promise=about["ringback/promise"],
        target=float(objective["target"]),
        days=seconds(window["duration"]) // 86400,
        public=about["ringback/public"] == "true",
        good=spec["description"].removeprefix("Good is that ").rstrip("."),
    )


def _alert(found: dict[str, Any]) -> Alert:
    name = found["name"]
    metric = _METRIC.fullmatch(found["metric"])
    if metric is None or metric["name"] not in GAUGES:
        raise WrongData(f"{name} looks at {found['metric']}, which the watch does not show.")
    if bool(metric["label"]) != bool(GAUGES[metric["name"]][1]):
        raise WrongData(f"{name}: {metric['name']} is looked at by its label, as name{{value}}, where it has one.")
    if ("above" in found) == ("below" in found) or found["severity"] not in SEVERITIES:
        raise WrongData(f"{name} needs one bound, above or below, and a severity: page or ticket.")
    return Alert(
        name=name,
        severity=found["severity"],
        promise=found["promise"],
        slo=found["slo"],
        metric=metric["name"],
        label=metric["label"] or "",
        above=found.get("above"),
        below=found.get("below"),
        for_seconds=float(found["for_seconds"]),
        says=found["says"],
        silenced_by=tuple(found.get("silenced_by", ())),
        echo_seconds=float(found.get("echo_seconds", ECHO_SECONDS)),
    )


def _burn(found: dict[str, Any]) -> Burn:
    return Burn(
        severity=found["severity"],
        factor=float(found["factor"]),
        long_seconds=seconds(found["long"]),
        short_seconds=seconds(found["short"]),
        for_seconds=float(found["for_seconds"]),
        echo_seconds=float(seconds(found["echo"])),
        events_floor=int(found["floor"]),
    )
