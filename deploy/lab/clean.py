"""A clean run: hours in which nothing is broken, with low traffic, bursts and deploys; whatever pages is a false page.

A cycle of ten minutes, again and again: low traffic, ordinary traffic, a burst that all falls due at once, ordinary
traffic, and a deploy, in which every process of ours is replaced one after the other (SIGTERM, as a supervisor does
it), under ordinary traffic and under low traffic in turn.
"""

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from config.observing import told
from config.observing.slos import PAGE, WATCH_ABSENT
from deploy.lab.subject import Subject

CYCLE_SECONDS: Final = 600.0
DEPLOYED: Final = ("web", "dispatch", "worker", "watch", "traces")
# What a system of a person runs with: no page may come from times that were shortened for a test.
USUAL: Final[Mapping[str, str]] = {
    "RINGBACK_LEASE_SECONDS": "15",
    "RINGBACK_LOOKUP_HORIZON_SECONDS": "17.5",
    "RINGBACK_RETRY_SECONDS": "300",
    "RINGBACK_RING_TIMEOUT_SECONDS": "30",
    "RINGBACK_SNOOZE_SECONDS": "600",
    "RINGBACK_PROMETHEUS": "auto",
    "RINGBACK_CANARY_SECONDS": "60",
}
_PEOPLE: Final = 5_000
_BURST: Final = 300
_BURST_SECONDS: Final = 15.0
_BACK_SECONDS: Final = 90.0
_PAUSE_SECONDS: Final = 3.0  # between two processes of a deploy
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of the cycle: from when on, how many texts a second, and what they ask for."""

    name: str
    at: float
    per_second: float
    body: str


CYCLE: Final = (
    Phase(name="low", at=0, per_second=0.05, body="Remind in 20 seconds about tea"),
    Phase(name="ordinary", at=180, per_second=2, body="Remind in 15 seconds about the pills"),
    Phase(name="burst", at=330, per_second=_BURST / _BURST_SECONDS, body="Remind in 40 seconds about the play"),
    Phase(name="ordinary", at=330 + _BURST_SECONDS, per_second=2, body="Remind in 15 seconds about the pills"),
    Phase(name="deploy", at=450, per_second=2, body="Remind in 15 seconds about the pills"),
)


@dataclass(kw_only=True)
class Fired:
    """An alert that fired while nothing was broken. Seconds since the run began."""

    name: str
    severity: str
    phase: str
    began: float
    ended: float | None = None
    since_deploy: str = ""  # what was replaced last, and how long before


@dataclass(kw_only=True)
class Clean:
    """What a clean run saw."""

    tier: str
    began_at: str
    minutes: float = 0.0
    texts: int = 0
    refused: int = 0  # texts that the simulated carrier did not take
    calls: int = 0
    deploys: int = 0
    loads: list[float] = field(default_factory=list)
    fired: list[Fired] = field(default_factory=list)

    @property
    def pages(self) -> list[Fired]:
        """What would have woken somebody."""
        return [one for one in self.fired if one.severity == PAGE]


class Run:
    """One clean run on a system of its own."""

    def __init__(self, subject: Subject, *, say: Callable[[str], None]) -> None:
        self._subject = subject
        self._say = say
        self._over = threading.Event()
        self._began = time.monotonic()
        self._phase = CYCLE[0]
        self._deployed = ""
        self._deployed_at = 0.0
        self._open: dict[str, Fired] = {}
        self.found = Clean(tier=subject.tier, began_at=datetime.now(UTC).isoformat(timespec="seconds"))

    def run(self, *, minutes: float) -> Clean:
        """Hold it for so long; the pages are counted, never mended."""
        self._subject.carrier("/sim/behaviour", {"answer": "always", "press": "1"})
        looking = threading.Thread(target=self._look, name="looking", daemon=True)
        looking.start()
        try:
            for cycle in itertools.count():
                if not self._cycle(cycle, until=self._began + minutes * 60):
                    break
        finally:
            self._over.set()
            looking.join(10)
            self.found.minutes = round(self._since() / 60, 1)
            with contextlib.suppress(OSError):
                self.found.calls = len(self._subject.calls())
        return self.found

    def _cycle(self, cycle: int, *, until: float) -> bool:
        """One cycle; whether another may follow."""
        began, people = time.monotonic(), _numbers(cycle)
        deploying: threading.Thread | None = None
        for phase, after in zip(CYCLE, (*CYCLE[1:], None), strict=True):
            ends = began + (after.at if after else CYCLE_SECONDS)
            per_second = phase.per_second
            if phase.name == "deploy":
                deploying = threading.Thread(target=self._deploy, name="deploy", daemon=True)
                deploying.start()
                per_second = phase.per_second if cycle % 2 == 0 else CYCLE[0].per_second
            self._phase = phase
            self._text(people, phase.body, 1 / per_second, until=min(ends, until))
            if time.monotonic() >= until:
                break
        if deploying:
            deploying.join(len(DEPLOYED) * _BACK_SECONDS)
        self.found.loads.append(os.getloadavg()[0])
        said = f"{len(self.found.pages)} pages, {self.found.texts} texts, load {self.found.loads[-1]:.1f}"
        self._say(f"{self._since() / 60:.0f} min: {said}")
        return time.monotonic() < until

    def _text(self, people: Iterator[str], body: str, apart_seconds: float, *, until: float) -> None:
        due = time.monotonic()
        while (now := time.monotonic()) < until:
            if now < due:
                time.sleep(min(0.2, due - now, until - now))
                continue
            due += apart_seconds
            try:
                self._subject.carrier("/sim/sms", {"from": next(people), "body": body})
                self.found.texts += 1
            except OSError:
                self.found.refused += 1

    # ---- deploying ---------------------------------------------------------------------------------
    def _deploy(self) -> None:
        for name in [one for kind in DEPLOYED for one in self._subject.names() if one.partition("-")[0] == kind]:
            if self._over.is_set():
                return
            pid = self._subject.pid(name)
            self._deployed, self._deployed_at = name, time.monotonic()
            self._say(f"{self._since():.0f} s: {name} is replaced")
            os.kill(pid, signal.SIGTERM)
            self._await_back(name, pid)
            self._over.wait(_PAUSE_SECONDS)
        self.found.deploys += 1

    def _await_back(self, name: str, pid: int) -> None:
        until = time.monotonic() + _BACK_SECONDS
        while time.monotonic() < until and not self._over.is_set():
            with contextlib.suppress(OSError, ValueError):
                if self._subject.pid(name) != pid and self._said_ready(name):
                    return
            time.sleep(0.2)

    def _said_ready(self, name: str) -> bool:
        """Whether the supervisor's last word about it is that it is ready."""
        assert self._subject.log is not None
        lines = self._subject.log.read_text(errors="replace")[-20_000:].splitlines()
        said = [line for line in lines if line.startswith("ringback ") and f"│ {name} " in line]
        return bool(said) and f"{name} is ready" in said[-1]

    # ---- looking -----------------------------------------------------------------------------------
    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            now = self._firing()
            for name in [one for one in now if one not in self._open]:
                self._open[name] = self._fires(name, now[name])
            for name in [one for one in self._open if one not in now]:
                self._open[name].ended = round(self._since(), 1)
                self._say(f"{self._since():.0f} s: {name} ends")
                del self._open[name]

    def _firing(self) -> dict[str, Mapping[str, Any]]:
        said = told.read(home=self._subject.home, at=datetime.now(UTC))
        if not said["looks"]:
            return {WATCH_ABSENT: {"severity": PAGE, "value": None}}
        return {one["name"]: one for one in said["alerts"] if not one["silenced_by"]}

    def _fires(self, name: str, told_of: Mapping[str, Any]) -> Fired:
        ago = f"{self._deployed}, {time.monotonic() - self._deployed_at:.0f} s before" if self._deployed else "nothing"
        one = Fired(
            name=name, severity=told_of["severity"], phase=self._phase.name, began=round(self._since(), 1),
            since_deploy=ago,
        )  # fmt: skip
        self.found.fired.append(one)
        value = told_of["value"]
        self._say(f"{one.began:.0f} s: {name} ({one.severity}) fires in {one.phase}, {value=}, replaced last: {ago}")
        return one

    def _since(self) -> float:
        return time.monotonic() - self._began


def _numbers(cycle: int) -> Iterator[str]:
    """People, one after the other, so that nobody texts twice within a few minutes."""
    return (f"+1202556{(cycle * 1_700 + number) % _PEOPLE:04d}" for number in itertools.count())


def told_of(found: Clean) -> dict[str, Any]:
    """As JSON holds it."""
    return asdict(found) | {"pages": len(found.pages), "tickets": len(found.fired) - len(found.pages)}
