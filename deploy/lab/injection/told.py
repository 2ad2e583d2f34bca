"""Starts an instance anew with other settings than the rest of the system: a bad deploy, a changed credential."""

from __future__ import annotations

from deploy.lab.injection import processes
from deploy.lab.injection.scene import Scene
from deploy.local.home import write_environment


def tell(scene: Scene, words: dict[str, str]) -> None:
    """Restart the target with these in its environment, until it is healed."""
    scene.will("overrides-off", name=scene.target, token=scene.token)
    place = scene.home.run / "overrides" / scene.target
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = scene.process
    write_environment(place / scene.token, words)
    processes.restart(scene.home, scene.target)
    processes.await_that(
        lambda: not processes.same((before.pid, before.started)), seconds=10, what=f"the old {scene.target} ends"
    )
