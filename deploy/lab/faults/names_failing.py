"""No name resolves in an instance."""

from deploy.lab.injection import drive, measures, processes, shim
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    base = processes.environment(scene.process.pid)["RINGBACK_TWILIO_BASE"]
    shim.strike(scene, {"RINGBACK_TWILIO_BASE": base.replace("127.0.0.1", "localhost")}, names_fail=1)


def bites(scene: Scene) -> Bite:
    """Reminders that are due: whether this worker could not send one of them. Other workers ring what they get."""
    metric = 'ringback_attempts_total{state="not_sent"}'
    before = measures.counter(scene.home, scene.target, metric)
    unsent, rung = 0.0, 0
    for _ in range(4):
        call = drive.ring(scene, seconds=4)
        unsent = measures.counter(scene.home, scene.target, metric) - before
        if call is not None:
            drive.hang_up(scene, call)
            rung += 1
        if unsent:
            break
    return Bite(bites=unsent > 0, measured=f"{rung} reminders rang, {unsent:g} could not be sent by {scene.target}")


FAULT = Fault(
    name="names-failing",
    imitates="a resolver that is down or forgets a zone",
    fault_class="network",
    blast_radius="new connections of that instance by name; open ones go on",
    shows="temporary failure in name resolution; nothing is sent, so nothing is unknown",
    undone="The shim is told to rest, and the instance is started anew without it.",
    targets=("worker-*",),
    ways=(
        Way(
            name="shim",
            how="The worker gets the carrier's address as a name, then the shim makes getaddrinfo say EAI_AGAIN.",
            inject=inject,
            needs=("gcc",),
        ),
    ),
    bites=bites,
    heal_seconds=90,
)
