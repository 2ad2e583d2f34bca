"""Drills: a fault causes an alert, its runbook's commands are executed as they stand on the page, the alert ends.

The page is what is tried: every fenced `sh` block of its Diagnosis, Mitigation and Verify is run in the repository with
the system's RINGBACK_HOME, and shows what the page says that one should see.
"""

import contextlib
import json
import os
import re
import subprocess
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.lab import faults
from deploy.lab.subject import Subject
from deploy.local.home import REPOSITORY, Home

DRILLS: Final = Path(__file__).with_name("drills.toml")
RUNBOOKS: Final = REPOSITORY / "docs" / "runbooks"
FIRES_SECONDS: Final = 60.0
ENDS_SECONDS: Final = 120.0
QUIET_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_SECTIONS: Final = ("Diagnosis", "Mitigation", "Verify")
_BLOCK: Final = re.compile(r"```sh\n(?P<command>.*?)\n```(?:\n+You should see: `(?P<seen>[^`]+)`)?", re.DOTALL)


class DrillFailed(Exception):
    """The drill did not go as the runbook says; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """How one alert is caused, and what ends it."""

    alert: str
    fault: str
    target: str | None
    texts: int
    ended_by: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """One block of a runbook: where it stands, what it runs, what its output must hold (empty: anything)."""

    section: str
    command: str
    seen: str


@dataclass(frozen=True, kw_only=True)
class Drilled:
    """What a drill measured, in seconds: from the fault to the page, and from the last command to its end."""

    alert: str
    fault: str
    ended_by: str
    fired_seconds: float
    ended_seconds: float
    commands: int
    others: tuple[str, ...]  # what else paged, unsilenced, meanwhile


def drills() -> dict[str, Drill]:
    """Every drill, by its alert."""
    found = tomllib.loads(DRILLS.read_text())
    return {
        alert: Drill(
            alert=alert,
            fault=words["fault"],
            target=words.get("target"),
            texts=words.get("texts", 0),
            ended_by=words["ended_by"],
        )
        for alert, words in found.items()
    }


def commands(page: str) -> list[Command]:
    """The commands of a runbook, in order, of the sections that are executed."""
    parts = re.split(r"^## (\w+)$", page, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return [
        Command(section=name, command=found["command"], seen=found["seen"] or "")
        for name in _SECTIONS
        for found in _BLOCK.finditer(sections.get(name, ""))
    ]


def run(drill: Drill, subject: Subject) -> Drilled:
    """Carry it out on a running system that nothing else disturbs. Raises DrillFailed and the lab's FaultError."""
    home = Home(root=subject.home)
    steps = commands((RUNBOOKS / f"{drill.alert}.md").read_text())
    _await(lambda: not _firing(home, severity="page"), QUIET_SECONDS, "nothing fires before it begins", home)
    others: set[str] = set()
    began = time.monotonic()
    faults.inject(home, drill.fault, target=drill.target, kept=True)
    try:
        texting = _texting(subject, drill.texts)
        _await(lambda: _fires(home, drill.alert, others, texting), FIRES_SECONDS, f"{drill.alert} fires", home)
        fired = time.monotonic()
        for step in (one for one in steps if one.section != "Verify"):
            _execute(step, home)
        if drill.ended_by == "fault":
            faults.heal(home, drill.fault)
        acted = time.monotonic()
        _await(lambda: not _fires(home, drill.alert, others, iter(())), ENDS_SECONDS, f"{drill.alert} ends", home)
        ended = time.monotonic()
        for step in (one for one in steps if one.section == "Verify"):
            _execute(step, home)
    finally:
        faults.heal(home)
    return Drilled(
        alert=drill.alert,
        fault=drill.fault,
        ended_by=drill.ended_by,
        fired_seconds=round(fired - began, 1),
        ended_seconds=round(ended - acted, 1),
        commands=len(steps),
        others=tuple(sorted(others - {drill.alert})),
    )


def _await(holds: Any, seconds: float, what: str, home: Home) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise DrillFailed(f"not within {seconds:.0f} s: {what}. What fires: {sorted(_firing(home)) or 'nothing'}.")
        time.sleep(_POLL_SECONDS)


def _fires(home: Home, alert: str, others: set[str], texting: Iterator[None]) -> bool:
    next(texting, None)
    others |= _firing(home, severity="page")
    return alert in _firing(home)


def _firing(home: Home, *, severity: str = "") -> set[str]:
    """What fires now, unsilenced; a burn rate is no cause of its own."""
    try:
        told = json.loads((home.run / "alerts.json").read_text())
    except (OSError, ValueError):
        return set()
    return {
        one["name"]
        for one in told["alerts"]
        if not one["silenced_by"] and "BudgetBurns" not in one["name"] and severity in ("", one["severity"])
    }


def _texting(subject: Subject, people: int) -> Iterator[None]:
    """One text more at each step."""
    for number in range(people):
        body = {"from": f"+1202555{number + 1100:04d}", "body": "Remind in 1 second about the drill"}
        with contextlib.suppress(OSError):  # where the carrier is the fault it does not take texts either
            subject.carrier("/sim/sms", body)
        yield


def _execute(step: Command, home: Home) -> None:
    try:
        done = subprocess.run(
            ["sh", "-c", step.command],
            cwd=REPOSITORY,
            env={**os.environ, "RINGBACK_HOME": str(home.root), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DrillFailed(f"{step.section}: `{step.command}` took over {COMMAND_SECONDS:.0f} s.") from None
    if done.returncode or step.seen not in done.stdout:
        said = done.stdout.strip()[-600:]
        wanted = f", and `{step.seen}` was to be seen" if step.seen else ""
        raise DrillFailed(f"{step.section}: `{step.command}` ended with {done.returncode}{wanted}. It said:\n{said}")
