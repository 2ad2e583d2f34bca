"""One page a cause: what the watch silences, and that Alertmanager is told to inhibit exactly the same."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.observing.alerting import Evaluator, Spent, burn_name
from config.observing.slos import ECHO, PAGE, Alert, Burn, looked_for
from deploy.slo.prometheus import window

LOOKED_FOR = looked_for()
ALERTS = {alert.name: alert for alert in LOOKED_FOR.alerts}
WHOLE = yaml.safe_load((Path(__file__).parents[3] / "deploy/alertmanager/alertmanager.yml").read_text())
MATCHER = re.compile(r'(?P<label>\w+)(?P<sign>=~?)"(?P<told>.*)"')
FAST, SLOW = (one for one in LOOKED_FOR.burns if one.severity == PAGE)

Labels = Mapping[str, str]


def bad(alert: Alert) -> float:
    """A value of its gauge at which it fires."""
    return alert.above + 1 if alert.above is not None else (alert.below or 0) - 1


def by_the_watch(firing: tuple[str, ...], burning: Mapping[str, Burn], lately: Mapping[str, float]) -> dict[str, bool]:
    """What fires, and whether it is silent: `burning` objectives each in one window; `lately`: seconds ago."""
    evaluator = Evaluator(LOOKED_FOR)
    names = [*ALERTS, *(burn_name(slo, one.severity) for slo, one in burning.items())]
    evaluator.recall(fired=lately, firing={}, at=0)
    evaluator.recall(fired={}, firing=dict.fromkeys(names, 1e5), at=-LOOKED_FOR.keep_seconds - 1)
    looks: dict[str, dict[str, float]] = {}
    for name in firing:
        looks.setdefault(ALERTS[name].metric, {})[ALERTS[name].label] = bad(ALERTS[name])
    spent = Spent(rate=99.0, bad=99)
    burns = {slo: {one.long_seconds: spent, one.short_seconds: spent} for slo, one in burning.items()}
    found = evaluator.look(looks=looks, burns=burns, at=0)
    return {one.name: bool(one.silenced_by) for one in found}


def sent(firing: tuple[str, ...], burning: Mapping[str, Burn], lately: Mapping[str, float]) -> list[dict[str, str]]:
    """The labels of what Prometheus sends then, as the generated rules have them."""
    ago = {**lately, **dict.fromkeys(firing, 0.0)}
    return [
        *({"alertname": name, "class": "symptom", "severity": ALERTS[name].severity} for name in firing),
        *(
            {"alertname": burn_name(slo, one.severity), "class": "burn", "slo": slo, "over": window(one.long_seconds)}
            for slo, one in burning.items()
        ),
        *(
            {"alertname": ECHO, "cause": name, "within": window(echo)}
            for name, seconds in ago.items()
            for echo in LOOKED_FOR.echoes()
            if seconds <= echo
        ),
    ]


def by_alertmanager(
    firing: tuple[str, ...], burning: Mapping[str, Burn], lately: Mapping[str, float]
) -> dict[str, bool]:
    """The same, by the inhibitions of the generated file as Alertmanager documents them."""
    several = sent(firing, burning, lately)
    found = {one["alertname"]: any(inhibits(rule, several, one) for rule in rules()) for one in several}
    return {name: silent for name, silent in found.items() if name != ECHO}


def inhibits(rule: Mapping[str, Any], several: list[dict[str, str]], target: Labels) -> bool:
    assert "equal" not in rule
    return matches(rule["target"], target) and any(matches(rule["source"], one) for one in several if one is not target)


def matches(matchers: list[tuple[str, re.Pattern[str]]], labels: Labels) -> bool:
    return all(pattern.fullmatch(labels.get(label, "")) for label, pattern in matchers)


@cache
def rules() -> list[dict[str, Any]]:
    return [
        {side: [matcher(one) for one in rule[f"{side}_matchers"]] for side in ("source", "target")}
        for rule in WHOLE["inhibit_rules"]
    ]


def matcher(text: str) -> tuple[str, re.Pattern[str]]:
    found = MATCHER.fullmatch(text)
    assert found, text
    told = found["told"] if found["sign"] == "=~" else re.escape(found["told"])
    return found["label"], re.compile(told)


def silent(
    *firing: str, burning: Mapping[str, Burn] | None = None, lately: Mapping[str, float] | None = None
) -> dict[str, bool]:
    """What is silent, by both, who must agree."""
    watch, alertmanager = (by(firing, burning or {}, lately or {}) for by in (by_the_watch, by_alertmanager))
    assert watch == alertmanager
    return watch


def test_a_frozen_primary_pages_once() -> None:
    """As it comes: no database, then one without one of its standbys, and the burn rates of what was spent."""
    assert silent("DatabaseAway", "IntakeFailing") == {"DatabaseAway": False, "IntakeFailing": True}
    after = silent("StandbysMissing", burning={"replica-freshness": FAST}, lately={"DatabaseAway": 40})
    assert after == {"StandbysMissing": True, "ReplicaFreshnessBudgetBurnsFast": True}
    for slo in ("intake-availability", "reply-latency", "freshness", "completeness"):
        assert silent(burning={slo: FAST}, lately={"DatabaseAway": 500}) == {burn_name(slo, PAGE): True}
        assert silent(burning={slo: SLOW}, lately={"DatabaseAway": 2000}) == {burn_name(slo, PAGE): True}


def test_a_standby_that_is_missing_for_another_reason_pages() -> None:
    assert silent("StandbysMissing") == {"StandbysMissing": False}
    assert silent("StandbysMissing", lately={"IntakeFailing": 5}) == {"StandbysMissing": False}
    assert silent("StandbysMissing", lately={"DatabaseAway": 301}) == {"StandbysMissing": False}


@pytest.mark.parametrize("slo", [slo.name for slo in LOOKED_FOR.slos])
def test_a_burn_rate_pages_where_no_symptom_did_and_once_that_is_forgotten(slo: str) -> None:
    name = burn_name(slo, PAGE)
    for burn in (FAST, SLOW):
        assert silent(burning={slo: burn}) == {name: False}
        for cause in LOOKED_FOR.burn_causes(slo):
            assert silent(burning={slo: burn}, lately={cause: burn.echo_seconds}) == {name: True}
            assert silent(burning={slo: burn}, lately={cause: burn.echo_seconds + 1}) == {name: False}


def test_a_symptom_of_another_budget_silences_no_burn_rate() -> None:
    found = silent("IntakeSlow", burning={"completeness": FAST})
    assert found == {"IntakeSlow": False, "CompletenessBudgetBurnsFast": False}


def test_a_ticket_silences_no_page() -> None:
    found = silent("DoorbellsPile", burning={"freshness": FAST})
    assert found == {"DoorbellsPile": False, "FreshnessBudgetBurnsFast": False}


def test_a_window_that_nothing_paged_for_pages_beside_one_that_something_did() -> None:
    """The long window's echo lasts longer; a short one that burns anew pages."""
    lately = {"DatabaseAway": FAST.echo_seconds + 60}
    assert silent(burning={"freshness": SLOW}, lately=lately) == {"FreshnessBudgetBurnsFast": True}
    assert silent(burning={"freshness": FAST}, lately=lately) == {"FreshnessBudgetBurnsFast": False}


def test_both_agree_on_every_cause_while_it_fires_and_after_it() -> None:
    for name, target in ALERTS.items():
        assert inhibitors(name) == {*LOOKED_FOR.causes(name)}
        for cause in target.silenced_by:
            assert silent(cause, name)[name]
            assert silent(name, lately={cause: target.echo_seconds}) == {name: True}
            assert silent(name, lately={cause: target.echo_seconds + 1}) == {name: False}


def inhibitors(name: str) -> set[str]:
    """The symptoms that Alertmanager lets silence this one."""
    target = {"alertname": name}
    of_it = [rule for rule in rules() if matches(rule["target"], target)]
    return {cause for cause in ALERTS if any(matches(rule["source"], {"alertname": cause}) for rule in of_it)}
