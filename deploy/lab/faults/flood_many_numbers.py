"""Many numbers text at once."""

import time

from deploy.lab.injection import drive, held
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    held.hold(
        scene, "flood", senders=[], body=str(scene.options["body"]), per_second=float(scene.options["per_second"])
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
    name="flood-many-numbers",
    imitates="a campaign, an attack by SMS pumping, New Year's Eve",
    fault_class="flood",
    blast_radius="everybody: the webs, the database, the carrier's pace",
    shows="latency grows; shedding by cost; global limits and their breaker",
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
