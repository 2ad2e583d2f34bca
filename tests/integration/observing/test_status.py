"""The page of nines: what everybody sees, what only staff sees, and what it says where figures are missing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client

from config.observing import truth
from config.observing.truth import Count
from tests.world.world import World


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    """A data directory where no watch runs yet."""
    (tmp_path / "run").mkdir()
    settings.RINGBACK_HOME = tmp_path
    return tmp_path


@pytest.fixture
def staff(world: World) -> Client:
    """A member of the staff, signed in."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("teacher", is_staff=True))
    return client


def looked(home: Path, at: datetime, *alerts: dict[str, Any]) -> None:
    """What the watch wrote at its last look."""
    told = {"at": at.isoformat(), "alerts": list(alerts), "gauges": {}}
    (home / "run" / "alerts.json").write_text(json.dumps(told))


def alert(name: str, *, severity: str = "page", silenced_by: str = "") -> dict[str, Any]:
    says = f"{name} says so."
    return {"name": name, "severity": severity, "says": says, "silenced_by": silenced_by, "for_seconds": 12}


def said(client: Client, **query: str) -> tuple[int, str]:
    answer = client.get("/status/", query)
    return answer.status_code, answer.content.decode()


def test_everybody_sees_the_public_objectives_alone(world: World, home: Path, staff: Client) -> None:
    _, public = said(Client())
    _, whole = said(staff)
    assert "Phones ring on time" in public
    assert "The books agree" not in public
    assert "The books agree" in whole


def test_it_tells_what_was_reached_and_what_is_proved(world: World, home: Path) -> None:
    minute = world.clock.now.replace(second=0, microsecond=0) - timedelta(minutes=5)
    truth.keep(counts=[Count(slo="freshness", minute=minute, good=2_999, total=3_000)], adds=[])
    status, page = said(Client())
    assert status == 200
    assert "3.48" in page  # one bad event of 3,000
    assert "2.83" in page  # what that proves at 95 %: at most 14.9 bad ones of 10,000
    assert "3,000" in page


def test_it_says_that_nobody_looks(world: World, home: Path) -> None:
    assert "Nobody looks" in said(Client())[1]
    looked(home, world.clock.now - timedelta(minutes=2))
    assert "Nobody has looked since" in said(Client())[1]
    assert "the watch is away" in said(Client())[1]


def test_it_shows_one_page_a_cause(world: World, home: Path, staff: Client) -> None:
    looked(home, world.clock.now, alert("RedisAway"), alert("RemindersOverdue", silenced_by="RedisAway"))
    _, public = said(Client())
    assert "1 alert pages" in public
    assert "RedisAway" in public
    assert "RemindersOverdue" not in public
    assert "silent: RedisAway pages for it" in said(staff)[1]


def test_the_moments_are_for_staff(world: World, home: Path, staff: Client) -> None:
    truth.mark(at=world.clock.now - timedelta(minutes=3), kind="failover", says="the primary is now at port 1")
    assert "the primary is now at port 1" in said(staff)[1]
    assert "the primary is now at port 1" not in said(Client())[1]


@pytest.mark.parametrize("query", [{"since": "soon"}, {"hours": "many"}, {"since": "1999-01-01"}, {"hours": "-2"}])
def test_it_refuses_a_time_that_it_cannot_show(world: World, home: Path, query: dict[str, str]) -> None:
    status, page = said(Client(), **query)
    assert status == 400
    assert 'role="alert"' in page


def test_it_stands_where_the_database_is_away(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("planted")

    monkeypatch.setattr(truth, "windows", away)
    looked(home, world.clock.now, alert("DatabaseAway"))
    status, page = said(Client())
    assert status == 503
    assert "DatabaseAway" in page
    assert "figures are missing" in page


def test_it_loads_nothing_from_elsewhere(world: World, home: Path) -> None:
    assert "//" not in said(Client())[1].replace("<!doctype", "").replace('href="data:', "")


def test_the_last_column_begins_where_it_is_told_to(world: World, home: Path) -> None:
    minute = world.clock.now.replace(second=0, microsecond=0) - timedelta(hours=3)
    truth.keep(counts=[Count(slo="freshness", minute=minute, good=7, total=7)], adds=[])
    since = (minute - timedelta(minutes=1)).astimezone(UTC)
    assert "<td>7</td>" in said(Client(), since=f"{since:%Y-%m-%dT%H:%M}")[1]
