"""./manage.py lab says in a sentence what it cannot do."""

from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.core.management import call_command

from deploy.lab import subject
from deploy.lab.subject import DidNotStartError


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
