"""Objectives and alerts as data: what is generated is up to date, and Prometheus' own tools agree with it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from config.observing.gauges import COUNTERS, GAUGES
from config.observing.slos import looked_for
from deploy.slo.__main__ import drifted
from deploy.slo.reading import PLACE, WrongData, read

REPOSITORY = Path(__file__).resolve().parents[3]
RULES = REPOSITORY / "deploy/prometheus/rules/ringback.yml"
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is missing: install Debian's prometheus"
)
needs_amtool = pytest.mark.skipif(
    not shutil.which("amtool"), reason="amtool is missing: install Debian's prometheus-alertmanager"
)


def test_what_is_generated_is_up_to_date() -> None:
    assert drifted() == [], "run: .venv/bin/python -m deploy.slo"


def test_the_watch_reads_what_was_written() -> None:
    assert looked_for() == read()


def test_every_symptom_looks_at_something_that_the_watch_shows() -> None:
    assert {alert.metric for alert in looked_for().alerts} <= set(GAUGES)


def test_every_promise_that_can_be_seen_has_an_alert() -> None:
    assert {alert.promise for alert in looked_for().alerts} == {"P1", "P2", "P3", "P5", "P6", "P7", "P8", "P9"}
    assert len(looked_for().alerts) >= 20


def test_every_expression_uses_names_that_exist() -> None:
    """What a rule names is a gauge or a counter of the watch, or was recorded by a rule."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    known = {*GAUGES, *(f"{name}_total" for name in COUNTERS), *(rule["record"] for rule in rules if "record" in rule)}
    used = {
        word
        for rule in rules
        for word in rule["expr"].replace("(", " ").replace(")", " ").replace("{", " ").replace("[", " ").split()
        if word.startswith("ringback")
    }
    assert used <= known


@needs_promtool
@pytest.mark.parametrize("file", ["rules/ringback.yml", "tests/symptoms.yml", "tests/burn-rates.yml"])
def test_promtool_agrees(file: str) -> None:
    words = ["check" if file.startswith("rules/") else "test", "rules", str(REPOSITORY / "deploy/prometheus" / file)]
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_amtool
def test_amtool_agrees() -> None:
    place = REPOSITORY / "deploy/alertmanager/alertmanager.yml"
    done = subprocess.run(["amtool", "check-config", place], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


CANNOT_BE_MEANT: list[tuple[dict[str, object], str]] = [
    ({"metric": "ringback_nothing"}, "does not show"),
    ({"metric": "ringback_instances_down"}, "by its label"),
    ({"silenced_by": ["Nobody"]}, "no alert"),
    ({"severity": "whisper"}, "severity"),
    ({"above": 1}, "one bound"),
    ({"slo": "elsewhere"}, "no objective"),
    ({"name": "BreaksOpen"}, "no alert"),
    ({"silenced_by": ["DoorbellsPile"]}, "nobody is woken"),
    ({"silenced_by": ["RemindersOverdue"]}, "cause of itself"),
]


def planted(tmp_path: Path, alert: str, **changed: object) -> Path:
    """The data with one alert changed; a value of None leaves the key out."""
    for file in PLACE.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    whole = yaml.safe_load((PLACE / "alerts.yaml").read_text())
    (found,) = [one for one in whole["alerts"] if one["name"] == alert]
    found.update(changed)
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(whole))
    return tmp_path


def test_it_refuses_two_alerts_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(WrongData, match="one name"):
        read(planted(tmp_path, "RowsUnplaced", name="MonthsMissing"))


@pytest.mark.parametrize(("changed", "says"), CANNOT_BE_MEANT)
def test_it_refuses_what_cannot_be_meant(tmp_path: Path, changed: dict[str, object], says: str) -> None:
    with pytest.raises(WrongData, match=says):
        read(planted(tmp_path, "RedisAway", **changed))
