"""The ways that many faults share: kill, freeze, hold dead, a rule on links; and how each is seen."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial

from deploy.lab import links
from deploy.lab.injection import measures, processes
from deploy.lab.injection.fault import Bite, Way
from deploy.lab.injection.scene import Scene


def kill(scene: Scene) -> None:
    """SIGKILL to the instance and everything that it began."""
    named = processes.tree(scene.home, scene.target)
    scene.will("serves", name=scene.target, killed=list(named[0]))
    scene.note(struck=[list(one) for one in named])
    _end(scene, named)


def hold_dead(scene: Scene) -> None:
    """The same, and the supervisor may not start it again until this is healed."""
    named = processes.tree(scene.home, scene.target)
    held = scene.home.run / "held" / scene.target
    scene.will("serves", name=scene.target, killed=list(named[0]))
    scene.will("release", name=scene.target)
    scene.note(struck=[list(one) for one in named])
    held.parent.mkdir(mode=0o700, exist_ok=True)
    held.touch()
    _end(scene, named)


def freeze(scene: Scene) -> None:
    """SIGSTOP to the instance and everything that it began: it holds its connections and does nothing."""
    scene.will("serves", name=scene.target, killed=None)  # undone last: when every pass below is awake again
    for _ in range(3):  # a child may be born while the first ones are stopped
        named = [one for one in processes.tree(scene.home, scene.target) if not processes.is_stopped(one[0])]
        if not named:
            break
        scene.will("thaw", name=scene.target, pids=[list(one) for one in named], waits=False)
        scene.note(struck=[*(scene.fact("struck") or []), *(list(one) for one in named)])
        processes.send(named, signal.SIGSTOP)
        processes.await_that(partial(_stand_still, named), seconds=30, what=f"{scene.target} stands still")


def _stand_still(named: list[processes.Named]) -> bool:
    """A signal is taken when the process runs next: later, on a machine that is busy."""
    return all(processes.is_stopped(one[0]) or not processes.same(one) for one in named)


def _end(scene: Scene, named: list[processes.Named]) -> None:
    """Patroni first: it must not start its Postgres again."""
    processes.send(processes.patronis(scene.home, scene.target), signal.SIGKILL)
    processes.send(named, signal.SIGKILL)


KILL = Way(name="kill", how="kill -9 of the instance's process and everything that it began.", inject=kill)
FREEZE = Way(name="stop", how="SIGSTOP of the instance's process and everything that it began.", inject=freeze)
HOLD_DEAD = Way(
    name="hold-dead",
    how="kill -9, and a file in run/held that keeps the supervisor from starting it again.",
    inject=hold_dead,
)


def is_gone(scene: Scene) -> Bite:
    """Whether the process that was struck is dead and nobody has been declared its successor."""
    struck = scene.fact("struck")
    if struck:
        gone = not processes.same((struck[0][0], struck[0][1]))
        return Bite(bites=gone, measured=f"pid {struck[0][0]} {'is dead' if gone else 'lives'}")
    served = measures.round_trip_ms(scene.home, scene.target)
    return Bite(bites=served is None, measured=f"{scene.target}: {measures.told(served)}")


def is_silent(scene: Scene) -> Bite:
    """Whether the instance answers nobody."""
    served = measures.round_trip_ms(scene.home, scene.target)
    return Bite(bites=served is None, measured=f"{scene.target}: {measures.told(served)}")


def redis_refuses(scene: Scene) -> Bite:
    """A write, as a doorbell is one: whether Redis takes it."""
    said = measures.redis(scene.home, "SET", "lab:probe", "1", "EX", "5")
    return Bite(bites=said != "+OK", measured=f"Redis answers a write with {said[:80]!r}")


def on_links(how: str, rule: links.Rule | Callable[[Scene], links.Rule]) -> Way:
    """The way of every fault of the network: a rule of the fault proxy on the target's links."""

    def inject(scene: Scene) -> None:
        scene.will("link-off", token=scene.token)
        links.strike(scene.home, scene.token, scene.target, rule(scene) if callable(rule) else rule)

    return Way(name="proxy", how=how, inject=inject, needs=("links",))
