"""The kernel kills an instance for want of memory."""

from pathlib import Path
from typing import Final

from deploy.lab.injection import cgroups, held, processes, struck
from deploy.lab.injection.fault import Fault, Way
from deploy.lab.injection.scene import Scene

_LIMIT_BYTES: Final = 64 << 20


def by_cgroup(scene: Scene) -> None:
    """What a process has already taken stays charged elsewhere, so a neighbour in its group uses the limit up."""
    pid = scene.process.pid
    path = cgroups.group("memory", scene.token)
    named = processes.tree(scene.home, scene.target)
    scene.will("cgroup-off", path=str(path), back=str(cgroups.of(pid, "memory")))
    scene.will("serves", name=scene.target, killed=list(named[0]))
    scene.will("end", token=scene.token)
    scene.note(struck=[list(one) for one in named])
    path.mkdir()
    cgroups.limit_memory(path, limit_bytes=_LIMIT_BYTES)
    for one, _ in named:
        Path(f"/proc/{one}/oom_score_adj").write_text("1000")  # the kernel is to choose it, not the neighbour
    cgroups.move([one for one, _ in named], path)
    with held.start(scene, "hog", size=_LIMIT_BYTES * 2, group=str(path)):
        processes.await_that(lambda: not processes.same(named[0]), seconds=30, what="the kernel kills it")


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
            how="In a cgroup (v1 or v2) of 64 MB a neighbour takes more: the kernel's own OOM killer strikes.",
            inject=by_cgroup,
            needs=("cgroup-memory",),
            privileged=True,
        ),
        Way(name="kill", how="kill -9, which is what the OOM killer sends.", inject=struck.kill),
    ),
    bites=struck.is_gone,
    heal_seconds=60,
)
