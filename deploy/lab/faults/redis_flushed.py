"""Redis forgets everything."""

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    scene.will("redis", words=["DEL", "lab:canary"])
    measures.redis(scene.home, "SET", "lab:canary", "1")
    scene.note(keys=measures.redis(scene.home, "DBSIZE").lstrip(":"))
    measures.redis(scene.home, "FLUSHALL")


def bites(scene: Scene) -> Bite:
    """Whether a key that stood there just before is gone."""
    if scene.entry is None:
        return Bite(bites=False, measured="nothing was flushed")
    gone = measures.redis(scene.home, "EXISTS", "lab:canary") == ":0"
    return Bite(
        bites=gone, measured=f"{scene.fact('keys')} keys were there, the one of the lab is {'gone' if gone else 'kept'}"
    )


FAULT = Fault(
    name="redis-flushed",
    imitates="FLUSHALL in the wrong terminal, a broker that restarts without its file",
    fault_class="correctness",
    blast_radius="doorbells under way; nothing that was accepted",
    shows="claimed reminders do not ring until their lease is over",
    undone="Nothing is brought back: leases bring the doorbells again.",
    targets=("redis",),
    ways=(Way(name="flushall", how="FLUSHALL.", inject=inject, needs=("own-redis",)),),
    bites=bites,
)
