"""The watch: looks every few seconds at everything, says what fires, and counts what the objectives count.

One process, so that what the rows say is asked once. It needs nothing that it watches: where the database is away it
goes on with what it can see, says so, and writes down later what it counted meanwhile.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from billing import breaker
from config.observing import probes, prometheus, told, truth
from config.observing.alerting import Evaluator, Firing, Spent
from config.observing.canary import Canary
from config.observing.gauges import Shown, Values
from config.observing.happened import DEPLOY, Happened
from config.observing.scraping import Scraped, Scraper
from config.observing.slos import LookedFor
from config.observing.truth import Count

log = structlog.get_logger()

LATELY_SECONDS: Final = 60.0
STALLED_SECONDS: Final = 20.0  # a dispatcher turns at least once a second
LOST_SECONDS: Final = 15.0  # a Redis that was started anew loses doorbells for a moment only
BAD_FLOOR: Final = 5  # fewer bad events than this in a minute are no share worth a page: a process that starts is slow
UNREAD_SECONDS: Final = 20.0  # a server that answers and takes longer for the rows is busy; after that it is away
START_SECONDS: Final = 30.0  # a process that was started anew is down only once it has not answered for so long
PENDING_MAX: Final = 10_000
_PLAIN: Final = (
    "oldest_due_seconds", "due_reminders", "oldest_timer_seconds", "open_calls", "outcomes_unknown",
    "calls_too_long", "dead_letters", "breaks_open", "rows_unplaced", "months_ahead", "oldest_snapshot_seconds",
    "connections_share", "commits_waiting", "replica_lag_seconds", "holds_reserved",
)  # fmt: skip
REPLICA_FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched, as the settings say."""

    home: Path
    carriers: tuple[str, ...]
    fresh_seconds: float
    lease_seconds: float
    horizon_seconds: float
    call_seconds: float
    standbys: int
    version: str
    alertmanager: str = ""  # whose alerts are shown while it answers; empty: the watch is alone


