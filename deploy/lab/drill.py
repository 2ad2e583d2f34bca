"""Drills: a fault causes an alert, its runbook's commands are executed as they stand on the page, the alert ends.

The page is what is tried: every fenced `sh` block of its Diagnosis, Mitigation and Verify is run in the repository with
the system's RINGBACK_HOME, and shows what the page says that one should see.
"""

import contextlib
import os
import re
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from config.observing import told
from config.observing.prometheus import PROMETHEUS
from config.observing.slos import PAGE, WATCH_ABSENT
from deploy.lab import faults
from deploy.lab.subject import Subject
from deploy.local.home import REPOSITORY, Home

DRILLS: Final = Path(__file__).with_name("drills.toml")
RUNBOOKS: Final = REPOSITORY / "docs" / "runbooks"
FIRES_SECONDS: Final = 60.0
ENDS_SECONDS: Final = 120.0
QUIET_SECONDS: Final = 150.0
COMMAND_SECONDS: Final = 180.0  # releasing a database waits for the carrier's lists
ENDED_BY: Final = ("runbook", "fault", "both")
_POLL_SECONDS: Final = 0.5
_BURN: Final = "BudgetBurns"
_SECTIONS: Final = ("Diagnosis", "Mitigation", "Verify")
_BLOCK: Final = re.compile(r"```sh\n(?P<command>.*?)\n```(?:\n+You should see: `(?P<seen>[^`]+)`)?", re.DOTALL)


class DrillFailed(Exception):
    """The drill did not go as the runbook says; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """How one alert is caused, on which system, and what ends it.

    `ended_by`: the runbook's own commands; the fault's end, where the cause is somebody else's; or both, where the
    cause must be mended before the commands can put things right. `risk_seconds`: how long the fault must last before
    it puts the promise at risk; the alert has FIRES_SECONDS from then on.
    """

    alert: str
    fault: str
    ended_by: str
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()  # faults that must be in force as well
    texts: int = 0
    body: str = "Remind in 1 second about the drill"  # of each text
    risk_seconds: float = 0.0
    tier: str = "durable"
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One block of a runbook: where it stands, what it runs, what its output must hold (empty: anything)."""

    section: str
    command: str
    seen: str


@dataclass(frozen=True, kw_only=True)
class Drilled:
    """What a drill measured, in seconds: from the fault to the alert, and from the last command to its end."""

    alert: str
    fault: str
    tier: str
    ended_by: str
    fired_seconds: float
    ended_seconds: float
    commands: int
    others: tuple[str, ...]  # what else paged, unsilenced, meanwhile


def drills() -> dict[str, Drill]:
    """Every drill, by its alert. Raises TypeError for a key that is missing or unknown."""
    found = tomllib.loads(DRILLS.read_text())
    return {alert: Drill(alert=alert, **words) for alert, words in found["drills"].items()}


def proved_otherwise() -> dict[str, Mapping[str, str]]:
    """The alerts that no fault causes within a drill: `why`, and the test that is their `proof`."""
    found: dict[str, Mapping[str, str]] = tomllib.loads(DRILLS.read_text())["proved"]
    return found


def commands(page: str) -> list[Command]:
    """The commands of a runbook, in order, of the sections that are executed."""
    parts = re.split(r"^## (\w+)$", page, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return [
        Command(section=name, command=found["command"], seen=found["seen"] or "")
        for name in _SECTIONS
        for found in _BLOCK.finditer(sections.get(name, ""))
    ]


def run(drill: Drill, subject: Subject, *, after_seconds: float = 0.0) -> Drilled:
    """Carry it out on a running system that nothing else disturbs. Raises DrillFailed and the lab's FaultError.

    For `after_seconds` after its end it is still looked at what pages: one page for each cause.
    """
    home = Home(root=subject.home)
    steps = commands((RUNBOOKS / f"{drill.alert}.md").read_text())
    _await(lambda: _is_quiet(home, drill.alert), QUIET_SECONDS, "nothing fires before it begins", home)
    others: set[str] = set()
    before = _firing(home, severity=PAGE)  # burn rates of what was drilled before
    began = time.monotonic()
    try:
        for name in drill.also:
            faults.inject(home, name, kept=True)
        faults.inject(home, drill.fault, target=drill.target, kept=True, **drill.options)
        texting = _texting(subject, drill.texts, drill.body)
        in_time = drill.risk_seconds + FIRES_SECONDS
        _await(lambda: _fires(home, drill.alert, others, texting), in_time, f"{drill.alert} fires", home)
        fired = time.monotonic()
        _act(drill, steps, home)
        acted = time.monotonic()
        _await(lambda: _ended(home, drill.alert, others), ENDS_SECONDS, f"{drill.alert} ends", home)
        ended = time.monotonic()
        for step in (one for one in steps if one.section == "Verify"):
            _execute(step, home)
        over = time.monotonic() + after_seconds
        while time.monotonic() < over:
            others |= _firing(home, severity=PAGE)
            time.sleep(_POLL_SECONDS)
    finally:
        faults.heal(home)
    return Drilled(
        alert=drill.alert,
        fault=drill.fault,
        tier=subject.tier,
        ended_by=drill.ended_by,
        fired_seconds=round(fired - began, 1),
        ended_seconds=round(ended - acted, 1),
        commands=len(steps),
        others=tuple(sorted(others - before - {drill.alert})),
    )


def _act(drill: Drill, steps: list[Command], home: Home) -> None:
    """Diagnose and mitigate as the page says; the cause is mended where the page says that somebody does."""
    for step in (one for one in steps if one.section == "Diagnosis"):
        _execute(step, home)
    if drill.ended_by == "both":
        faults.heal(home)
    for step in (one for one in steps if one.section == "Mitigation"):
        _execute(step, home)
    if drill.ended_by == "fault":
        faults.heal(home)


def _await(holds: Callable[[], bool], seconds: float, what: str, home: Home) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise DrillFailed(f"not within {seconds:.0f} s: {what}. What fires: {sorted(_firing(home)) or 'nothing'}.")
        time.sleep(_POLL_SECONDS)


def _fires(home: Home, alert: str, others: set[str], texting: Iterator[None]) -> bool:
    next(texting, None)
    others |= _firing(home, severity=PAGE)
    return alert in _firing(home)


def _ended(home: Home, alert: str, others: set[str]) -> bool:
    others |= _firing(home, severity=PAGE)
    return alert not in _firing(home, silenced=True)


def _is_quiet(home: Home, alert: str) -> bool:
    said = told.read(home=home.root, at=datetime.now(UTC))
    if "ringback_prometheus_up" in said["gauges"] and said["by"] != PROMETHEUS:
        return False  # it comes last, and is not what is drilled before it looks
    paging = {name for name in _firing(home, severity=PAGE) if _BURN not in name}
    return not paging and alert not in _firing(home, silenced=True)


def _firing(home: Home, *, severity: str = "", silenced: bool = False) -> set[str]:
    """What fires now, without what is silenced."""
    said = told.read(home=home.root, at=datetime.now(UTC))
    if not said["looks"]:
        return {WATCH_ABSENT}
    return {
        one["name"]
        for one in said["alerts"]
        if (silenced or not one["silenced_by"]) and severity in ("", one["severity"])
    }


def _texting(subject: Subject, people: int, text: str) -> Iterator[None]:
    """One text more at each step."""
    for number in range(people):
        body = {"from": f"+1202555{number + 1100:04d}", "body": text}
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
