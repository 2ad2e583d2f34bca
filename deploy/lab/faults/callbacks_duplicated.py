"""The carrier tells everything twice."""

import time
from typing import Final

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene

_TWICE: Final = 4  # sent and delivered, each twice


def bites(scene: Scene) -> Bite:
    """A phone texts HELP: how many callbacks our answer brings, which is sent and delivered once."""
    before = drive.total(scene, "web", "ringback_callbacks_total")
    drive.text(scene, drive.number(), "HELP")
    until = time.monotonic() + 3
    came = 0.0
    while came < _TWICE and time.monotonic() < until:
        time.sleep(0.1)
        came = drive.total(scene, "web", "ringback_callbacks_total") - before
    return Bite(bites=came >= _TWICE, measured=f"the answer to a text brought {came:g} callbacks")


FAULT = Fault(
    name="callbacks-duplicated",
    imitates="a carrier that repeats a callback because our answer was slow",
    fault_class="correctness",
    blast_radius="calls in flight: nothing may be counted or charged twice",
    shows="callbacks that change nothing",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "callbacks_duplicate"),),
    bites=bites,
)
