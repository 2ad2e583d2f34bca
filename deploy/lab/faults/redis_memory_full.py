"""Redis may take no more memory."""

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    previous = measures.redis(scene.home, "CONFIG", "GET", "maxmemory").split()[-1]
    scene.will("redis", words=["CONFIG", "SET", "maxmemory", previous])
    measures.redis(scene.home, "CONFIG", "SET", "maxmemory", "1")


def bites(scene: Scene) -> Bite:
    """A write, as a doorbell is one."""
    said = measures.redis(scene.home, "SET", "lab:probe", "1", "EX", "5")
    return Bite(bites=said.startswith("-OOM"), measured=f"Redis answers a write with {said[:80]!r}")


FAULT = Fault(
    name="redis-memory-full",
    imitates="a broker that nobody drains, or shares with a cache",
    fault_class="memory",
    blast_radius="doorbells: Redis refuses writes; nothing that was accepted is lost",
    shows="OOM command not allowed; rings wait for their lease",
    undone="CONFIG SET maxmemory to what it was.",
    targets=("redis",),
    ways=(Way(name="config", how="CONFIG SET maxmemory 1.", inject=inject, needs=("own-redis",)),),
    bites=bites,
)
