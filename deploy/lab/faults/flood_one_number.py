"""One number texts without end."""

import time

from deploy.lab.injection import drive, held
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    held.hold(
        scene,
        "flood",
        senders=[drive.number()],
        body=str(scene.options["body"]),
        per_second=float(scene.options["per_second"]),
    )


def bites(scene: Scene) -> Bite:
    """How many webhooks of texts the web instances answered in a second, in every way that counts them."""
    metrics = ("ringback_intake_total", "ringback_webhooks_refused_total")
    before = sum(drive.total(scene, "web", metric) for metric in metrics)
    time.sleep(1)
    risen = sum(drive.total(scene, "web", metric) for metric in metrics) - before
    least = float(scene.options["per_second"]) / 5
    return Bite(bites=risen >= least, measured=f"{risen:g} texts were taken or refused in a second")


FAULT = Fault(
    name="flood-one-number",
    imitates="a loop between two machines, a bored teenager, a broken phone",
    fault_class="flood",
    blast_radius="that person's limits; everybody else must not notice",
    shows="many texts of one subscriber; shedding of what is over its limit",
    undone="Whoever sends them ends; what was taken is worked off.",
    targets=("machine",),
    needs=("simulated-carrier",),
    options={"per_second": 40, "body": "Remind in 30 days about the flood"},
    ways=(
        Way(
            name="texts",
            how="A process has phones text `body`, `per_second` times, whatever the answers.",
            inject=inject,
        ),
    ),
    bites=bites,
    heal_seconds=60,
)
