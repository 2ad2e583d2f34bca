"""Objectives and alerts → the reference that people read. Pure."""

from collections.abc import Mapping
from typing import Final

from config.observing.alerting import burn_name
from config.observing.gauges import GAUGES
from config.observing.slos import PAGE, SEVERITIES, WATCH_ABSENT, WATCH_ABSENT_SAYS, Alert, LookedFor, Slo
from deploy.slo.prometheus import expression, window

WRITTEN: Final = "This page is written from `deploy/slo/` by `python -m deploy.slo`.\n"


def slos(looked_for: LookedFor) -> str:
    """docs/reference/slos.md."""
    lines = [
        "# Objectives\n\n" + WRITTEN,
        "Each counts events, and which of them were good; the watch does it by the minute, from the rows and from the",
        "processes' own counters (`config/observing/`). `/status/` shows what is left of each.\n",
        "| objective | promise | target | window | an event is good where |\n|---|---|---|---|---|",
    ]
    lines += [
        f"| `{slo.name}` | {slo.promise} | {slo.target * 100:g} % | {slo.days} days | {slo.good} |"
        for slo in looked_for.slos
    ]
    lines += [
        "\n## Burn rates\n",
        "A burn rate of 1 spends the whole budget in the window. An alert fires where both windows burn faster than",
        'the factor and enough events were bad in the long one (SRE Workbook, "Alerting on SLOs").\n',
        "| severity | factor | long window | short window | bad events at least | silent after a symptom for |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {burn.severity} | {burn.factor:g} | {window(burn.long_seconds)} | {window(burn.short_seconds)} "
        f"| {burn.events_floor} | {window(int(burn.echo_seconds))} |"
        for burn in looked_for.burns
    ]
    return "\n".join(lines) + "\n"


def alerts(looked_for: LookedFor) -> str:
    """docs/reference/alerts.md."""
    lines = [
        "# Alerts\n\n" + WRITTEN,
        "A page wakes somebody; a ticket waits for the morning. A symptom is silent while one of its causes fires, or",
        "one of theirs, and for a while after that, in which it may still tell of it. A burn rate is silent while a",
        "page that spends its budget fires, or a cause of one, and for as long after it as its short window holds it.",
        "Who looks: the watch (`./manage.py watch`) evaluates the same data as the rules for Prometheus in",
        "[deploy/prometheus/rules](../../deploy/prometheus/rules/ringback.yml).\n",
        "## Symptoms\n",
        "| alert | severity | promise | fires where | for | what it says | silent while | and after it for |",
        "|---|---|---|---|---|---|---|---|",
        f"| [{WATCH_ABSENT}](../runbooks/{WATCH_ABSENT}.md) | {PAGE} | P7 | `absent(ringback_database_up)` | 30 s "
        f"| {WATCH_ABSENT_SAYS} | | |",
    ]
    lines += [_line(alert) for alert in looked_for.alerts]
    lines += ["\n## Burn rates\n", "| alert | severity | objective | silent while |\n|---|---|---|---|"]
    lines += [
        f"| [{name}](../runbooks/{name}.md) | {severity} | `{slo.name}` "
        f"| {', '.join(looked_for.burn_causes(slo.name))} |"
        for slo in looked_for.slos
        for severity in SEVERITIES
        for name in (burn_name(slo.name, severity),)
    ]
    lines += ["\n## What the watch shows\n", "| gauge | meaning |\n|---|---|", *_gauges(GAUGES)]
    return "\n".join(lines) + "\n"


def burn_runbooks(looked_for: LookedFor) -> Mapping[str, str]:
    """docs/runbooks/NAME.md of every burn-rate alert: what spends the budget is found by its symptoms."""
    return {
        burn_name(slo.name, severity): _burn_runbook(slo, severity, looked_for)
        for slo in looked_for.slos
        for severity in SEVERITIES
    }


def _burn_runbook(slo: Slo, severity: str, looked_for: LookedFor) -> str:
    name = burn_name(slo.name, severity)
    symptoms = [alert.name for alert in looked_for.alerts if alert.slo == slo.name]
    listed = ", ".join(f"[{one}]({one}.md)" for one in symptoms)
    haste = "It is spent within days" if severity == PAGE else "It lasts for days or weeks yet"
    return f"""# {name}

{WRITTEN}
## Meaning
The budget of the objective `{slo.name}` ({slo.promise}: {slo.title.lower()}; {slo.target * 100:g} % over
{slo.days} days) is spent too fast, in a long and in a short window. {haste} at this rate. No symptom of it has
paged for that.

## Impact
An event is good where {slo.good}. Too many are not.

## Diagnosis
```sh
./manage.py alerts || true
```

You should see: `{name}`

`/status/` shows since when, and what was deployed or broken then. The symptoms that spend this budget: {listed}.

## Mitigation
Follow the runbook of the symptom whose figure is nearest to its bound (`./manage.py alerts --json`, under `gauges`).
Where a deploy stands at the beginning of the fall, go back to the version before.

## Verify
```sh
./manage.py alerts {name}
```

You should see: `{name} does not fire`

## Escalate
Whoever owns the service: whether to stop changing things until the budget has grown again is their decision.
"""


def _line(alert: Alert) -> str:
    causes = ", ".join(alert.silenced_by)
    after = f"{alert.echo_seconds:g} s" if causes else ""
    return (
        f"| [{alert.name}](../runbooks/{alert.name}.md) | {alert.severity} | {alert.promise} | `{expression(alert)}` "
        f"| {alert.for_seconds:g} s | {alert.says} | {causes} | {after} |"
    )


def _gauges(gauges: Mapping[str, tuple[str, str]]) -> list[str]:
    return [
        f"| `{name}{'{' + label + '}' if label else ''}` | {meaning} |" for name, (meaning, label) in gauges.items()
    ]
