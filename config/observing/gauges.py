"""What the watch shows: every gauge and counter of it, named once, by what it means. One process shows them all."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# name: (what it means, the name of its label; empty where it has none)
GAUGES: Final[Mapping[str, tuple[str, str]]] = {
    "ringback_database_up": ("1 where the database answered within its time", ""),
    "ringback_database_writable": ("1 where it takes writes: a standby answers as well", ""),
    "ringback_database_quarantined": ("1 where it was put back and lacks commits that were acknowledged", ""),
    "ringback_tables_locked": ("Tables that somebody has locked against everybody (ACCESS EXCLUSIVE)", ""),
    "ringback_prometheus_up": (
        "1 where Prometheus looks and Alertmanager says so; absent where the watch is alone",
        "",
    ),
    "ringback_redis_up": ("1 where Redis answered within its time", ""),
    "ringback_carrier_up": ("1 where a carrier's address answers", ""),
    "ringback_instances_down": ("Processes whose /metrics did not answer, by kind", "kind"),
    "ringback_instances_stalled": ("Processes that answer and make no progress, by kind", "kind"),
    "ringback_oldest_due_seconds": ("Age of the oldest reminder that is due and not dialled, claimed or not", ""),
    "ringback_due_reminders": ("Reminders that are due and not dialled (at most 10,000 are counted)", ""),
    "ringback_oldest_timer_seconds": ("Age of the oldest timer of any other kind that is due and not done", ""),
    "ringback_open_calls": ("Attempts whose call has not ended", ""),
    "ringback_outcomes_unknown": ("Attempts whose outcome is unknown beyond the look-up horizon", ""),
    "ringback_calls_too_long": ("Calls that are open for longer than a call can take", ""),
    "ringback_dead_letters": ("Reminders that are dead letters", ""),
    "ringback_breaks_open": ("Breaks of a promise that nobody has closed", ""),
    "ringback_holds_reserved": ("Holds that are neither posted nor voided (at most 10,000 are counted)", ""),
    "ringback_ledger_lately": ("Ledger transactions of the last minute, by kind (at most 10,000 are counted)", "kind"),
    "ringback_rows_unplaced": ("Rows of history that no month holds", ""),
    "ringback_months_ahead": ("Months of history that are made ahead (2 are looked for)", ""),
    "ringback_oldest_snapshot_seconds": ("Age of the oldest snapshot that is held open", ""),
    "ringback_connections_share": ("Share of the database's connections that is taken", ""),
    "ringback_standbys_missing": ("Standbys that this tier has and that do not stream", ""),
    "ringback_replica_lag_seconds": ("How far the slowest standby is behind, as the primary sees it", ""),
    "ringback_commits_waiting": ("Commits that have waited for a standby for over two seconds", ""),
    "ringback_doorbells_waiting": ("Doorbells in Redis that no worker has taken", ""),
    "ringback_intake_failed_share": ("Share of the last minute's texts that were not accepted", ""),
    "ringback_intake_slow_share": ("Share of the last minute's texts that took over a second", ""),
    "ringback_webhooks_forged": ("Webhooks of the last minute with a wrong signature", ""),
    "ringback_attempts_failed_share": ("Share of the last minute's attempts that the carrier did not take", ""),
    "ringback_batches_failed": ("Batches of the last minute that ended in an error", ""),
    "ringback_doorbells_lost": ("Doorbells of the last 15 seconds that Redis did not take", ""),
    "ringback_spool_senders": ("Senders whose texts wait on a disk for the database", ""),
    "ringback_spool_age_seconds": ("How long the oldest of them has waited", ""),
    "ringback_dialling_stopped": ("1 where nothing is dialled, for what it would cost", ""),
    "ringback_account_refused": ("1 where an account is asked no more, for its failures, or refuses our texts", ""),
    "ringback_clock_aside_seconds": ("How far this host's clock is from the database's", ""),
    "ringback_disk_free_share": ("Share of the data directory's disk that is free", ""),
    "ringback_canary_age_seconds": (
        "Since the canary last heard its reminder, or others were rung; absent without one",
        "",
    ),
    "ringback_canary_overdue_seconds": (
        "For how long the canary's phone should have rung and it has heard nothing",
        "",
    ),
}
COUNTERS: Final[Mapping[str, tuple[str, str]]] = {
    "ringback_sli_events": ("Events of each objective", "slo"),
    "ringback_sli_good": ("Events of each objective that were good", "slo"),
}

Values = dict[str, dict[str, float]]


class Shown(Collector):
    """The latest look, as Prometheus reads it."""

    def __init__(self) -> None:
        self.gauges: Mapping[str, Mapping[str, float]] = {}
        self.counters: Mapping[str, Mapping[str, float]] = {}

    def collect(self) -> Iterable[Metric]:
        """Every figure of the latest look."""
        for name, values in self.gauges.items():
            meaning, label = GAUGES[name]
            gauge = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
            for value_of, value in values.items():
                gauge.add_metric([value_of] if label else [], value)
            yield gauge
        for name, values in self.counters.items():
            meaning, label = COUNTERS[name]
            counter = CounterMetricFamily(name, meaning, labels=[label])
            for value_of, value in values.items():
                counter.add_metric([value_of], value)
            yield counter
