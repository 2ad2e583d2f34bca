"""An instance may use a twentieth of a processor."""

from contextlib import suppress
from pathlib import Path

from deploy.lab.injection import cgroups, held, measures, processes
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def by_cgroup(scene: Scene) -> None:
    pid = scene.process.pid
    path = cgroups.group("cpu", scene.token)
    scene.will("cgroup-off", path=str(path), back=str(cgroups.of(pid, "cpu")))
    scene.note(group=str(path))
    path.mkdir()
    cgroups.limit_cpu(path, percent=float(scene.options["percent"]))
    cgroups.move([one for one, _ in processes.tree(scene.home, scene.target)], path)


def by_signals(scene: Scene) -> None:
    named = [list(one) for one in processes.tree(scene.home, scene.target)]
    awake = float(scene.options["percent"])
    scene.will("thaw", name=scene.target, pids=named)
    scene.note(pids=named)
    held.hold(scene, "duty", pids=named, awake_ms=awake, asleep_ms=100 - awake)


def bites(scene: Scene) -> Bite:
    """Whether it was held back while it answered five questions."""
    group, pids = scene.fact("group"), scene.fact("pids") or []
    before = cgroups.throttled(Path(group)) if group else 0
    stopped = 0
    for _ in range(5):
        with suppress(OSError):
            measures.round_trip_ms(scene.home, scene.target)
        stopped += sum(processes.is_stopped(pid) for pid, _ in pids)
    periods = cgroups.throttled(Path(group)) - before if group else stopped
    return Bite(bites=periods > 0, measured=f"{scene.target} was held back {periods} times in five questions")


FAULT = Fault(
    name="cpu-throttled",
    imitates="a container with too small a limit",
    fault_class="cpu",
    blast_radius="that instance: it answers slowly and its health checks with it",
    shows="round trips of a hundred times the usual, no error",
    undone="It is moved back to its own group; or whoever stopped it ends and it goes on.",
    targets=("web-*", "worker-*", "dispatch-*", "redis"),
    options={"percent": 5},
    ways=(
        Way(
            name="cgroup",
            how="A cgroup (v1 or v2) with a quota of `percent` of one processor.",
            inject=by_cgroup,
            needs=("cgroup-cpu",),
            privileged=True,
        ),
        Way(
            name="signals",
            how="SIGSTOP and SIGCONT in turn: it runs `percent` of the time.",
            inject=by_signals,
            needs=("linux",),
        ),
    ),
    bites=bites,
)
