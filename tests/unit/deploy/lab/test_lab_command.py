"""./manage.py lab says in a sentence what it cannot do, and names what it cannot break."""

from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.core.management import call_command

from deploy.lab import faults, subject
from deploy.lab.commands import faults as command
from deploy.lab.subject import DidNotStartError
from deploy.local.home import Home


@pytest.fixture
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGBACK_HOME", str(tmp_path))
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What it complains of; it ends with 2."""
    with pytest.raises(SystemExit) as end:
        call_command("lab", *words)
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("words", [("clean", "--minutes", "1"), ("drill", "RedisAway")])
def test_a_system_that_does_not_start_is_a_sentence(
    words: tuple[str, ...], nothing_runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def running(**_: Any) -> NoReturn:
        raise DidNotStartError("The system did not start: `up` ended with 1, and said last:\nno port")

    monkeypatch.setattr(subject, "running", running)
    assert refused(capsys, *words) == "lab: The system did not start: `up` ended with 1, and said last:\nno port\n"


def test_a_drill_of_what_does_not_run_says_what_to_start(
    nothing_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "drill", "RedisAway", "--here")
    assert said == f"lab: Nothing runs in {nothing_runs}: start it with `make up`.\n"


def test_an_experiment_on_no_tier_says_which_there_are(nothing_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "run", "worker-killed", "--tier", "gold").startswith("lab: There is no tier 'gold': choose")


def test_where_nothing_runs_the_list_of_faults_says_so_once(
    nothing_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.run(Home(root=nothing_runs), {"json": False}) == 0
    said = capsys.readouterr().out
    assert said.count("Ringback does not run here") == 1
    assert f"{len(faults.catalogue())} faults, none of them" in said


def test_a_fault_that_is_not_here_is_named_under_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_link = "no fault proxy runs."
    lacks = {"network-slow": no_link, "network-reset": no_link, "proxy-killed": "no proxy."}
    monkeypatch.setattr(faults, "missing", lambda _, name: lacks.get(name))
    assert command.run(Home(root=tmp_path), {"json": False}) == 0
    said = capsys.readouterr().out
    assert "Not here: no fault proxy runs.\n    network-reset, network-slow\n" in said
    assert "Not here: no proxy.\n    proxy-killed\n" in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_ladder_that_was_measured_fits_80_columns(nothing_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("lab", "nines", "--show")
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert said.count("replicated") == 2  # what it keeps, and what it costs
    assert max(map(len, said.splitlines())) <= 80
