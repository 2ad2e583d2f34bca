"""The faults: one file each. `catalogue()` lists them, `inject`, `heal` and `status` act on a running system.

A fault that is injected by a process ends with it: if that process dies without healing, the next command of
the lab (or the next `up`) undoes what it left. `kept=True` makes it stay until it is healed.
"""

import importlib
import pkgutil
from contextlib import suppress
from functools import cache
from typing import Any

from deploy.lab.injection import engine, journal
from deploy.lab.injection.fault import Bite, Fault, FaultError, Injected, NotHereError, Way
from deploy.local.home import Home

__all__ = [
    "Bite",
    "Fault",
    "FaultError",
    "Injected",
    "NotHereError",
    "Way",
    "catalogue",
    "fault",
    "heal",
    "inject",
    "measure",
    "missing",
    "possible_ways",
    "status",
]


@cache
def catalogue() -> tuple[Fault, ...]:
    """Every fault there is, by class and name."""
    modules = sorted(found.name for found in pkgutil.iter_modules(__path__))
    found: list[Fault] = [importlib.import_module(f"{__name__}.{name}").FAULT for name in modules]
    return tuple(found)


def fault(name: str) -> Fault:
    """The fault of that name. FaultError where there is none."""
    for one in catalogue():
        if one.name == name:
            return one
    raise FaultError(f"There is no fault {name!r}: `./manage.py lab faults` lists them.")


def inject(
    home: Home,
    name: str,
    *,
    target: str | None = None,
    seconds: float | None = None,
    way: str | None = None,
    kept: bool = False,
    **options: Any,
) -> Injected:
    """Inject a fault into the running system; with `seconds` it is healed after them, whatever happens to us.

    Raises NotHereError where this machine or tier lacks what it needs, FaultError for everything else.
    """
    return engine.begin(home, fault(name), target=target, seconds=seconds, way=way, kept=kept, options=options)


def heal(home: Home, name: str | None = None) -> list[str]:
    """Undo a fault (all: None), and wait until its processes serve again. What was undone; nothing twice."""
    return engine.heal(home, name)


def status(home: Home) -> tuple[Injected, ...]:
    """What is in force, oldest first; what a dead owner left is healed first."""
    engine.replay(home)
    return tuple(entry.shown() for entry in journal.entries(home))


def measure(home: Home, name: str, *, target: str | None = None) -> Bite:
    """The fault's own measurement: whether its effect shows now."""
    return engine.measure(home, fault(name), target=target)


def missing(home: Home, name: str) -> str | None:
    """Why the fault cannot be injected here and now; None where it can."""
    one = fault(name)
    try:
        engine.refuse_idle(home)
        engine.choose_way(home, one, None)
        engine.choose_target(home, one, None)
    except NotHereError as problem:
        return problem.lack
    return None


def possible_ways(home: Home, name: str) -> list[str]:
    """The ways of the fault that this machine and system allow, best first."""
    found = []
    for way in fault(name).ways:
        with suppress(FaultError):
            found.append(engine.choose_way(home, fault(name), way.name).name)
    return found
