"""The kernel kills an instance for want of memory."""

from deploy.lab.injection import cgroups, measures, processes, struck
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene


def by_cgroup(scene: Scene) -> None:
    pid = scene.process.pid
    path = cgroups.group("memory", scene.token)
    named = processes.tree(scene.process)
    scene.will("cgroup-off", path=str(path), back=str(cgroups.of(pid, "memory")))
    scene.will("serves", name=scene.target, killed=list(named[0]))
    scene.note(struck=[list(one) for one in named], group=str(path))
    path.mkdir()
    cgroups.limit_memory(path, limit_bytes=1 << 20)  # what it takes from now on: it lives until it needs more
    cgroups.move([one for one, _ in named], path)
    processes.await_that(lambda: not processes.same(named[0]) or _asked(scene), seconds=30, what="the kernel kills it")


def _asked(scene: Scene) -> bool:
    """Make it need memory; false, so that we go on waiting."""
    measures.round_trip_ms(scene.home, scene.target)
    return False


FAULT = Fault(
    name="out-of-memory",
    imitates="a leak, a container's limit, a request that loads too much",
    fault_class="memory",
    blast_radius="that instance, in the middle of what it did",
    shows="killed by SIGKILL without a word; the supervisor starts it again",
    undone="Its group is removed; the supervisor has started it again.",
    targets=("worker-*", "web-*", "dispatch-*"),
    ways=(
        Way(
            name="cgroup",
            how="A cgroup (v1 or v2) whose memory is used up: the kernel's own OOM killer strikes.",
            inject=by_cgroup,
            needs=("cgroup-memory",),
            privileged=True,
        ),
        Way(name="kill", how="kill -9, which is what the OOM killer sends.", inject=struck.kill),
    ),
    bites=struck.is_gone,
    heal_seconds=60,
)