@dataclass
class Watch:
    """The watch's memory between looks. `at` is the monotonic clock, `now` the wall's."""

    watched: Watched
    looked_for: LookedFor
    canary: Canary | None = None
    shown: Shown = field(default_factory=Shown)
    firing: list[Firing] = field(default_factory=list)
    _answered: dict[str, float] = field(default_factory=dict)
    _listening: prometheus.Listening = field(default_factory=prometheus.Listening)
    _lately: deque[tuple[float, Scraped]] = field(default_factory=deque)
    _adds: dict[tuple[str, datetime], list[int]] = field(default_factory=dict)
    _marks: list[tuple[datetime, str, str]] = field(default_factory=list)
    _burns: dict[str, dict[int, Spent]] = field(default_factory=dict)
    _counted: datetime | None = None
    _server: int | None = None
    _read_at: float | None = None
    _waits: bool = False
    _replicas_fresh: bool = False
    _paged: set[str] | None = None

    def __post_init__(self) -> None:
        self._scraper = Scraper(place=self.watched.home / "run" / "targets.json")
        self._evaluator = Evaluator(self.looked_for)
        self._happened = Happened(home=self.watched.home, version=self.watched.version)

    def look(self, *, now: datetime, at: float) -> None:
        """One look: ask everything, decide what fires, and once a minute write down what was counted."""
        self._recall(now, at)
        scraped = self._scraper.scrape()
        self._lately.append((at, scraped))
        while at - self._lately[0][0] > LATELY_SECONDS:
            self._lately.popleft()
        values: Values = {**self._asked(scraped, at), **self._of_rows(now, at), **self._of_instances(scraped, now)}
        theirs = self._theirs(values, now, at)
        self._replicas_fresh = (
            values.get("ringback_standbys_missing", {}).get("") == 0
            and values.get("ringback_replica_lag_seconds", {}).get("", 1.0) < REPLICA_FRESH_SECONDS
        )
        self._marks += self._happened.look(now)
        self._add(scraped, now)
        if not self._waits:  # a commit of ours would wait with others
            self._count(now)
        own, by = self._evaluator.look(looks=values, burns=self._burns, at=at), self._listening.by
        self.firing = self._listening.choose(own=own, theirs=theirs, at=at)
        if self._listening.by != by:
            log.warning("watch.handed_over", decides=self._listening.by)
        self._tell({one.name for one in self.firing if not one.silenced_by}, self._paged or set(), now)
        self.shown.gauges = values
        self._write(values, [one.name for one in scraped.down], now, at)

    def _recall(self, now: datetime, at: float) -> None:
        """Go on where a watch before this one stopped: it was started anew, and who was paged is not paged again."""
        if self._paged is None:
            known = told.remembered(home=self.watched.home, at=now)
            self._evaluator.recall(fired=known.fired, firing=known.firing, at=at)
            self._paged = {*known.paged}

    # ---- asking ------------------------------------------------------------------------------------
    def _asked(self, scraped: Scraped, at: float) -> Values:
        waiting, free = probes.doorbells(), probes.disk_free_share(self.watched.home)
        values = {
            "ringback_redis_up": {"": float(waiting is not None)},
            "ringback_carrier_up": {"": float(any(map(probes.answers, self.watched.carriers)))},
        }
        if waiting is not None:
            values["ringback_doorbells_waiting"] = {"": float(waiting)}
        if free is not None:
            values["ringback_disk_free_share"] = {"": free}
        if self.canary is not None:
            age = self.canary.look(at, placed=scraped.total("ringback_attempts_total", state="placed"))
            values["ringback_canary_age_seconds"] = {"": age}
            values["ringback_canary_overdue_seconds"] = {"": self.canary.overdue_seconds(at)}
        return values

    def _theirs(self, values: Values, now: datetime, at: float) -> list[Firing] | None:
        """What Prometheus finds, where one should look; whether it does is a figure like any other."""
        if not self.watched.alertmanager:
            return None
        found = prometheus.ask(self.watched.alertmanager)
        theirs = prometheus.fires(found, looked_for=self.looked_for, looks=values, now=now, at=at)
        values["ringback_prometheus_up"] = {"": float(theirs is not None)}
        return theirs

    def _of_rows(self, now: datetime, at: float) -> Values:
        self._read_at, self._waits = at if self._read_at is None else self._read_at, False
        try:
            told_of_itself = truth.server()
        except DatabaseError as error:
            log.warning("watch.database_away", error=type(error).__name__)
            connection.close()
            return {"ringback_database_up": {"": 0.0}, "ringback_database_writable": {"": 0.0}, **_quarantined()}
        locked = {"ringback_tables_locked": {"": float(told_of_itself["tables_locked"])}}
        try:
            row = truth.figures(
                lease_seconds=self.watched.lease_seconds,
                unknown_seconds=2 * self.watched.horizon_seconds,
                call_seconds=self.watched.call_seconds,
            )
        except DatabaseError as error:
            log.warning("watch.rows_not_read", error=type(error).__name__)
            connection.close()
            # A lock is another cause than a database that is away, and one that is only busy is none.
            up = bool(told_of_itself["tables_locked"]) or at - self._read_at <= UNREAD_SECONDS
            return {
                "ringback_database_up": {"": float(up)},
                "ringback_database_writable": {"": float(up and bool(told_of_itself["is_writable"]))},
                **locked,
                **_quarantined(),
            }
        server, self._read_at, self._waits = row["server"], at, bool(row["commits_begun"])
        if self._server not in (None, server):
            self._marks.append((now, "failover", f"the primary is now at port {server}"))
        self._server = server
        return {
            "ringback_database_up": {"": 1.0},
            "ringback_database_writable": {"": float(told_of_itself["is_writable"])},
            **locked,
            **_quarantined(),
            "ringback_clock_aside_seconds": {"": abs(row["clock"] - time.time())},
            "ringback_standbys_missing": {"": float(max(0, self.watched.standbys - row["standbys"]))},
            "ringback_ledger_lately": {kind: float(several) for kind, several in row["ledger_lately"].items()},
            **{f"ringback_{name}": {"": float(row[name])} for name in _PLAIN},
        }

    def _of_instances(self, scraped: Scraped, now: datetime) -> Values:
        starting = {one.name for one in scraped.down if self._is_starting(one.name, now)}
        self._answered |= {one.name: now.timestamp() for one in scraped.targets if one not in scraped.down}
        away = [one for one in scraped.down if one.name not in starting]
        down = {kind: float(sum(one.kind == kind for one in away)) for kind in {one.kind for one in scraped.targets}}
        answering = [one for one in scraped.targets if one.kind == "dispatch" and one not in scraped.down]
        loops = [
            self._lately_of("ringback_dispatch_loops_total", instances=[one.name], seconds=STALLED_SECONDS)
            for one in answering
        ]
        long_enough = self._lately[-1][0] - self._lately[0][0] >= STALLED_SECONDS
        stalled = sum(turned == 0 for turned in loops) if long_enough else 0
        texts = self._lately_of("ringback_intake_total")
        failed = self._lately_of("ringback_intake_total", outcome="unavailable")
        quick = self._lately_of("ringback_intake_seconds_bucket", le="1.0")
        timed = self._lately_of("ringback_intake_seconds_count")
        attempts = self._lately_of("ringback_attempts_total")
        held = min(1.0, self._lately_of("ringback_replies_total", found="held"))
        lost = sum(self._lately_of("ringback_attempts_total", state=state) for state in ("unknown", "not_sent"))
        return {
            "ringback_instances_down": down,
            "ringback_spool_senders": {"": scraped.levels.get("ringback_spool_files", 0.0)},
            "ringback_dialling_stopped": {"": scraped.levels.get("ringback_spend_breaker_open", 0.0)},
            "ringback_account_refused": {"": max(scraped.levels.get("ringback_carrier_breaker_open", 0.0), held)},
            "ringback_spool_age_seconds": {"": scraped.levels.get("ringback_spool_oldest_seconds", 0.0)},
            "ringback_instances_stalled": {"dispatch": float(stalled)},
            "ringback_intake_failed_share": {"": _share(failed, texts)},
            "ringback_intake_slow_share": {"": _share(timed - quick, timed)},
            "ringback_attempts_failed_share": {"": _share(lost, attempts)},
            "ringback_webhooks_forged": {"": self._lately_of("ringback_webhooks_refused_total", reason="signature")},
            "ringback_batches_failed": {"": self._lately_of("ringback_batches_failed_total")},
            "ringback_doorbells_lost": {"": self._lately_of("ringback_doorbells_failed_total", seconds=LOST_SECONDS)},
        }

    def _is_starting(self, name: str, now: datetime) -> bool:
        """Whether it was started anew since it last answered, and that is not long ago: a deploy, or a restart.

        One that stands still has the pid that it had, and one that dies again and again answers nobody in between.
        """
        try:
            began = (self.watched.home / "run" / f"{name}.pid").stat().st_mtime
        except OSError:
            return False  # not of this machine's supervisor, or held dead
        answered = self._answered.setdefault(name, began - 1)
        return answered < began and now.timestamp() - answered <= START_SECONDS

    def _lately_of(
        self, series: str, *, instances: Sequence[str] | None = None, seconds: float = LATELY_SECONDS, **labels: str
    ) -> float:
        since = self._lately[-1][0] - seconds
        rounds = [scraped for at, scraped in self._lately if at >= since]
        return sum(scraped.total(series, instances=instances, **labels) for scraped in rounds)

    # ---- counting ----------------------------------------------------------------------------------
    def _add(self, scraped: Scraped, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        texts = scraped.total("ringback_intake_total")
        lost = scraped.total("ringback_intake_total", outcome="unavailable")
        quick = scraped.total("ringback_intake_seconds_bucket", le="1.0")
        timed = scraped.total("ringback_intake_seconds_count")
        counted = [("intake-availability", texts - lost, texts), ("reply-latency", quick, timed)]
        if self.watched.standbys:
            counted.append(("replica-freshness", float(self._replicas_fresh), 1.0))
        for slo, good, total in counted:
            if total and len(self._adds) < PENDING_MAX:
                minute_of = self._adds.setdefault((slo, minute), [0, 0])
                minute_of[0] += round(min(good, total))
                minute_of[1] += round(total)

    def _count(self, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        if minute == self._counted:
            return
        adds = [Count(slo=slo, minute=at, good=good, total=total) for (slo, at), (good, total) in self._adds.items()]
        try:
            truth.keep(counts=truth.count(now=now, fresh_seconds=self.watched.fresh_seconds), adds=adds)
            self._adds.clear()
            if self._counted is None:
                self._marks += self._happened.deployed(before=truth.last_mark(kind=DEPLOY), now=now)
            while self._marks:
                at, kind, says = self._marks[0]
                truth.mark(at=at, kind=kind, says=says)
                del self._marks[0]
            truth.cut(now=now)
            self._burns = self._rates(minute)
        except DatabaseError as error:
            log.warning("watch.not_counted", error=type(error).__name__)
            connection.close()
            return
        self._counted = minute

    def _rates(self, minute: datetime) -> dict[str, dict[int, Spent]]:
        several = {seconds for burn in self.looked_for.burns for seconds in (burn.long_seconds, burn.short_seconds)}
        targets = {slo.name: slo.target for slo in self.looked_for.slos}
        rates: dict[str, dict[int, Spent]] = {}
        total: dict[str, tuple[int, int]] = {}
        ever = int(minute.timestamp()) + 60
        for window in truth.windows(at=minute, seconds=[*sorted(several), ever]):
            if window.slo not in targets:
                continue
            if window.seconds not in several:
                total[window.slo] = window.good, window.total
                continue
            bad, allowed = window.total - window.good, window.total * (1 - targets[window.slo])
            if window.total:
                rates.setdefault(window.slo, {})[window.seconds] = Spent(rate=bad / allowed, bad=bad)
        self.shown.counters = {
            "ringback_sli_events": self._risen("ringback_sli_events", {slo: all_ for slo, (_, all_) in total.items()}),
            "ringback_sli_good": self._risen("ringback_sli_good", {slo: good for slo, (good, _) in total.items()}),
        }
        return rates

    def _risen(self, name: str, now: Mapping[str, int]) -> dict[str, float]:
        """A counter never falls, or Prometheus takes it for a new one: what was counted too much is waited for."""
        before = self.shown.counters.get(name, {})
        return {slo.name: max(before.get(slo.name, 0.0), float(now.get(slo.name, 0))) for slo in self.looked_for.slos}

    # ---- telling -----------------------------------------------------------------------------------
    def _tell(self, firing: set[str], before: set[str], now: datetime) -> None:
        for name in sorted(firing - before):
            log.error("alert.fires", alert=name)
            self._marks.append((now, "alert", f"{name} fires"))
        for name in sorted(before - firing):
            log.warning("alert.ends", alert=name)
            self._marks.append((now, "alert", f"{name} ends"))
        self._paged = firing
        del self._marks[:-PENDING_MAX]

    def _write(self, values: Values, silent: Sequence[str], now: datetime, at: float) -> None:
        alerts = [asdict(one) | {"for_seconds": round(at - one.since, 1)} for one in self.firing]
        say = {"at": now.isoformat(), "by": self._listening.by, "alerts": alerts, "gauges": values}
        say["silent"] = sorted(silent)
        say["fired"] = self._evaluator.remembers(at=at)
        try:
            told.write(home=self.watched.home, told=say)
        except OSError as error:
            log.warning("watch.not_written", error=str(error))


def _quarantined() -> Values:
    return {"ringback_database_quarantined": {"": float(breaker.reason() == breaker.QUARANTINED)}}


def _share(part: float, whole: float) -> float:
    return part / whole if part >= BAD_FLOOR else 0.0
