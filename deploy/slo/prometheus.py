"""Objectives and alerts → Prometheus' rules, promtool's tests of them. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from config.observing.alerting import burn_name
from config.observing.slos import (
    ECHO,
    ECHO_LABELS,
    LOOKS,
    LOOKS_LABELS,
    PAGE,
    SEVERITIES,
    WATCH_ABSENT,
    WATCH_ABSENT_SAYS,
    Alert,
    Burn,
    LookedFor,
    Slo,
)
from config.observing.told import SILENT_SECONDS

RUNBOOKS: Final = "docs/runbooks"
_SCRAPE_SECONDS: Final = 5
_LOOKED_SECONDS: Final = 20
_TRIED_SECONDS: Final = 600  # longer echoes are the same rule, and promtool's time

Rule = Mapping[str, Any]


def rules(looked_for: LookedFor) -> dict[str, Any]:
    """The rules file: recording rules of every window, then alerts."""
    recorded = [_recorded(seconds) for seconds in _windows(looked_for)]
    symptoms = [_looks(), _absent(), *(_symptom(alert, looked_for.keep_seconds) for alert in looked_for.alerts)]
    symptoms += [echo(seconds) for seconds in sorted({one.echo_seconds for one in looked_for.alerts})]
    burning = [echo(seconds) for seconds in sorted({one.echo_seconds for one in looked_for.burns})]
    burning += [_burning(slo, burn) for slo in looked_for.slos for burn in looked_for.burns]
    return {
        "groups": [
            {"name": "ringback-slis", "interval": "30s", "rules": recorded},
            {"name": "ringback-symptoms", "interval": f"{_SCRAPE_SECONDS}s", "rules": symptoms},
            {"name": "ringback-burn-rates", "interval": "30s", "rules": burning},
        ]
    }


def symptom_tests(looked_for: LookedFor) -> dict[str, Any]:
    """promtool's tests of the symptoms: each fires on its own series after its time, and ends."""
    cases = [
        _looks_case(),
        _absent_case(),
        *(_symptom_case(alert, looked_for.keep_seconds) for alert in looked_for.alerts),
    ]
    cases.append(_echo_case(looked_for))
    return {"rule_files": ["../rules/ringback.yml"], "evaluation_interval": "5s", "tests": cases}


def burn_tests(looked_for: LookedFor) -> dict[str, Any]:
    """promtool's tests of the objectives: each pages on an outage, and neither on health nor on one failure."""
    cases = [
        case
        for slo in looked_for.slos
        for case in (_healthy_case(slo), _outage_case(slo, looked_for), _one_failure_case(slo))
    ]
    return {"rule_files": ["../rules/ringback.yml"], "evaluation_interval": "1m", "tests": cases}


def echo(seconds: float) -> Rule:
    """Fires for each symptom that has fired within so long, and names it: what it causes is inhibited by this."""
    lately = f'max_over_time(ALERTS{{alertstate="firing",class="symptom"}}[{window(int(seconds))}])'
    return {
        "alert": ECHO,
        "expr": f'max by (cause) (label_replace({lately}, "cause", "$1", "alertname", "(.+)"))',
        "labels": {**ECHO_LABELS, "within": window(int(seconds))},
        "annotations": {"summary": "{{ $labels.cause }} has fired lately."},
    }


def expression(alert: Alert) -> str:
    """A symptom as PromQL."""
    series = f'max({alert.metric}{{kind="{alert.label}"}})' if alert.label else f"max({alert.metric})"
    bound, sign = (alert.above, ">") if alert.above is not None else (alert.below, "<")
    return f"{series} {sign} {bound:g}"


