"""Nobody reaches the primary, and it reaches nobody."""

import signal

from deploy.lab import links
from deploy.lab.injection import measures, processes
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import links as found_links
from deploy.lab.injection.targets import primaries


def inject(scene: Scene) -> None:
    for patroni in processes.patronis(scene.home, scene.target):
        scene.will("thaw", name=scene.target, pids=[list(patroni)])
        processes.send([patroni], signal.SIGSTOP)
    scene.will("link-off", token=scene.token)
    links.strike(scene.home, scene.token, f"*→{scene.target}", links.Rule(blackhole=True))


def bites(scene: Scene) -> Bite:
    """Whether it answers through any of its links."""
    ways = [one for one in found_links(scene.home) if one.name.endswith(f"→{scene.target}")]
    answering = [one.name for one in ways if measures.through_ms(scene.home, one) is not None]
    return Bite(bites=not answering, measured=f"{scene.target} answers through {len(answering)} of {len(ways)} links")


FAULT = Fault(
    name="postgres-primary-partitioned",
    imitates="a switch that fails before the database's host",
    fault_class="database",
    blast_radius="every write, until a standby is promoted; the old primary may commit nothing",
    shows="deadlines pass; nothing is refused",
    undone="The rule is taken from the proxy, and its Patroni goes on: it learns that it was replaced.",
    targets=("postgres-*",),
    needs=("links", "own-postgres"),
    ways=(
        Way(
            name="proxy",
            how="The fault proxy holds back everything on every link to the primary; its Patroni is held still.",
            inject=inject,
            needs=("links",),
        ),
    ),
    bites=bites,
    pick=primaries,
    heal_seconds=150,
)
