"""No name resolves in an instance."""

from deploy.lab.injection import drive, processes, shim
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    base = processes.environment(scene.process.pid)["RINGBACK_TWILIO_BASE"]
    shim.strike(scene, {"RINGBACK_TWILIO_BASE": base.replace("127.0.0.1", "localhost")}, names_fail=1)


def bites(scene: Scene) -> Bite:
    """A reminder that is due: whether it rings."""
    call = drive.ring(scene, seconds=6)
    if call is not None:
        drive.hang_up(scene, call)
    return Bite(bites=call is None, measured="a reminder rang" if call else "a reminder did not ring within 6 s")


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
