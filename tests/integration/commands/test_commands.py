"""The commands: what they say to people and to programs, and how they end."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from billing.breaks import open_break
from billing.models import Break
from reminders import limits, tracing, under_watch
from reminders.models import Event, Reminder, Reply
from tests import servers
from tests.integration.commands.played import ANSWERS, LATE, MISSES, STOPS, WAITS, BookedCarrier

pytestmark = pytest.mark.usefixtures("carrier")


def run(*words: str) -> tuple[int, str, str]:
    """(exit code, what it said, what it complained of)."""
    said, complained = StringIO(), StringIO()
    try:
        call_command(*words, stdout=said, stderr=complained)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code, said.getvalue(), complained.getvalue()
    return 0, said.getvalue(), complained.getvalue()


def told(*words: str) -> Any:
    """What it says to programs."""
    code, said, _ = run(*words, "--json")
    assert code == 0
    return json.loads(said)


def test_a_statement_names_each_charge_with_its_evidence_and_reminder() -> None:
    found = told("statement", ANSWERS)
    reminder = str(Reminder.objects.get(subscriber__number=ANSWERS).id)
    assert (found["number"], found["currency"], found["balance_minor"]) == (ANSWERS, "USD", -11)
    assert [(one["kind"], one["amount_minor"], one["reminder"]) for one in found["charges"]] == [
        ("sms", 1, reminder),
        ("call", 10, reminder),
    ]
    assert found["charges"][0]["evidence"]["sid"].startswith("SM")
    assert found["charges"][1]["evidence"]["carrier_sid"].startswith("CA")
    assert found["charges"][1]["evidence"]["pressed"] == "1"


@pytest.mark.parametrize(("number", "balance"), [(MISSES, -1), (WAITS, -3), (STOPS, -1), (LATE, -1)])
def test_what_was_missed_late_or_stopped_costs_nothing_but_the_texts(number: str, balance: int) -> None:
    assert told("statement", number)["balance_minor"] == balance


def test_a_trace_goes_in_order_from_the_text_to_the_charge() -> None:
    found = told("trace", ANSWERS)
    what = [one["what"] for one in found["events"]]
    expected = ["message.received", "reminder.scheduled", "charge.sms", "attempt.intended", "reminder.ringing"]
    expected += ["call.answered", "call.key_pressed", "reminder.answered", "hold.posted", "charge.call"]
    assert [one for one in what if one in expected] == expected
    assert [one["at"] for one in found["events"]] == sorted(one["at"] for one in found["events"])
    assert all(len(one["trace_id"]) == 32 for one in found["events"])
    assert [one["version"] for one in found["events"] if one["version"]] == [1, 2, 3]
    attempt = next(one for one in found["events"] if one["what"] == "attempt.intended")
    assert attempt["detail"]["lateness_ms"] >= 0


def test_a_trace_as_of_a_moment_knows_no_more_than_was_known_then() -> None:
    reminder = Reminder.objects.get(subscriber__number=MISSES)
    for event in Event.objects.filter(reminder_id=reminder.id, version__isnull=False).order_by("version"):
        at = event.recorded_at.isoformat()
        found = told("trace", MISSES, "--at", at)
        assert found["reminders"][0]["state"] == event.detail["state"]
        assert found["reminders"][0]["version"] == event.version
        assert all(
            one["recorded_at"] <= at.replace("+00:00", "Z") or at[:19] in one["recorded_at"] for one in found["events"]
        )
    before = told("trace", MISSES, "--at", (reminder.created_at - timedelta(hours=1)).isoformat())
    assert before["events"] == before["reminders"] == []


@pytest.mark.parametrize("number", [ANSWERS, MISSES, WAITS, STOPS, LATE])
@pytest.mark.parametrize("command", ["statement", "trace"])
def test_it_reads_well_on_80_columns_and_says_what_next(command: str, number: str) -> None:
    code, said, _ = run(command, number)
    assert code == 0
    assert max(len(line) for line in said.splitlines()) <= 80
    assert "Next: ./manage.py" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("command", ["statement", "trace"])
@pytest.mark.parametrize(
    ("number", "why"), [("12", "is not a phone number"), ("+12025550199", "Nobody has texted"), ("tea", "is not")]
)
def test_a_number_that_it_cannot_answer_for_is_one_sentence(command: str, number: str, why: str) -> None:
    code, said, complained = run(command, number)
    assert (code, said) == (2, "")
    assert why in complained
    assert complained.count("\n") == 1


def test_a_time_that_is_none_is_one_sentence() -> None:
    assert run("trace", ANSWERS, "--at", "yesterday")[0] == 2


def test_audit_exits_with_0_1_and_2(carrier: BookedCarrier, planter: psycopg.Connection[tuple[Any, ...]]) -> None:
    code, said, _ = run("audit", "--json")
    found = json.loads(said)
    assert (code, found["ok"]) == (0, True)
    assert [one["id"] for one in found["promises"]] == [f"P{number}" for number in range(1, 10)]
    carrier.away = True
    assert run("audit")[0] == 2
    planter.execute("DELETE FROM reminders_timer WHERE kind = 'ring'")
    code, said, _ = run("audit", "--json")
    assert (code, json.loads(said)["ok"]) == (1, False)
    code, said, _ = run("audit")
    assert "ring_missing: reminder" in said


def test_an_empty_system_was_not_checked(database: servers.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.wiring.carrier", BookedCarrier)
    code, said, _ = run("audit", "--json")
    assert (code, json.loads(said)["ok"]) == (2, None)


def test_a_dead_letter_is_listed_replayed_once_and_rings_again(planter: psycopg.Connection[tuple[Any, ...]]) -> None:
    assert "There are no dead letters." in run("replay_dead_letter")[1]
    reminder = Reminder.objects.get(subscriber__number=MISSES)
    planter.execute("UPDATE reminders_reminder SET state = 'dead' WHERE id = %s", [reminder.id])
    listed = told("replay_dead_letter")["dead_letters"]
    assert [(one["id"], one["number"]) for one in listed] == [(str(reminder.id), MISSES)]
    assert str(reminder.id) in run("replay_dead_letter")[1]
    assert told("replay_dead_letter", str(reminder.id)) == {
        "replayed": [str(reminder.id)],
        "fates": {str(reminder.id): "rings"},
        "not_dead": [],
    }
    code, said, _ = run("replay_dead_letter", str(reminder.id))
    assert code == 2
    assert "not a dead letter" in said
    assert run("replay_dead_letter", "--all")[0] == 0
    assert run("replay_dead_letter", "x")[0] == 2
    reminder.refresh_from_db()
    assert (reminder.state, reminder.attempts, reminder.tries) == ("scheduled", 0, 0)


def test_settings_are_listed_with_their_meaning_and_never_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_TWILIO_AUTH_TOKEN", "very-secret-token")
    monkeypatch.setenv("RINGBACK_LEASE_SECONDS", "20")
    found = {one["name"]: one for one in told("settings")}
    assert found["RINGBACK_TWILIO_AUTH_TOKEN"]["value"] == "(secret)"
    assert (found["RINGBACK_LEASE_SECONDS"]["value"], found["RINGBACK_LEASE_SECONDS"]["where"]) == ("20", "environment")
    assert all(one["meaning"] for one in found.values())
    code, said, _ = run("settings")
    assert code == 0
    assert "very-secret-token" not in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_a_reply_of_ours_is_told_with_its_text() -> None:
    reply = Reply.objects.get(
        subscriber_id=Reminder.objects.get(subscriber__number=MISSES).subscriber_id, kind="missed"
    )
    told_ = [one for one in told("trace", MISSES)["events"] if one["detail"].get("text") == reply.body]
    assert [one["what"] for one in told_] == ["reply.intended"]
    assert datetime.fromisoformat(told_[0]["at"]) <= datetime.now(UTC)


def test_a_person_is_put_under_watch_listed_and_let_go() -> None:
    code, said, _ = run("trace", ANSWERS, "--watch", "1d")
    name = tracing.name_of(number=ANSWERS, key=settings.RINGBACK_TELEMETRY_KEY)
    assert code == 0
    assert name in said
    (one,) = told("trace", "--watched")["watched"]
    assert (one["number"], one["name"]) == (ANSWERS, name)
    lasts = datetime.fromisoformat(one["until"]) - datetime.fromisoformat(one["since"])
    assert lasts == timedelta(days=1)
    assert ANSWERS in run("trace", "--watched")[1]
    run("trace", ANSWERS, "--watch", "30m")  # a new end, the same person
    assert len(told("trace", "--watched")["watched"]) == 1
    assert "no more" in run("trace", ANSWERS, "--watch", "end")[1]
    assert "was not" in run("trace", ANSWERS, "--watch", "end")[1]
    assert told("trace", "--watched")["watched"] == []
    assert "Nobody" in run("trace", "--watched")[1]


def test_a_watch_that_has_ended_watches_nobody_and_is_forgotten() -> None:
    run("trace", ANSWERS, "--watch", "30m")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert under_watch.names(now=datetime.now(UTC)) == {
        tracing.name_of(number=ANSWERS, key=settings.RINGBACK_TELEMETRY_KEY)
    }
    assert under_watch.listed(now=later) == []
    person = Reminder.objects.get(subscriber__number=MISSES).subscriber_id
    under_watch.begin(name="ab" * 16, subscriber_id=person, now=later, until=later + timedelta(hours=1))
    assert [one.number for one in under_watch.listed(now=datetime.now(UTC))] == [MISSES]


@pytest.mark.parametrize("how_long", ["", "1", "0m", "31d", "1w", "-1d", "forever", "1d2h"])
def test_it_refuses_what_is_not_how_long_to_watch(how_long: str) -> None:
    code, _, complained = run("trace", ANSWERS, f"--watch={how_long}")
    assert code == 2
    assert "30m, 12h or 1d" in complained
    assert under_watch.listed(now=datetime.now(UTC)) == []


def test_it_watches_no_more_people_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHED_MAX", 1)
    assert run("trace", ANSWERS, "--watch", "1h")[0] == 0
    assert run("trace", ANSWERS, "--watch", "2h")[0] == 0
    code, _, complained = run("trace", MISSES, "--watch", "1h")
    assert (code, "end one" in complained) == (2, True)


def test_it_asks_whose_trace_where_nobody_is_named() -> None:
    assert run("trace")[0] == 2


def test_an_alert_that_there_is_not_is_refused_with_the_nearest_that_there_is() -> None:
    code, said, complained = run("alerts", "RedisAwy")
    assert (code, said) == (2, "")
    assert complained == "There is no alert 'RedisAwy': did you mean RedisAway?\n"


def test_breaks_are_listed_and_closed_with_what_was_found() -> None:
    assert "There are no open breaks." in run("breaks")[1]
    open_break(promise="P6", kind="call_unknown", subject=("call", "CA1"), detail={"to": "x"}, at=datetime.now(UTC))
    ((one,),) = told("breaks").values()
    assert (one["promise"], one["kind"], one["subject"]) == ("P6", "call_unknown", {"kind": "call", "id": "CA1"})
    assert run("breaks", one["id"])[2] == 'Say what was found: --note "…".\n'
    assert run("breaks", "--all", "--note", "a test call of ours") == (0, "Closed 1 of 1 breaks.\n", "")
    closed = Break.objects.get(id=one["id"])
    assert (closed.note, closed.closed_at is None) == ("a test call of ours", False)
    code, _, complained = run("breaks", one["id"], "--note", "again")
    assert (code, complained) == (2, f"{one['id']!r} is not the id of an open break: ./manage.py breaks lists them.\n")
