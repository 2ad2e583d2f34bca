"""The simulated carrier's behaviour: changed through its control interface, put back to what it was."""

from __future__ import annotations

from typing import Any

from deploy.lab.injection import drive
from deploy.lab.injection.asking import asked, base
from deploy.lab.injection.fault import Bite, Way
from deploy.lab.injection.scene import Scene


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


def calls_back(scene: Scene, *, during_seconds: float, after_seconds: float) -> tuple[float, float] | None:
    """How many callbacks a reminder's call brought while it rang, and after its end; None: no call rang."""
    before = drive.total(scene, "web", "ringback_callbacks_total")
    call = drive.ring(scene, seconds=10)
    if call is None:
        return None
    during = drive.rises(scene, "web", "ringback_callbacks_total", before=before, seconds=during_seconds)
    drive.hang_up(scene, call)
    ended = before + during
    return during, drive.rises(scene, "web", "ringback_callbacks_total", before=ended, seconds=after_seconds)