def window(seconds: int) -> str:
    """A window as Prometheus writes it, in the largest unit that fits."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def record(seconds: int) -> str:
    """The recorded share of bad events over a window, by objective."""
    return f"ringback:sli_bad:ratio_rate{window(seconds)}"


def _windows(looked_for: LookedFor) -> list[int]:
    return sorted({seconds for burn in looked_for.burns for seconds in (burn.long_seconds, burn.short_seconds)})


def _recorded(seconds: int) -> Rule:
    over = window(seconds)
    good, total = (f"sum by (slo) (rate(ringback_sli_{part}_total[{over}]))" for part in ("good", "events"))
    return {"record": record(seconds), "expr": f"1 - {good} / {total}"}


def _symptom(alert: Alert, keep_seconds: float) -> Rule:
    return {
        "alert": alert.name,
        "expr": expression(alert),
        "for": f"{alert.for_seconds:g}s",
        "keep_firing_for": f"{keep_seconds:g}s",
        "labels": {
            "severity": alert.severity,
            "class": "symptom",
            "promise": alert.promise,
            "slo": alert.slo or "none",
        },
        "annotations": {"summary": alert.says, "runbook_url": f"{RUNBOOKS}/{alert.name}.md"},
    }


def _looks() -> Rule:
    """Fires while Prometheus scrapes the watch, evaluates, and sends: the watch asks Alertmanager for it."""
    return {
        "alert": LOOKS,
        "expr": f"time() - max(timestamp(ringback_database_up)) < {_LOOKED_SECONDS}",
        "labels": LOOKS_LABELS,
        "annotations": {"summary": "Prometheus looks."},
    }


def _absent() -> Rule:
    return {
        "alert": WATCH_ABSENT,
        "expr": "absent(ringback_database_up)",
        "for": f"{SILENT_SECONDS}s",
        "labels": {"severity": PAGE, "class": "symptom", "promise": "P7", "slo": "none"},
        "annotations": {"summary": WATCH_ABSENT_SAYS, "runbook_url": f"{RUNBOOKS}/{WATCH_ABSENT}.md"},
    }


def _burning(slo: Slo, burn: Burn) -> Rule:
    """One rule for each window, so that each is silenced for as long as its short window remembers."""
    return {
        "alert": burn_name(slo.name, burn.severity),
        "expr": _burns(slo, burn),
        "for": f"{burn.for_seconds:g}s",
        **_of_burn(slo, burn),
    }


def _of_burn(slo: Slo, burn: Burn) -> Rule:
    name = burn_name(slo.name, burn.severity)
    return {
        "labels": {
            "severity": burn.severity, "class": "burn", "promise": slo.promise, "slo": slo.name,
            "over": window(burn.long_seconds),
        },
        "annotations": {
            "summary": f"{slo.title}: the error budget is spent too fast.",
            "runbook_url": f"{RUNBOOKS}/{name}.md",
        },
    }  # fmt: skip


def _burns(slo: Slo, burn: Burn) -> str:
    bound = f"{burn.factor * (1 - slo.target):.6g}"
    of = f'{{slo="{slo.name}"}}'
    both = [f"{record(seconds)}{of} > {bound}" for seconds in (burn.long_seconds, burn.short_seconds)]
    over = window(burn.long_seconds)
    events, good = (f"increase(ringback_sli_{part}_total{of}[{over}])" for part in ("events", "good"))
    bad = f"sum by (slo) ({events} - {good})"
    return " and ".join([*both, f"{bad} >= {burn.events_floor}"])


# ---- promtool's tests ------------------------------------------------------------------------------------------------
def _symptom_case(alert: Alert, keep_seconds: float) -> Rule:
    bad, good = _values(alert)
    series = f'{alert.metric}{{kind="{alert.label}"}}' if alert.label else alert.metric
    steps = int(alert.for_seconds // _SCRAPE_SECONDS) + 4
    after = 4 + int(keep_seconds // _SCRAPE_SECONDS)
    fires = {
        "exp_labels": {
            "severity": alert.severity, "class": "symptom", "promise": alert.promise, "slo": alert.slo or "none",
        },
        "exp_annotations": {"summary": alert.says, "runbook_url": f"{RUNBOOKS}/{alert.name}.md"},
    }  # fmt: skip
    return {
        "name": f"{alert.name} fires after its time, and ends",
        "interval": f"{_SCRAPE_SECONDS}s",
        "input_series": [
            {"series": series, "values": f"{good:g}x3 {bad:g}x{steps} {good:g}x{after}"},
            {"series": "ringback_database_up", "values": f"1x{steps + after + 6}"},
        ],
        "alert_rule_test": [
            {"eval_time": "15s", "alertname": alert.name, "exp_alerts": []},
            {"eval_time": _at(4 + steps - 1), "alertname": alert.name, "exp_alerts": [fires]},
            {"eval_time": _at(4 + steps + after - 1), "alertname": alert.name, "exp_alerts": []},
        ],
    }


def _values(alert: Alert) -> tuple[float, float]:
    if alert.above is not None:
        return alert.above + 1, alert.above
    assert alert.below is not None
    return alert.below - min(1, alert.below), alert.below


def _echo_case(looked_for: LookedFor) -> Rule:
    """A database that is away for a minute is remembered by each echo for its time, and no longer."""
    began, ended = 15, 75
    echoes = looked_for.echoes()
    tried = [seconds for seconds in echoes if seconds <= _TRIED_SECONDS]

    def told(at: int, *lasting: int) -> Rule:
        fires = [
            {
                "exp_labels": {**ECHO_LABELS, "cause": "DatabaseAway", "within": window(seconds)},
                "exp_annotations": {"summary": "DatabaseAway has fired lately."},
            }
            for seconds in lasting
        ]
        return {"eval_time": f"{at}s", "alertname": ECHO, "exp_alerts": fires}

    steps, whole = (ended - began) // _SCRAPE_SECONDS, (_TRIED_SECONDS + 200) // _SCRAPE_SECONDS
    return {
        "name": "What has fired lately is known for as long as it silences, and no longer",
        "interval": f"{_SCRAPE_SECONDS}s",
        "input_series": [
            {"series": "ringback_database_writable", "values": f"1x2 0x{steps - 1} 1x{whole}"},
            {"series": "ringback_database_up", "values": f"1x{whole}"},
        ],
        "alert_rule_test": [
            told(began),
            told(ended - 15, *echoes),
            *(
                told(
                    ended + int(looked_for.keep_seconds) + seconds + past,
                    *(one for one in echoes if one > seconds + past),
                )
                for seconds in tried
                for past in (-30, 60)
            ),
        ],
    }


def _looks_case() -> Rule:
    return {
        "name": "Prometheus says that it looks for as long as it sees the watch",
        "interval": f"{_SCRAPE_SECONDS}s",
        "input_series": [{"series": "ringback_database_up", "values": "1x10 stale"}],
        "alert_rule_test": [
            {
                "eval_time": "50s",
                "alertname": LOOKS,
                "exp_alerts": [{"exp_labels": LOOKS_LABELS, "exp_annotations": {"summary": "Prometheus looks."}}],
            },
            {"eval_time": "120s", "alertname": LOOKS, "exp_alerts": []},
        ],
    }


def _absent_case() -> Rule:
    fires = {
        "exp_labels": {"severity": PAGE, "class": "symptom", "promise": "P7", "slo": "none"},
        "exp_annotations": {"summary": WATCH_ABSENT_SAYS, "runbook_url": f"{RUNBOOKS}/{WATCH_ABSENT}.md"},
    }
    return {
        "name": "Data that is missing is an alert",
        "interval": f"{_SCRAPE_SECONDS}s",
        "input_series": [{"series": "ringback_database_up", "values": "1x10 stale"}],
        "alert_rule_test": [
            {"eval_time": "50s", "alertname": WATCH_ABSENT, "exp_alerts": []},
            {"eval_time": "120s", "alertname": WATCH_ABSENT, "exp_alerts": [fires]},
        ],
    }


def _series(slo: Slo, good: str, total: str) -> list[Rule]:
    of = f'{{slo="{slo.name}"}}'
    return [
        {"series": f"ringback_sli_good_total{of}", "values": good},
        {"series": f"ringback_sli_events_total{of}", "values": total},
        {"series": "ringback_database_up", "values": "1x200"},
    ]


def _healthy_case(slo: Slo) -> Rule:
    return {
        "name": f"{slo.name}: an hour of health pages nobody",
        "interval": "1m",
        "input_series": _series(slo, "0+100x70", "0+100x70"),
        "alert_rule_test": [_quiet("65m", slo, severity) for severity in SEVERITIES],
    }


def _outage_case(slo: Slo, looked_for: LookedFor) -> Rule:
    """Nothing else fires: a burn rate without a symptom pages."""
    fires = [
        {f"exp_{key}": told for key, told in _of_burn(slo, burn).items()}
        for burn in looked_for.burns
        if burn.severity == PAGE
    ]
    return {
        "name": f"{slo.name}: an outage of ten minutes pages",
        "interval": "1m",
        "input_series": _series(slo, "0+100x60 6000x60", "0+100x120"),
        "alert_rule_test": [
            _quiet("60m", slo, PAGE),
            {"eval_time": "78m", "alertname": burn_name(slo.name, PAGE), "exp_alerts": fires},
            {"eval_time": "78m", "alertname": ECHO, "exp_alerts": []},
        ],
    }


def _one_failure_case(slo: Slo) -> Rule:
    """A night with one text an hour: one failure is all of the window's events, and pages nobody."""
    return {
        "name": f"{slo.name}: one failure at 3 a.m. pages nobody",
        "interval": "1m",
        "input_series": _series(slo, "0x120", "0x60 1x60"),
        "alert_rule_test": [_quiet("65m", slo, severity) for severity in SEVERITIES],
    }


def _quiet(at: str, slo: Slo, severity: str) -> Rule:
    return {"eval_time": at, "alertname": burn_name(slo.name, severity), "exp_alerts": []}


def _at(steps: int) -> str:
    return f"{steps * _SCRAPE_SECONDS}s"
