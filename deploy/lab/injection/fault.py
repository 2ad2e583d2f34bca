"""What a fault is: one file of deploy/lab/faults each, as data with the functions that inject and measure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from deploy.lab.injection.scene import Scene
    from deploy.local.home import Home

CLASSES: Final = (
    "disk",
    "network",
    "cpu",
    "memory",
    "process",
    "database",
    "degradation",
    "latency",
    "freshness",
    "correctness",
    "flood",
)


class FaultError(Exception):
    """It cannot be done; one sentence for a person, with what to do about it."""


# How a system is started so that the network can be broken too.
UP: Final = "`RINGBACK_LAB=1 make up`"


class NotHereError(FaultError):
    """This machine or this system lacks what a fault needs: `lack` says what, in the same words for every fault."""

    def __init__(self, lack: str, *, fault: str = "") -> None:
        super().__init__(f"{fault} cannot be injected here: {lack}" if fault else lack)
        self.lack = lack


@dataclass(frozen=True, kw_only=True)
class Bite:
    """What a measurement of a fault's effect said: whether it shows, and the figure in words."""

    bites: bool
    measured: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to inject a fault. `needs` names probes of `deploy.lab.injection.machine`."""

    name: str
    how: str
    inject: Callable[[Scene], None]
    needs: tuple[str, ...] = ()
    privileged: bool = False


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault. The first of its `ways` that this machine allows is taken.

    `targets` are patterns of instances (`worker-*`) or links (`worker-*→carrier`); the first that runs is the
    default. `needs` is what the system must have whatever the way. `bites` measures the effect: true while the
    fault is in force, false before it and once it is healed.
    """

    name: str
    imitates: str
    fault_class: str
    blast_radius: str
    shows: str  # what one sees
    undone: str
    targets: tuple[str, ...]
    ways: tuple[Way, ...]
    bites: Callable[[Scene], Bite]
    needs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # what may be chosen, with its default
    pick: Callable[[Home, list[str]], list[str]] = lambda _, found: found  # of the targets, those that suit
    heal_seconds: float = 30.0  # how long healing may take until nothing of it shows


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A fault that is in force, as the journal holds it. Times are RFC 3339 UTC."""

    id: str
    fault: str
    target: str
    way: str
    at: str
    heals_at: str | None
    state: str  # injecting, injected
    facts: Mapping[str, Any]
