"""The carrier no longer knows our token."""

import secrets

from deploy.lab.injection import drive, told
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene


def inject(scene: Scene) -> None:
    told.tell(scene, {"RINGBACK_TWILIO_AUTH_TOKEN": secrets.token_hex(16)})


def bites(scene: Scene) -> Bite:
    """Whether the carrier lets us in with the token that we have."""
    status, _ = drive.rest(scene, "GET", "Calls.json?PageSize=1")
    return Bite(bites=status == 401, measured=f"our token is answered {status}")


FAULT = Fault(
    name="credential-expired",
    imitates="a token that was rotated at the carrier and not here",
    fault_class="process",
    blast_radius="every call and text, and every webhook: their signatures no longer fit",
    shows="401 from the carrier, 403 from us",
    undone="The carrier is started anew with the token that we know.",
    targets=("carrier",),
    needs=("simulated-carrier",),
    ways=(Way(name="token", how="The carrier is started anew with another token.", inject=inject),),
    bites=bites,
    heal_seconds=60,
)
