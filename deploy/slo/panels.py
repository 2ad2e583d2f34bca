"""What the dashboards show, as data: which panels, in which rows, asking what of Prometheus. Pure.

A panel of a gauge that an alert looks at shows the alert's bound as a line and names its runbook: what is drawn and
what pages cannot drift apart.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from config.observing.gauges import GAUGES
from config.observing.slos import Alert, LookedFor, Slo
from deploy.slo.prometheus import RUNBOOKS, expression, record, window

OVER: Final = "$__rate_interval"  # Grafana's: at least four scrapes


@dataclass(frozen=True, kw_only=True)
class Query:
    """One expression, and what its series are called: `{{label}}` is Grafana's."""

    expr: str
    legend: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: `figure` shows the latest value, else it is drawn over time. `bounds` are drawn as lines."""

    title: str
    says: str
    queries: tuple[Query, ...]
    unit: str = "short"
    figure: bool = False
    width: int = 6
    bounds: tuple[float, ...] = ()
    is_low_bad: bool = False
    decimals: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Board:
    """One dashboard; `name` is its file and its uid."""

    name: str
    title: str
    says: str
    rows: tuple[Row, ...]


def boards(looked_for: LookedFor) -> tuple[Board, ...]:
    """Every dashboard."""
    return _objectives(looked_for), _way(looked_for)


# ---- the objectives --------------------------------------------------------------------------------------------------
def _objectives(looked_for: LookedFor) -> Board:
    slos = looked_for.slos
    days = max(slo.days for slo in slos)
    factors = tuple(sorted({burn.factor for burn in looked_for.burns}))
    burning = [
        Panel(
            title=f"Burn rate over {window(seconds)}",
            says="1 spends the whole budget in its window. Lines: the factors that alert, with a shorter window.",
            queries=_of_each(slos, partial(_burn, seconds)),
            width=12,
            bounds=factors,
        )
        for seconds in sorted({burn.long_seconds for burn in looked_for.burns})[:2]
    ]
    return Board(
        name="ringback-objectives",
        title="Ringback: objectives",
        says="How much of each error budget is left, and how fast it is spent. /status/ says the same with confidence.",
        rows=(
            Row(title="What fires", panels=(_firing(),)),
            Row(title=f"The last {days} days", panels=(_nines(days), _budget(slos), _share(days))),
            Row(title="How fast it is spent", panels=tuple(burning)),
            Row(title="Events", panels=(_events(), _bad())),
        ),
    )


def _firing() -> Panel:
    firing = 'sum by (alertname) (ALERTS{alertstate="firing", class=~"symptom|burn"})'
    return Panel(
        title="Alerts that fire",
        says=f"By name. Each has its runbook in {RUNBOOKS}/NAME.md.",
        queries=(Query(expr=firing, legend="{{alertname}}"),),
        width=24,
    )


def _events_and_good(days: int) -> tuple[str, str]:
    """By objective, over so many days."""
    return (
        _sum(f"increase(ringback_sli_events_total[{days}d])", "slo"),
        _sum(f"increase(ringback_sli_good_total[{days}d])", "slo"),
    )


def _nines(days: int) -> Panel:
    total, good = _events_and_good(days)
    return Panel(
        title="Nines reached",
        says="3 is 99.9 %. Never more than the number of events can show: without a bad one, one is assumed.",
        queries=(Query(expr=f"log10(({total} > 0) / clamp_min({total} - {good}, 1))", legend="{{slo}}"),),
        figure=True,
        width=8,
        decimals=1,
    )


def _share(days: int) -> Panel:
    total, good = _events_and_good(days)
    return Panel(
        title="Share of good events",
        says="Over the whole window.",
        queries=(Query(expr=f"{good} / ({total} > 0)", legend="{{slo}}"),),
        figure=True,
        unit="percentunit",
        width=8,
        decimals=3,
    )


def _budget(slos: Iterable[Slo]) -> Panel:
    return Panel(
        title="Error budget left",
        says="1 is all of it; below 0 more was spent than there was.",
        queries=_of_each(slos, _left),
        figure=True,
        unit="percentunit",
        width=8,
        bounds=(0, 0.25),
        is_low_bad=True,
        decimals=0,
    )


def _events() -> Panel:
    expr = _sum(f"rate(ringback_sli_events_total[{OVER}])", "slo")
    return Panel(
        title="Events", says="Of each objective.", queries=(Query(expr=expr, legend="{{slo}}"),), unit="cps", width=12
    )


def _bad() -> Panel:
    total, good = (_sum(f"rate(ringback_sli_{part}_total[{OVER}])", "slo") for part in ("events", "good"))
    return Panel(
        title="Events that were not good",
        says="Of each objective.",
        queries=(Query(expr=f"{total} - {good}", legend="{{slo}}"),),
        unit="cps",
        width=12,
    )


def _of_each(slos: Iterable[Slo], expr: Callable[[Slo], str]) -> tuple[Query, ...]:
    return tuple(Query(expr=expr(slo), legend=slo.name) for slo in slos)


def _burn(seconds: int, slo: Slo) -> str:
    return f'{record(seconds)}{{slo="{slo.name}"}} / {1 - slo.target:.6g}'


def _left(slo: Slo) -> str:
    of = f'{{slo="{slo.name}"}}[{slo.days}d]'
    good, total = (f"sum(increase(ringback_sli_{part}_total{of}))" for part in ("good", "events"))
    return f"1 - (1 - {good} / ({total} > 0)) / {1 - slo.target:.6g}"


# ---- the way of a reminder -------------------------------------------------------------------------------------------
def _way(looked_for: LookedFor) -> Board:
    looked_at = partial(_looked_at, looked_for)
    return Board(
        name="ringback-way",
        title="Ringback: the way of a reminder",
        says="From the text to the charge, in the order of the way. Lines are the bounds of alerts.",
        rows=(
            Row(title="What fires, and what everything stands on", panels=(_firing(), *_ground(looked_at))),
            Row(title="Intake: a text comes in", panels=_intake(looked_at)),
            Row(title="Queue: what is due is claimed", panels=_queue(looked_at)),
            Row(title="Delivery: a call is asked for", panels=_delivery(looked_at)),
            Row(title="Outcomes: what became of it", panels=_outcomes(looked_at)),
            Row(title="Money: what it cost", panels=_money(looked_at)),
        ),
    )


LookedAt = Callable[..., Panel]
"""Panels of gauges of the watch, with what alerts on them."""


def _ground(looked_at: LookedAt) -> tuple[Panel, ...]:
    up = ("ringback_database_writable", "ringback_redis_up", "ringback_carrier_up")
    down = ("ringback_instances_down", "ringback_instances_stalled", "ringback_standbys_missing")
    return (
        looked_at("Up", *up, figure=True),
        looked_at("Down", *down, figure=True),
        looked_at("Commits that wait", "ringback_commits_waiting"),
        looked_at("Connections taken", "ringback_connections_share", unit="percentunit"),
    )


def _intake(looked_at: LookedAt) -> tuple[Panel, ...]:
    return (
        _rates("Texts", "By what became of them.", "ringback_intake_total", "outcome"),
        _quantiles("Durable answer after", "From the webhook's arrival.", "ringback_intake_seconds"),
        Panel(
            title="Refused and shed",
            says="Webhooks that were refused before any work, and texts that were not let in, by why.",
            queries=(
                Query(expr=_sum(_rate("ringback_webhooks_refused_total"), "reason"), legend="refused: {{reason}}"),
                Query(expr=_sum(_rate("ringback_shed_total"), "why"), legend="shed: {{why}}"),
            ),
            unit="cps",
        ),
        looked_at("Age of the spool", "ringback_spool_age_seconds", unit="s"),
    )


def _queue(looked_at: LookedAt) -> tuple[Panel, ...]:
    return (
        looked_at("Age of the oldest due", "ringback_oldest_due_seconds", unit="s"),
        looked_at("Due and not dialled", "ringback_due_reminders"),
        _rates("Claimed", "Timers by kind.", "ringback_timers_claimed_total", "kind"),
        looked_at("Doorbells that wait", "ringback_doorbells_waiting"),
    )


def _delivery(looked_at: LookedAt) -> tuple[Panel, ...]:
    return (
        _rates("Attempts", "By what the carrier said.", "ringback_attempts_total", "state"),
        _quantiles(
            "Requested after",
            "From a ring timer's due time to the carrier's answer.",
            "ringback_start_lateness_seconds",
        ),
        looked_at("Calls open, outcomes unknown", "ringback_open_calls", "ringback_outcomes_unknown"),
        looked_at("Attempts that the carrier did not take", "ringback_attempts_failed_share", unit="percentunit"),
    )


def _outcomes(looked_at: LookedAt) -> tuple[Panel, ...]:
    return (
        _rates("Callbacks", "By what they did.", "ringback_callbacks_total", "result"),
        _rates("Look-ups", "By what they found.", "ringback_look_ups_total", "found"),
        looked_at("Dead letters, calls too long", "ringback_dead_letters", "ringback_calls_too_long"),
        looked_at("Batches that failed", "ringback_batches_failed"),
    )


def _money(looked_at: LookedAt) -> tuple[Panel, ...]:
    return (
        looked_at("Charged in the last minute", "ringback_ledger_lately"),
        looked_at("Holds neither posted nor voided", "ringback_holds_reserved"),
        looked_at("Breaks open", "ringback_breaks_open"),
        looked_at("Dialling stopped, account refused", "ringback_dialling_stopped", "ringback_account_refused"),
    )


def _looked_at(looked_for: LookedFor, title: str, *metrics: str, unit: str = "short", figure: bool = False) -> Panel:
    alerts = [alert for alert in looked_for.alerts if alert.metric in metrics]
    meanings = [f"{_named(metric)}: {GAUGES[metric][0][0].lower()}{GAUGES[metric][0][1:]}." for metric in metrics]
    pages = [f"{alert.name} fires where {expression(alert)}: {RUNBOOKS}/{alert.name}.md." for alert in alerts]
    bounds = {_bound(alert) for alert in alerts}
    is_one_line = len(bounds) == 1 and {alert.metric for alert in alerts} == set(metrics)
    return Panel(
        title=title,
        says=" ".join([*meanings, *pages]),
        queries=tuple(Query(expr=_worst(metric, alerts), legend=_legend(metric)) for metric in metrics),
        unit=unit,
        figure=figure,
        bounds=tuple(bounds) if is_one_line else (),
        is_low_bad=any(alert.below is not None for alert in alerts),
    )


def _bound(alert: Alert) -> float:
    """Where the line is: Grafana colours what reaches it, and what must stay at nothing is a count."""
    return alert.below or alert.above or 1.0


def _worst(metric: str, alerts: Iterable[Alert]) -> str:
    label = GAUGES[metric][1]
    is_low_bad = any(alert.below is not None for alert in alerts if alert.metric == metric)
    return f"{'min' if is_low_bad else 'max'}{f' by ({label})' if label else ''} ({metric})"


def _legend(metric: str) -> str:
    label = GAUGES[metric][1]
    return f"{_named(metric)}: {{{{{label}}}}}" if label else _named(metric)


def _named(metric: str) -> str:
    return metric.removeprefix("ringback_").removesuffix("_seconds").replace("_", " ")


def _rates(title: str, says: str, counter: str, label: str) -> Panel:
    queries = (Query(expr=_sum(_rate(counter), label), legend=f"{{{{{label}}}}}"),)
    return Panel(title=title, says=says, queries=queries, unit="cps")


def _quantiles(title: str, says: str, histogram: str) -> Panel:
    buckets = _sum(_rate(f"{histogram}_bucket"), "le")
    queries = tuple(
        Query(expr=f"histogram_quantile({share}, {buckets})", legend=f"{share * 100:g} %") for share in (0.5, 0.99)
    )
    return Panel(title=title, says=says, queries=queries, unit="s")


def _rate(counter: str) -> str:
    return f"rate({counter}[{OVER}])"


def _sum(expr: str, by: str) -> str:
    return f"sum by ({by}) ({expr})"
