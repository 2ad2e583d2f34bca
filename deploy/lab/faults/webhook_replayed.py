"""Somebody sends a recorded webhook again and again, validly signed."""

import time

from deploy.lab.injection import drive, held
from deploy.lab.injection.asking import asked, base
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    number = drive.number()
    sid = asked(base(scene.home), "POST", "/sim/sms", {"from": number, "body": "HELP"})["sid"]
    form = {
        "MessageSid": sid,
        "AccountSid": scene.interface["account_sid"],
        "From": number,
        "To": scene.interface["service_number"],
        "Body": "HELP",
    }
    held.hold(scene, "replays", form=form, per_second=float(scene.options["per_second"]))


def bites(scene: Scene) -> Bite:
    """How many repeated messages, and refused ones, the web instances counted in a second."""
    metrics = ('ringback_intake_total{outcome="repeated"}', "ringback_webhooks_refused_total")
    before = sum(drive.total(scene, "web", metric) for metric in metrics)
    time.sleep(1)
    risen = sum(drive.total(scene, "web", metric) for metric in metrics) - before
    return Bite(bites=risen >= float(scene.options["per_second"]) / 5, measured=f"{risen:g} repeats in a second")


FAULT = Fault(
    name="webhook-replayed",
    imitates="an attacker who has seen one request, or a carrier that repeats for ever",
    fault_class="correctness",
    blast_radius="that one message: it changes nothing",
    shows="a growing count of repeats, one reminder, one charge",
    undone="Whoever sends them ends.",
    targets=("machine",),
    needs=("simulated-carrier",),
    options={"per_second": 20},
    ways=(
        Way(
            name="replays",
            how="A process posts one message's webhook again, `per_second` times, with a valid signature.",
            inject=inject,
        ),
    ),
    bites=bites,
)
