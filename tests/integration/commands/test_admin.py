"""The admin of reminders: every table is read and none is changed; a dead letter is replayed once."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from reminders.models import Event, Reminder, Timer
from tests import servers
from tests.integration.commands.played import ANSWERS, MISSES, BookedCarrier

TABLES = (
    "subscriber",
    "reminder",
    "occurrence",
    "message",
    "reply",
    "attempt",
    "event",
    "timer",
    "opencall",
    "messagekey",
    "carrierkey",
    "pace",
    "watched",
    "lineage",
    "witness",
)
EMPTY = ("pace", "watched", "witness")  # in a world without processes
REMINDERS = "/admin/reminders/reminder/"

World = tuple[servers.Database, BookedCarrier]


@pytest.fixture(autouse=True)
def no_static_files(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)


@pytest.fixture
def client(world: World) -> Client:
    """A member of staff with every right, signed in."""
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("ada", password="x"))
    return signed_in


@pytest.fixture
def dead(world: World, planter: psycopg.Connection[tuple[Any, ...]]) -> Reminder:
    """A dead letter."""
    reminder = Reminder.objects.get(subscriber__number=MISSES)
    planter.execute("UPDATE reminders_reminder SET state = 'dead' WHERE id = %s", [reminder.id])
    return reminder


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_read_and_none_is_changed(client: Client, table: str) -> None:
    page = client.get(f"/admin/reminders/{table}/")
    assert page.status_code == 200
    assert client.get(f"/admin/reminders/{table}/add/").status_code == 403
    rows = list(page.context["cl"].result_list)
    for row in rows[:1]:
        assert client.get(f"/admin/reminders/{table}/{row.pk}/change/").status_code == 200
        assert client.post(f"/admin/reminders/{table}/{row.pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/reminders/{table}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert rows or table in EMPTY


@pytest.mark.parametrize("table", ["reminder", "message", "reply", "attempt", "event", "occurrence", "subscriber"])
def test_it_finds_a_person_by_their_number(client: Client, table: str) -> None:
    found = client.get(f"/admin/reminders/{table}/", {"q": "+1 202 555 0123"}).context["cl"].result_count
    everyone = client.get(f"/admin/reminders/{table}/").context["cl"].result_count
    assert 0 < found < everyone
    nobody = client.get(f"/admin/reminders/{table}/", {"q": "+12025550199"})
    assert nobody.context["cl"].result_count == 0


def test_a_reminders_page_shows_its_events_attempts_and_holds(client: Client) -> None:
    reminder = Reminder.objects.get(subscriber__number=ANSWERS)
    page = client.get(f"{REMINDERS}{reminder.pk}/change/").content.decode()
    for said in ("reminder.scheduled", "reminder.ringing", "attempt.placed", "call.key_pressed", "hold.posted"):
        assert said in page


def test_it_shows_the_reminders_of_one_state_without_reading_every_state(client: Client, dead: Reminder) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = client.get(REMINDERS, {"state": "dead"})
    assert [row.pk for row in page.context["cl"].result_list] == [dead.pk]
    assert not [query["sql"] for query in captured if "DISTINCT" in query["sql"] and "reminders_" in query["sql"]]


def test_no_list_of_history_counts_its_table(client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        client.get("/admin/reminders/event/")
    counting = [query["sql"] for query in captured if "COUNT(" in query["sql"] and "reminders_" in query["sql"]]
    assert counting
    assert all("LIMIT 1000" in sql for sql in counting)


def test_the_next_page_begins_after_the_last_row_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from reminders.admin import EventAdmin

    monkeypatch.setattr(EventAdmin, "list_per_page", 5)
    first = client.get("/admin/reminders/event/", {"q": ANSWERS})
    last = list(first.context["cl"].result_list)[-1]
    older = f"id__lt={last.pk}"
    assert older in first.content.decode()
    second = client.get(f"/admin/reminders/event/?q=%2B12025550123&{older}")
    assert all(str(row.pk) < str(last.pk) for row in second.context["cl"].result_list)


def test_what_is_in_no_order_of_ids_offers_no_page_that_begins_after_an_id(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reminders.admin import OpenCallAdmin

    monkeypatch.setattr(OpenCallAdmin, "list_per_page", 1)
    page = client.get("/admin/reminders/opencall/")
    assert len(page.context["cl"].result_list) == 1
    assert "id__lt" not in page.content.decode()


def test_a_dead_letter_is_replayed_once(client: Client, dead: Reminder) -> None:
    for _ in range(2):
        client.post(REMINDERS, {"action": "replay_dead_letter", "_selected_action": [str(dead.pk)]})
    dead.refresh_from_db()
    assert dead.state == "scheduled"
    assert Timer.objects.filter(kind="ring", key=dead.pk).count() == 1
    assert Event.objects.get(reminder_id=dead.pk, what="reminder.replayed").detail["by"].startswith("staff ")


def test_staff_without_the_right_replay_nothing(client: Client, dead: Reminder) -> None:
    viewer = User.objects.create_user("bob", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_reminder"))
    signed_in = Client()
    signed_in.force_login(viewer)
    assert signed_in.get(REMINDERS).status_code == 200
    signed_in.post(REMINDERS, {"action": "replay_dead_letter", "_selected_action": [str(dead.pk)]})
    dead.refresh_from_db()
    assert dead.state == "dead"
