"""Webhooks and callbacks carry a wrong signature."""

from deploy.lab.injection import drive
from deploy.lab.injection.carrier import misbehaving
from deploy.lab.injection.fault import Bite, Fault
from deploy.lab.injection.scene import Scene


def bites(scene: Scene) -> Bite:
    """A phone texts HELP: what its webhooks brought."""
    brought = [one["status"] for one in drive.text(scene, drive.number(), "HELP")]
    return Bite(bites=403 in brought, measured=f"a text's webhooks were answered {brought}")


FAULT = Fault(
    name="webhook-forged",
    imitates="an attacker who knows our addresses, or a proxy that changes the address that was signed",
    fault_class="correctness",
    blast_radius="every text and callback while it lasts: all are refused, and nothing changes",
    shows="403 and a growing count of refused webhooks",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "bad_signature"),),
    bites=bites,
)
