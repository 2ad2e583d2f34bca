"""What Alertmanager holds, read; and who is listened to: Prometheus while it looks, else the watch."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from config.observing import prometheus
from config.observing.alerting import Firing
from config.observing.prometheus import PROMETHEUS, SILENT_SECONDS, WATCH, Listening
from config.observing.slos import LOOKS, looked_for

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LOOKED_FOR = looked_for()


def held(name: str, *, seconds: float = 0, began: float = 30, by: tuple[str, ...] = (), hand: bool = False) -> Any:
    """An alert as Alertmanager holds it, sent so many seconds ago; `by`: the fingerprints of what inhibits it."""
    return {
        "fingerprint": f"of {name}",
        "labels": {"alertname": name, "severity": "page", "promise": "P5", "slo": "none", "class": "symptom"},
        "annotations": {"summary": f"{name} says so."},
        "updatedAt": (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z"),
        "startsAt": (NOW - timedelta(seconds=began)).isoformat().replace("+00:00", "Z"),
        "status": {"state": "active", "inhibitedBy": list(by), "silencedBy": ["a-silence"] if hand else []},
    }


def fires(*found: Any) -> list[Firing] | None:
    looks = {"ringback_redis_up": {"": 0.0}}
    return prometheus.fires(found, looked_for=LOOKED_FOR, looks=looks, now=NOW, at=1000.0)


def told(*found: Any) -> list[tuple[str, str]] | None:
    several = fires(held(LOOKS), *found)
    return None if several is None else [(one.name, one.silenced_by) for one in several]


def test_it_reads_what_fires_and_since_when() -> None:
    several = fires(held(LOOKS), held("RedisAway"))
    assert several is not None
    (one,) = several
    assert (one.name, one.severity, one.slo, one.says) == ("RedisAway", "page", "", "RedisAway says so.")
    assert (one.since, one.value) == (970.0, 0.0)


def test_what_a_cause_or_a_person_silences_is_silent() -> None:
    found = [held("RedisAway"), held("DoorbellsLost", by=("of RedisAway",)), held("BreaksOpen", hand=True)]
    assert told(*found) == [
        ("RedisAway", ""), ("DoorbellsLost", "RedisAway"), ("BreaksOpen", "a silence in Alertmanager"),
    ]  # fmt: skip


def test_what_has_fired_lately_is_told_by_its_own_name_and_fires_nowhere() -> None:
    echo = held("FiredLately")
    echo["labels"]["cause"] = "DatabaseAway"
    found = [echo, held("StandbysMissing", by=("of FiredLately",))]
    assert told(*found) == [("StandbysMissing", "DatabaseAway")]


def test_an_objective_that_burns_in_two_windows_is_one_alert_and_loud_where_one_is() -> None:
    name = "FreshnessBudgetBurnsFast"
    quiet, loud = held(name, by=("of RedisAway",)), held(name)
    assert told(quiet, loud) == [(name, "")]
    assert told(quiet, quiet) == [(name, "another alert")]


def test_it_knows_that_prometheus_does_not_look() -> None:
    assert fires() is None
    assert fires(held("RedisAway")) is None  # somebody else's, or from before it went away
    assert fires(held(LOOKS, seconds=SILENT_SECONDS + 1), held("RedisAway")) is None
    assert fires(held(LOOKS, seconds=SILENT_SECONDS)) == []


def test_an_answer_that_it_does_not_know_is_none() -> None:
    assert fires({"what": "else"}) is None
    assert fires("text") is None
    assert fires(held(LOOKS), {**held("RedisAway"), "labels": {"alertname": "RedisAway"}}) is None


def test_nobody_answers_and_it_says_so() -> None:
    assert prometheus.ask("http://127.0.0.1:1") is None


def firing(*names: str) -> list[Firing]:
    one = Firing(
        name="", severity="page", promise="P5", slo="", says="", since=0.0, silenced_by="", value=None,
    )  # fmt: skip
    return [replace(one, name=name) for name in names]


def listened(looks: Sequence[tuple[float, list[Firing], list[Firing] | None]]) -> list[tuple[str, list[str]]]:
    """Look after look: who is listened to, and what fires."""
    listening, found = Listening(), []
    for at, own, theirs in looks:
        chosen = listening.choose(own=own, theirs=theirs, at=at)
        found.append((listening.by, [one.name for one in chosen]))
    return found


def test_prometheus_is_listened_to_once_both_say_the_same() -> None:
    away, well = firing("RedisAway"), firing()
    found = listened([(0, well, None), (5, away, well), (10, away, away), (15, well, away), (20, well, well)])
    assert found == [
        (WATCH, []),
        (WATCH, ["RedisAway"]),  # Prometheus is seconds later: its silence ends no page of the watch
        (PROMETHEUS, ["RedisAway"]),
        (PROMETHEUS, ["RedisAway"]),
        (PROMETHEUS, []),
    ]


def test_the_watch_takes_over_at_once() -> None:
    away = firing("RedisAway")
    assert listened([(0, away, away), (5, away, None)]) == [(PROMETHEUS, ["RedisAway"]), (WATCH, ["RedisAway"])]


def test_who_never_agrees_is_listened_to_in_the_end() -> None:
    own, theirs = firing("RedisAway"), firing("WatchAbsent")
    found = listened([(0, own, theirs), (119, own, theirs), (120, own, theirs)])
    assert [by for by, _ in found] == [WATCH, WATCH, PROMETHEUS]
