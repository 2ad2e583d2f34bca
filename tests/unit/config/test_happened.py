"""The timeline's own eyes: restarts from the pid files, faults from the lab's journal, deploys from the version."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.observing.happened import Happened

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ENTRY = {"fault": "redis-frozen", "target": "redis", "at": "2026-11-26T11:58:00.000+00:00", "state": "injected"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for place in ("run", "lab/journal"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "run" / "web-1.pid").write_text("11\n")
    return tmp_path


def says(happened: Happened) -> list[str]:
    return [said for _, _, said in happened.look(NOW)]


def test_a_process_that_was_started_anew_is_told_once(home: Path) -> None:
    happened = Happened(home=home, version="")
    assert says(happened) == []
    (home / "run" / "web-1.pid").unlink()
    assert says(happened) == []  # it is dead, and its supervisor has not started it yet
    (home / "run" / "web-1.pid").write_text("12\n")
    assert says(happened) == ["web-1 was started anew"]
    assert says(happened) == []


def test_a_fault_of_the_lab_is_told_when_it_begins_and_when_it_is_healed(home: Path) -> None:
    happened = Happened(home=home, version="")
    (home / "lab" / "journal" / "1.json").write_text(json.dumps({**ENTRY, "state": "injecting"}))
    assert says(happened) == []
    (home / "lab" / "journal" / "1.json").write_text(json.dumps(ENTRY))
    ((at, kind, said),) = happened.look(NOW)
    assert (at.isoformat(), kind, said) == ("2026-11-26T11:58:00+00:00", "fault", "redis-frozen at redis begins")
    (home / "lab" / "journal" / "1.json").unlink()
    healed = {**ENTRY, "healed_at": "2026-11-26T11:59:00.000+00:00"}
    (home / "lab" / "history.jsonl").write_text('half a line"}\n' + json.dumps(healed) + "\n")
    assert says(happened) == ["redis-frozen at redis is healed"]
    assert says(happened) == []


def test_a_deploy_is_a_version_that_differs_from_the_last_ones(home: Path) -> None:
    happened = Happened(home=home, version="abc")
    assert happened.deployed(before=None, now=NOW) == [(NOW, "deploy", "version abc runs")]
    assert happened.deployed(before="version abc runs", now=NOW) == []
    assert Happened(home=home, version="").deployed(before=None, now=NOW) == []
