"""The watch, over the whole product in one process with a stopped clock: what it sees, counts and says."""

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from billing import breaker
from config.observing import probes, prometheus, told, truth
from config.observing.scraping import Key, Scraped, Scraper
from config.observing.slos import LOOKS, looked_for
from config.observing.watching import Watch, Watched
from reminders import intake, limits, tracing
from reminders.carriers.base import Inbound
from tests.world.carrier import Fate
from tests.world.scripts import TEA
from tests.world.world import World

NUMBER = "+12025550150"


@pytest.fixture
def watch(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """One that finds no other process, and Redis and a carrier that answer."""
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(probes, "doorbells", lambda: 0)
    monkeypatch.setattr(probes, "answers", lambda _base: True)
    watched = Watched(
        home=tmp_path,
        carriers=("http://127.0.0.1:1",),
        fresh_seconds=60,
        lease_seconds=30,
        horizon_seconds=20,
        call_seconds=390,
        standbys=0,
        version="v1",
    )
    return Watch(watched=watched, looked_for=looked_for())


KEPT = looked_for().keep_seconds + 1  # so long after its end an alert does not fire any more


def looked(watch: Watch, world: World, seconds: float = 0.0) -> set[str]:
    """Look again so much later; what fires unsilenced."""
    world.clock.step(seconds=seconds) if seconds else None
    watch.look(now=world.clock.now, at=world.clock.now.timestamp())
    return {one.name for one in watch.firing if not one.silenced_by}


def value(watch: Watch, name: str) -> float:
    return watch.shown.gauges[f"ringback_{name}"][""]


def test_nothing_fires_where_all_is_well(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.run()
    assert looked(watch, world) == set()
    # The stopped clock stands in another year than the partitions, and housekeeping is not run.
    assert looked(watch, world, 120) - {"TimersOverdue", "MonthsMissing"} == set()


def test_it_sees_what_is_due_and_pages_once_nobody_rings_it(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.clock.step(seconds=3600 * 24)
    assert "RemindersOverdue" not in looked(watch, world)
    assert value(watch, "oldest_due_seconds") > 20
    assert "RemindersOverdue" in looked(watch, world, 15)


def test_what_was_fetched_late_has_been_due_only_since_it_could_ring(world: World, watch: Watch) -> None:
    came_at = world.clock.now
    world.clock.step(seconds=300)
    body = "Remind me in 1 minute about tea"
    message = Inbound(carrier="twilio", carrier_sid="SM" + "0" * 32, sender=NUMBER, body=body, opt_out=None)
    intake.accept(message=message, received_at=came_at, trace_context=tracing.new())
    assert "RemindersOverdue" not in looked(watch, world)
    assert value(watch, "oldest_due_seconds") == 0
    assert "RemindersOverdue" not in looked(watch, world, 19)
    assert value(watch, "oldest_due_seconds") == 19
    assert "RemindersOverdue" not in looked(watch, world, 7)
    assert "RemindersOverdue" in looked(watch, world, 15)


def test_it_sees_what_is_charged_and_what_is_held_for_a_call(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.run()
    looked(watch, world)
    assert watch.shown.gauges["ringback_ledger_lately"] == {"sms": 1, "call": 1, "credit": 0, "refund": 0}
    assert value(watch, "holds_reserved") == 0


def test_what_is_claimed_and_not_dialled_is_still_due(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.clock.step(seconds=3600 * 24)
    world.see.execute(
        "UPDATE reminders_timer SET token = gen_random_uuid(), wake_at = %s WHERE kind = 'ring'",
        [world.clock.now + timedelta(seconds=20)],
    )
    looked(watch, world)
    assert value(watch, "oldest_due_seconds") > 20
    world.see.execute(
        "UPDATE reminders_timer SET leased_until = wake_at, wake_at = due_at WHERE kind = 'ring'"
    )  # the other was a claim of the version before: its lease is in the wake time
    looked(watch, world)
    assert value(watch, "oldest_due_seconds") > 20


def test_what_fails_again_and_again_is_still_due_while_it_waits(world: World, watch: Watch) -> None:
    world.fails = lambda _: True
    world.text(NUMBER, TEA)
    world.run(seconds=200)
    assert world.rows("SELECT FROM reminders_timer WHERE kind = 'ring' AND wake_at <= %s", world.clock.now) == []
    looked(watch, world)
    assert value(watch, "oldest_due_seconds") == 140
    assert "RemindersOverdue" in looked(watch, world, 15)


def test_a_table_that_is_locked_is_told_from_a_database_that_is_away(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    with world.see.transaction():
        world.see.execute("LOCK TABLE reminders_timer IN ACCESS EXCLUSIVE MODE")
        assert looked(watch, world) == set()
        assert looked(watch, world, 15) == {"TablesLocked"}
        assert value(watch, "database_up") == 1.0
    assert "TablesLocked" not in looked(watch, world, KEPT)


def test_a_server_that_is_slow_is_away_only_after_a_while(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(**_: object) -> None:
        raise OperationalError("planted: canceling statement due to statement timeout")

    looked(watch, world)
    with monkeypatch.context() as slow:
        slow.setattr(truth, "figures", slowly)
        for _ in range(2):
            assert "DatabaseAway" not in looked(watch, world, 10)
            assert value(watch, "database_writable") == 1.0
        looked(watch, world, 5)
        assert value(watch, "database_writable") == 0.0
        assert "DatabaseAway" in looked(watch, world, 10)
    looked(watch, world)
    assert value(watch, "database_writable") == 1.0


def test_a_commit_that_has_only_begun_to_wait_alarms_nobody_and_is_not_joined(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, kept = truth.figures, list[str]()
    monkeypatch.setattr(truth, "keep", lambda **_: kept.append("counted"))
    monkeypatch.setattr(truth, "figures", lambda **bounds: {**figures(**bounds), "commits_begun": 9})
    looked(watch, world)
    assert "CommitsWaiting" not in looked(watch, world, 60)
    assert kept == []


def test_it_commits_nothing_of_its_own_while_commits_wait(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, kept = truth.figures, list[str]()
    monkeypatch.setattr(truth, "keep", lambda **_: kept.append("counted"))
    monkeypatch.setattr(
        truth, "figures", lambda **bounds: {**figures(**bounds), "commits_waiting": 4, "commits_begun": 4}
    )
    looked(watch, world)
    assert "CommitsWaiting" in looked(watch, world, 60)
    assert kept == []
    monkeypatch.setattr(truth, "figures", figures)
    looked(watch, world, 60)
    assert kept == ["counted"]


def test_a_text_that_is_held_for_our_set_up_is_a_ticket_until_it_has_left(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: dict[str, dict[Key, float]] = {"worker-1": {("ringback_replies_total", (("found", "held"),)): 1.0}}
    rose: list[dict[str, dict[Key, float]]] = [{}]
    monkeypatch.setattr(Scraper, "scrape", lambda _: Scraped(targets=(), down=(), rose=rose[0], levels={}))
    apart = round(limits.REPLY_HELD_AGAIN_SECONDS[1])  # as seldom as it is asked for again
    fired = []
    for seconds in range(0, 4 * apart, 5):
        rose[0] = refused if seconds % apart == 0 else {}
        fired.append("CarrierAccountRefused" in looked(watch, world, 5))
    assert fired[-1]
    assert fired == sorted(fired)  # it does not flutter between two tries
    rose[0] = {}
    assert "CarrierAccountRefused" in looked(watch, world, 5)
    for _ in range(18):
        after = looked(watch, world, 5)
    assert "CarrierAccountRefused" not in after


def test_a_call_that_does_not_end_is_a_ticket(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.see.execute(
        "INSERT INTO reminders_opencall (subscriber_id, attempt_id, opened_at)"
        " SELECT id, gen_random_uuid(), %s FROM reminders_subscriber",
        [world.clock.now - timedelta(seconds=391)],
    )
    looked(watch, world)
    assert value(watch, "calls_too_long") == 1
    assert "CallsTooLong" in looked(watch, world, 60)


def test_months_that_were_not_made_are_a_ticket(world: World, watch: Watch) -> None:
    looked(watch, world)
    assert value(watch, "months_ahead") == 0  # the stopped clock stands in another year than the partitions
    assert "MonthsMissing" in looked(watch, world, 60)


def test_a_row_that_no_month_holds_is_a_ticket(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    assert "RowsUnplaced" not in looked(watch, world)
    world.see.execute(
        "INSERT INTO reminders_event SELECT (jsonb_populate_record(e,"
        ' \'{"id": "7fffffff-0000-7000-8000-000000000000"}\')).* FROM reminders_event e LIMIT 1'
    )
    assert "RowsUnplaced" in looked(watch, world)


def counted(world: World) -> dict[str, tuple[int, int]]:
    """Count now and keep it. The ids of rows are of the real clock, what is in them of the stopped one."""
    truth.keep(counts=truth.count(now=datetime.now(UTC) + timedelta(minutes=1), fresh_seconds=60), adds=[])
    at = world.clock.now + timedelta(minutes=1)
    return {one.slo: (one.good, one.total) for one in truth.windows(at=at, seconds=[86400])}


def test_it_counts_what_the_objectives_count(world: World) -> None:
    world.text(NUMBER, TEA)
    world.run()
    assert (counted(world)["freshness"], counted(world)["correctness"]) == ((1, 1), (2, 2))


def test_it_counts_a_late_ring_as_not_good(world: World) -> None:
    world.text(NUMBER, TEA)
    world.clock.step(seconds=3 * 3600)
    world.run()
    assert counted(world)["freshness"] == (0, 1)


def test_a_break_is_a_ticket_and_costs_correctness(world: World, watch: Watch) -> None:
    world.text(NUMBER, TEA)
    world.see.execute(
        "INSERT INTO billing_break (id, promise, kind, subject_kind, subject_id, detail, opened_at)"
        " VALUES (gen_random_uuid(), 'P6', 'planted', 'test', '1', '{}', %s)",
        [world.clock.now],
    )
    assert "BreaksOpen" in looked(watch, world, 60)
    told = {one.slo: (one.good, one.total) for one in truth.windows(at=world.clock.now, seconds=[3600])}
    assert told["correctness"] == (0, 1)


def test_it_goes_on_where_the_database_is_away_and_counts_later(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise OperationalError("planted")

    with monkeypatch.context() as broken:
        broken.setattr(truth, "server", away)
        broken.setattr(truth, "count", away)
        assert looked(watch, world) == set()
        assert looked(watch, world, 10) == {"DatabaseAway"}
    assert looked(watch, world, KEPT) == set()
    looked(watch, world, 60)
    said = [mark["says"] for mark in truth.marks(since=world.clock.now - timedelta(hours=1), until=world.clock.now)]
    assert sorted(said) == ["DatabaseAway ends", "DatabaseAway fires", "version v1 runs"]


def test_a_database_that_was_put_back_pages(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(watch, world)

    def refused() -> None:
        breaker.trip(why=breaker.QUARANTINED)
        raise OperationalError("put back")

    monkeypatch.setattr(breaker, "_breaker", breaker._Breaker())
    with monkeypatch.context() as put_back:
        put_back.setattr(truth, "server", refused)
        assert looked(watch, world) == set()
        assert looked(watch, world, 15) == {"DatabaseQuarantined"}
    breaker.shut(proved_since=time.monotonic())
    assert looked(watch, world, KEPT) == set()
    assert value(watch, "database_quarantined") == 0


def test_it_marks_the_deploy_once_and_each_moment_once(world: World, watch: Watch) -> None:
    at = world.clock.now
    for _ in range(2):
        truth.mark(at=at, kind="fault", says="web-1 was started anew")
    for seconds in (0, 60, 60):
        looked(watch, world, seconds)
    said = [mark["says"] for mark in truth.marks(since=at - timedelta(hours=1), until=world.clock.now)]
    assert (said.count("version v1 runs"), said.count("web-1 was started anew")) == (1, 1)


def test_it_writes_down_what_it_sees_for_the_page(world: World, watch: Watch, tmp_path: Path) -> None:
    looked(watch, world)
    told = json.loads((tmp_path / "run" / "alerts.json").read_text())
    assert told["alerts"] == []
    assert told["gauges"]["ringback_database_up"] == {"": 1.0}


def test_it_tells_which_instances_do_not_answer(world: World, watch: Watch, tmp_path: Path) -> None:
    target = {"targets": ["127.0.0.1:9"], "labels": {"process": "worker", "instance": "worker-1"}}
    (tmp_path / "run" / "targets.json").write_text(json.dumps([target]))
    looked(watch, world)
    assert "WorkerDown" in looked(watch, world, 15)


def test_a_counter_that_began_anew_is_not_taken_for_a_fall() -> None:
    scraper = Scraper(place=Path("/nonexistent"))
    series = ("ringback_intake_total", ())
    assert scraper._rise("web-1", {series: 5.0}) == {}
    assert scraper._rise("web-1", {series: 9.0}) == {series: 4.0}
    assert scraper._rise("web-1", {series: 2.0}) == {series: 2.0}


def test_an_occurrence_whose_next_attempt_is_claimed_is_not_forgotten(world: World) -> None:
    """An hour after its first attempt it waits for the second, which is due: good while somebody has claimed it."""
    world.carrier.fate_of = lambda _: Fate(end="no-answer")
    world.text(NUMBER, TEA)
    world.run(seconds=120)
    world.clock.step(truth.SETTLED_SECONDS)

    # The minutes are found by ids, which tell the machine's own time.
    an_hour_on = datetime.now(UTC) + timedelta(seconds=truth.SETTLED_SECONDS + 120)

    def good() -> list[int]:
        return [one.good for one in truth.count(now=an_hour_on, fresh_seconds=60) if one.slo == "completeness"]

    plant = (
        "UPDATE reminders_timer SET wake_at = due_at, token = gen_random_uuid(), leased_until = %s WHERE kind = 'ring'"
    )
    world.see.execute(plant, [world.clock.now + timedelta(seconds=15)])
    assert good() == [1]
    world.see.execute(plant, [world.clock.now - timedelta(seconds=1)])
    assert good() == [0]


def test_what_it_counted_in_all_never_falls(world: World, watch: Watch) -> None:
    """Also where minutes grow too old to be kept one by one, and where a late break makes a good event a bad one."""
    old, now = world.clock.now - timedelta(days=91), world.clock.now
    plant = "INSERT INTO observing_rollup (slo, minute, good, total) VALUES ('freshness', %s, %s, %s)"
    for minute in (old, old + timedelta(minutes=1), now - timedelta(minutes=5)):
        world.see.execute(plant, [minute.replace(second=0, microsecond=0), 9, 10])
    looked(watch, world)
    seen = dict(watch.shown.counters["ringback_sli_events"])
    assert (seen["freshness"], watch.shown.counters["ringback_sli_good"]["freshness"]) == (30, 27)
    assert set(seen) == {slo.name for slo in looked_for().slos}  # at zero from the start
    ((kept, good, total),) = world.rows(
        "SELECT count(*), sum(good), sum(total) FROM observing_rollup WHERE minute < %s", now - timedelta(days=90)
    )
    assert (kept, good, total) == (1, 18, 20)
    world.see.execute("UPDATE observing_rollup SET good = 0 WHERE slo = 'freshness'")
    looked(watch, world, 60)
    assert watch.shown.counters["ringback_sli_events"]["freshness"] == 30
    assert watch.shown.counters["ringback_sli_good"]["freshness"] == 27


def heartbeat(at: datetime) -> dict[str, object]:
    """What Alertmanager holds while Prometheus looks and finds nothing."""
    labels = {"alertname": LOOKS, "severity": "none", "class": "heartbeat"}
    return {"fingerprint": "f", "labels": labels, "updatedAt": at.isoformat(), "status": {}}


def test_the_watch_decides_where_prometheus_falls_silent_and_says_so(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.watched = replace(watch.watched, alertmanager="http://127.0.0.1:1")
    held: list[dict[str, object]] | None = None
    monkeypatch.setattr(prometheus, "ask", lambda _url: held)

    def by() -> str:
        return str(told.read(home=watch.watched.home, at=world.clock.now)["by"])

    looked(watch, world)
    assert (by(), value(watch, "prometheus_up")) == ("watch", 0)
    held = [heartbeat(world.clock.now)]
    assert looked(watch, world, 5) == set()
    assert (by(), value(watch, "prometheus_up")) == ("prometheus", 1)
    held = None
    assert "PrometheusAway" not in looked(watch, world, 5)
    assert by() == "watch"
    assert "PrometheusAway" in looked(watch, world, 60)
    held = [heartbeat(world.clock.now + timedelta(seconds=KEPT))]
    assert "PrometheusAway" not in looked(watch, world, KEPT)


def test_a_watch_that_is_alone_shows_nothing_of_prometheus(world: World, watch: Watch) -> None:
    assert "PrometheusAway" not in looked(watch, world) | looked(watch, world, 120)
    assert "ringback_prometheus_up" not in watch.shown.gauges


@pytest.fixture
def worker(watch: Watch, world: World) -> Path:
    """A worker that the supervisor lists and that does not answer: its pid file, from an hour ago."""
    run = watch.watched.home / "run"
    listed = [{"targets": ["127.0.0.1:1"], "labels": {"instance": "worker-1", "process": "worker"}}]
    (run / "targets.json").write_text(json.dumps(listed))
    place = run / "worker-1.pid"
    place.write_text("1")
    started(place, world, ago=3600)
    return place


def started(place: Path, world: World, *, ago: float) -> None:
    """The process is another since so many seconds."""
    at = world.clock.now.timestamp() - ago
    os.utime(place, (at, at))


def test_a_process_that_stands_still_is_down_at_once(world: World, watch: Watch, worker: Path) -> None:
    assert worker.exists()
    watch._answered["worker-1"] = world.clock.now.timestamp()
    assert "WorkerDown" not in looked(watch, world)
    assert "WorkerDown" in looked(watch, world, 15)


def test_a_process_that_is_started_anew_has_half_a_minute(world: World, watch: Watch, worker: Path) -> None:
    watch._answered["worker-1"] = world.clock.now.timestamp() - 5
    started(worker, world, ago=1)
    fired = {seconds: "WorkerDown" in looked(watch, world, 5 if seconds else 0) for seconds in range(0, 50, 5)}
    assert fired == {seconds: seconds >= 45 for seconds in fired}  # 30 s since it answered, then 15 s of its own


def test_one_that_dies_again_and_again_is_down(world: World, watch: Watch, worker: Path) -> None:
    watch._answered["worker-1"] = world.clock.now.timestamp()
    for _ in range(9):
        started(worker, world, ago=1)
        seen = looked(watch, world, 5)
    assert "WorkerDown" not in seen
    started(worker, world, ago=1)
    assert "WorkerDown" in looked(watch, world, 5)


def test_one_that_nobody_started_anew_is_down(world: World, watch: Watch, worker: Path) -> None:
    worker.unlink()
    looked(watch, world)
    assert "WorkerDown" in looked(watch, world, 15)


def test_one_that_is_started_anew_pages_nobody_again(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("planted")

    monkeypatch.setattr(truth, "server", away)
    looked(watch, world)
    assert looked(watch, world, 10) == {"DatabaseAway"}
    world.clock.step(seconds=30)
    anew = Watch(watched=watch.watched, looked_for=looked_for())
    assert looked(anew, world) == {"DatabaseAway"}
    assert [one.since for one in anew.firing] == [watch.firing[0].since]
    assert anew._marks == []  # nothing new to tell
    (tmp := watch.watched.home / "run" / "alerts.json").write_text(tmp.read_text().replace('"alerts"', '"others"'))
    assert looked(Watch(watched=watch.watched, looked_for=looked_for()), world) == set()
