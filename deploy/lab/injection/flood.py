"""A flood of texts, and how it is seen: what the floods of one number and of many share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.lab.injection import drive, held
from deploy.lab.injection.fault import Bite
from deploy.lab.injection.scene import Scene

OPTIONS: Final[Mapping[str, Any]] = {"per_second": 40, "body": "Remind in 30 days about the flood"}
HOW: Final = "A process has phones text `body`, `per_second` times, whatever the answers."
UNDONE: Final = "Whoever sends them ends; what was taken is worked off."
_COUNTED: Final = ("ringback_intake_total", "ringback_webhooks_refused_total")


def begin(scene: Scene, *, senders: Sequence[str]) -> None:
    """Have these phones text, in turn, from now on; none: each time a phone that nobody had before."""
    body, per_second = str(scene.options["body"]), float(scene.options["per_second"])
    held.hold(scene, "flood", senders=list(senders), body=body, per_second=per_second)


def bites(scene: Scene) -> Bite:
    """How many webhooks of texts the web instances answered in a second, in every way that counts them."""
    before = sum(drive.total(scene, "web", metric) for metric in _COUNTED)
    time.sleep(1)
    risen = sum(drive.total(scene, "web", metric) for metric in _COUNTED) - before
    least = float(scene.options["per_second"]) / 5
    return Bite(bites=risen >= least, measured=f"{risen:g} texts were taken or refused in a second")
