"""The dashboards: what they ask is what the code shows, Prometheus can read it, and it comes to the right figures."""

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from config.observing.gauges import COUNTERS, GAUGES
from config.observing.slos import looked_for
from deploy.slo.grafana import PLACE
from deploy.slo.panels import OVER, boards
from deploy.slo.prometheus import rules
from reminders import metrics

REPOSITORY = Path(__file__).resolve().parents[3]
FILES = sorted((REPOSITORY / PLACE).glob("*.json"))
BY_PROMETHEUS = {"ALERTS": {"alertname", "alertstate", "class", "severity", "slo", "promise"}}
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is missing: install Debian's prometheus"
)


def panels(file: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(file.read_text())["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Every expression of every dashboard, as it stands in the files."""
    for file in FILES:
        for panel in panels(file):
            for target in panel["targets"]:
                yield target["expr"]


def shown() -> dict[str, set[str]]:
    """Every series that the code, the rules and Prometheus itself show, with its labels."""
    known = dict(BY_PROMETHEUS)
    assert metrics.INTAKE  # imported: it registers what follows
    for family in REGISTRY.collect():
        for sample in family.samples:
            known.setdefault(sample.name, set()).update(sample.labels)
    for name, (_, label) in GAUGES.items():
        known[name] = known.get(name, set()) | {label} - {""}
    for name, (_, label) in COUNTERS.items():
        known[f"{name}_total"] = {label}
    for group in rules(looked_for())["groups"]:
        known.update({rule["record"]: {"slo"} for rule in group["rules"] if "record" in rule})
    return known


def test_there_is_a_file_for_each_and_no_other() -> None:
    assert [file.stem for file in FILES] == sorted(board.name for board in boards(looked_for()))


def test_every_series_and_every_label_is_one_that_is_shown() -> None:
    known = shown()
    asked = 0
    for expr in expressions():
        names = re.findall(r"\b(?:ringback[a-z0-9_:]*|ALERTS)\b", expr)
        labels = {*re.findall(r"(\w+)=~?\"", expr), *re.findall(r"by \((\w+)\)", expr)}
        assert names
        for name in names:
            assert name in known, f"{name}: nothing shows it"
            assert labels <= known[name], f"{name} has no {labels - known[name]}"
        asked += len(names)
    assert asked > 40


def test_no_panel_lies_on_another_and_each_query_has_its_letter() -> None:
    for file in FILES:
        places: set[tuple[int, int]] = set()
        for panel in json.loads(file.read_text())["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & places
            assert max(x for x, _ in cells) < 24
            places |= cells
            letters = [target["refId"] for target in panel.get("targets", [])]
            assert letters == sorted(set(letters))
        ids = [panel["id"] for panel in json.loads(file.read_text())["panels"]]
        assert len(ids) == len(set(ids))


def test_what_an_alert_looks_at_shows_its_bound_and_its_runbook() -> None:
    (panel,) = [panel for file in FILES for panel in panels(file) if panel["title"] == "Age of the oldest due"]
    (alert,) = [alert for alert in looked_for().alerts if alert.metric == "ringback_oldest_due_seconds"]
    assert alert.above in [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert f"docs/runbooks/{alert.name}.md" in panel["description"]


def checked(tmp_path: Path, exprs: list[str]) -> "subprocess.CompletedProcess[str]":
    """What promtool says of these, each as a rule. The window that Grafana fills in is written out."""
    recorded = [{"record": f"asked:{place}", "expr": expr.replace(OVER, "5m")} for place, expr in enumerate(exprs)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": recorded}]}))
    words = ["promtool", "check", "rules", str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@needs_promtool
def test_promtool_reads_every_expression(tmp_path: Path) -> None:
    done = checked(tmp_path, list(expressions()))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_would_say_what_it_cannot_read(tmp_path: Path) -> None:
    assert checked(tmp_path, ["sum by (slo) (rate(ringback_sli_good_total))"]).returncode != 0


# One bad event in a thousand, for thirty days: of an objective of 99.9 % that is all of the budget, at a rate of 1.
COMES_TO = [
    ("Nines reached", '{slo="intake-availability"}', 3.0),
    ("Share of good events", '{slo="intake-availability"}', 0.999),
    ("Error budget left", "{}", 0.0),
]


@needs_promtool
def test_the_figures_are_what_was_planted(tmp_path: Path) -> None:
    (slo,) = [one for one in looked_for().slos if one.name == "intake-availability"]
    assert (slo.target, slo.days) == (0.999, 30)
    asked = {
        panel["title"]: next(
            target["expr"] for target in panel["targets"] if target["legendFormat"] in (slo.name, "{{slo}}")
        )
        for panel in panels(REPOSITORY / PLACE / "ringback-objectives.json")
        if panel["title"] in [title for title, _, _ in COMES_TO]
    }
    case = {
        "interval": "1h",
        "input_series": [
            {"series": f'ringback_sli_{part}_total{{slo="{slo.name}"}}', "values": f"0+{each}x800"}
            for part, each in (("events", 1000), ("good", 999))
        ],
        "promql_expr_test": [
            {
                "expr": f"round({asked[title]}, 0.001)",
                "eval_time": "750h",
                "exp_samples": [{"labels": labels, "value": value}],
            }
            for title, labels, value in COMES_TO
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "1h", "tests": [case]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_how_to_tells_a_prometheus_that_works(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/howto/look-with-grafana.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    told = yaml.safe_load(textwrap.dedent(block))
    told["rule_files"] = [str(REPOSITORY / name) for name in told["rule_files"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(told))
    words = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
