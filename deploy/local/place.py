"""One instance to plan: what it is called, where it listens, what it is told."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deploy.local import platform, prometheus
from deploy.local.program import LEADER_KEY
from deploy.local.settings import System, inherited
from deploy.local.tiers import Kind

_SINGLE: Final = ("redis", "carrier", "proxy", "traces", "watch", LEADER_KEY, *prometheus.KINDS)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One instance to plan: the `number`th of its kind; `metrics_port` is its own."""

    system: System
    kind: Kind
    number: int
    metrics_port: int

    @property
    def name(self) -> str:
        """The first of what is usually one of a kind carries no number; the others do."""
        is_single = self.kind.name in _SINGLE and self.number == 1
        return self.kind.name if is_single else f"{self.kind.name}-{self.number}"

    @property
    def port(self) -> int:
        """Where it listens: the first of its kind where clients look for it, the others beside it.

        A proxy takes the place where clients look for the web, which moves up by one.
        """
        if self.kind.name == "proxy":
            return self.system.ports.web
        if self.kind.name == "web" and self.system.tier.count("proxy"):
            return self.system.ports.web + self.number
        return int(getattr(self.system.ports, self.kind.name, self.metrics_port)) + self.number - 1

    @property
    def answers_at(self) -> int:
        """Where it can be asked whether it lives: a port of its own kind, or that of its metrics."""
        own = self.kind.name == "proxy" or hasattr(self.system.ports, self.kind.name)
        return self.port if own else self.metrics_port

    def identity(self) -> dict[str, str]:
        """The least that an instance is told: by it a stray of ours is known."""
        home = str(self.system.home.root)
        return {**inherited(), "RINGBACK_HOME": home, "RINGBACK_INSTANCE": self.name}

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Its environment: the system's settings and its own."""
        return {
            **self.system.settings,
            **self.kind.settings,
            **self.identity(),
            "RINGBACK_METRICS_PORT": str(self.metrics_port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            **(extra or {}),
        }


def alone(system: System, name: str) -> Place:
    """The place of something that no tier's file names: a step, or what the lab adds."""
    kind = Kind(name=name, count=1, settings={}, command=(), needs=(), ready_words="")
    return Place(system=system, kind=kind, number=1, metrics_port=0)


def python(*words: str) -> tuple[str, ...]:
    """A command of Python that dies with whoever starts it."""
    return tuple(platform.launched([sys.executable, *words], dies_with_parent=signal.SIGKILL))
