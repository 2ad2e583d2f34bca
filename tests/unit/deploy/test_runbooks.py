"""Alerts and runbooks, one to one; each page has its parts, and commands that a drill can execute."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from config.observing.alerting import known_names
from config.observing.slos import WATCH_ABSENT, looked_for
from deploy.lab import drill, faults
from deploy.lab.commands import drill as command
from deploy.local.home import REPOSITORY

SECTIONS: Final = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Verify", "Escalate")
PAGES: Final = {page.stem: page for page in sorted(drill.RUNBOOKS.glob("*.md"))}
CHANGES: Final = ("kill ", "rm ", "pg_terminate", "restart")


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert sorted(PAGES) == sorted(known_names(looked_for()))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_runbook_has_every_part_and_something_to_do(name: str) -> None:
    text = PAGES[name].read_text()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(SECTIONS)
    parts = {command.section for command in drill.commands(text)}
    assert {"Diagnosis", "Verify"} <= parts
    mitigation = text.partition("## Mitigation")[2].partition("## ")[0].strip()
    assert len(mitigation) > 40


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_diagnoses_changes_nothing(name: str) -> None:
    told = [one.command for one in drill.commands(PAGES[name].read_text()) if one.section == "Diagnosis"]
    assert [command for command in told if any(word in command for word in CHANGES)] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_its_commands_work_in_a_directory_with_a_space_in_its_name(name: str) -> None:
    text = PAGES[name].read_text()
    assert text.count("${RINGBACK_HOME") == text.count('"${RINGBACK_HOME'), "quote it"
    assert not re.search(r'(?<!")\$\(cat ', text), "quote it"
    for one in drill.commands(text):
        done = subprocess.run(["sh", "-n", "-c", one.command], capture_output=True, text=True, check=False)
        assert not done.stderr, one.command


def test_every_drill_causes_its_alert_by_a_fault() -> None:
    every = drill.drills().values()
    assert {name for one in every for name in (one.fault, *one.also)} <= {one.name for one in faults.catalogue()}
    assert {one.ended_by for one in every} == set(drill.ENDED_BY)


def test_every_symptom_is_drilled_or_proved_otherwise_and_never_both() -> None:
    drilled, proved = set(drill.drills()), drill.proved_otherwise()
    assert drilled | set(proved) == {WATCH_ABSENT, *(alert.name for alert in looked_for().alerts)}
    assert drilled & set(proved) == set()
    for alert, one in proved.items():
        assert f"No drill causes this one: {one['why']}." in PAGES[alert].read_text()
        file, _, name = one["proof"].partition("::")
        assert f"def {name}(" in (REPOSITORY / file).read_text()


def test_the_commands_are_taken_out_of_the_page_as_they_stand(tmp_path: Path) -> None:
    page = "## Meaning\nx\n## Diagnosis\n```sh\nls -l\n```\n\nYou should see: `total`\n\n## Verify\n```sh\ntrue\n```\n"
    told = [(one.section, one.command, one.seen) for one in drill.commands(page)]
    assert told == [("Diagnosis", "ls -l", "total"), ("Verify", "true", "")]


def test_the_page_of_drills_tells_what_was_kept() -> None:
    assert command.PAGE.read_text() == command.page(json.loads(command.FIGURES.read_text()))
