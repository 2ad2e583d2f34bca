"""The simulated carrier's behaviour: changed through its control interface, put back to what it was."""

from __future__ import annotations

import time
from typing import Any, Final

from deploy.lab.injection import drive, measures
from deploy.lab.injection.asking import asked, base
from deploy.lab.injection.fault import Bite, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import postgres_nodes


def behaviour(address: str) -> dict[str, Any]:
    """How it behaves now. FaultError where it does not answer."""
    found: dict[str, Any] = asked(address, "GET", "/sim/behaviour")
    return found


def behave(address: str, wanted: dict[str, Any]) -> None:
    """Change what is given."""
    asked(address, "POST", "/sim/behaviour", wanted)


def misbehaving(option: str, key: str) -> Way:
    """The way of every fault that is one key of the carrier's `faults`, set to the option of that name."""

    def inject(scene: Scene) -> None:
        address = base(scene.home, scene.target)
        previous = behaviour(address)["faults"][key]
        scene.will("behave", base=address, previous={"faults": {key: previous}})
        behave(address, {"faults": {key: float(scene.options[option])}})

    return Way(
        name="sim-behaviour",
        how=f"POST /sim/behaviour: faults.{key} is set to the option `{option}`.",
        inject=inject,
        needs=("simulated-carrier",),
    )


def leaves_unknown(scene: Scene) -> Bite:
    """One reminder is dialled: whether a worker is left not knowing if its call was placed."""
    metric = 'ringback_attempts_total{state="unknown"}'
    before = drive.total(scene, "worker", metric)
    call = drive.ring(scene, seconds=10)
    risen = drive.rises(scene, "worker", metric, before=before, seconds=8 if call else 1)
    if call:
        drive.hang_up(scene, call)
    rang = "the call rang" if call else "no call rang within 10 s"
    return Bite(bites=risen > 0, measured=f"{rang}, and {risen:g} attempts became unknown")


_TOLD: Final = """
SELECT a.ringing_at IS NOT NULL, a.call_ended_at IS NOT NULL
  FROM reminders_attempt a JOIN reminders_subscriber s ON s.id = a.subscriber_id WHERE s.number = '{number}'
"""


def calls_back(scene: Scene, *, during_seconds: float, after_seconds: float) -> tuple[bool, bool] | None:
    """Whether we were told in time that a reminder's call rings, and that it has ended; None: no call rang."""
    call = drive.ring(scene, seconds=10)
    if call is None:
        return None
    during = _is_told(scene, call["to"], 0, seconds=during_seconds)
    drive.hang_up(scene, call)
    return during, _is_told(scene, call["to"], 1, seconds=after_seconds)


def said_of(came: tuple[bool, bool] | None) -> str:
    """The same in words."""
    if came is None:
        return "no call rang within 10 s"
    told = ["told" if one else "not told" for one in came]
    return f"we were {told[0]} that a call rings, and {told[1]} in time that it has ended"


def _is_told(scene: Scene, number: str, column: int, *, seconds: float) -> bool:
    node = next(name for name, role in postgres_nodes(scene.home).items() if role == "primary")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        rows = measures.sql(scene.home, _TOLD.format(number=number), node=node)
        if rows and rows[0][column]:
            return True
        time.sleep(0.1)
    return False
