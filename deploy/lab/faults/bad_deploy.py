"""An instance is started anew with settings that do not work."""

import re

from deploy.lab.injection import measures, processes, told
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    url = processes.environment(scene.process.pid)["DATABASE_URL"]
    told.tell(scene, {"DATABASE_URL": re.sub(r"//([^:]+):[^@]+@", r"//\1:wrong@", url)})


def bites(scene: Scene) -> Bite:
    """Whether the instance says that it accepts messages by the database."""
    status, accept = measures.readyz(scene.home, scene.target)
    if not status:
        raise FaultError(f"{scene.target} does not answer: it is being started.")
    return Bite(bites=accept != "database", measured=f"/readyz of {scene.target}: {status}, accept {accept}")


FAULT = Fault(
    name="bad-deploy",
    imitates="a deploy with a wrong secret",
    fault_class="process",
    blast_radius="that instance; the proxy sends to the others where there are any",
    shows="/readyz says no (or spool), /livez says yes",
    undone="The setting is taken back and the instance started anew.",
    targets=("web-*",),
    needs=("linux",),
    ways=(
        Way(
            name="setting",
            how="The instance is killed and started with a wrong password of the database.",
            inject=inject,
        ),
    ),
    bites=bites,
    heal_seconds=90,
)
