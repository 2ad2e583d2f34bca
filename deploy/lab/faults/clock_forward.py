"""An instance's clock is stepped forward."""

from deploy.lab.injection import clocks, shim
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    shim.strike(scene, clock_ms=int(float(scene.options["offset_seconds"]) * 1000))


def bites(scene: Scene) -> Bite:
    """How far its clock is from ours."""
    return clocks.is_off(scene, forward=True)


FAULT = Fault(
    name="clock-forward",
    imitates="a host without time synchronisation, a virtual machine that was resumed",
    fault_class="correctness",
    blast_radius="whatever that instance dates; of Postgres: leases and due times, which compare on its clock",
    shows="time stamps from the future; on the database's host reminders ring early",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("worker-*", "dispatch-*", "web-*", "postgres-*"),
    ways=(
        Way(
            name="shim",
            how="The shim adds `offset_seconds` to the wall clock; monotonic clocks go on as they were.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
    options={"offset_seconds": 3600},
)
