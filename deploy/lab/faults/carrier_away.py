"""The carrier is dead, and stays dead until it is healed."""

from deploy.lab.injection import struck
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-away",
    imitates="an outage of the carrier that lasts",
    fault_class="degradation",
    blast_radius="every call and text through this carrier account, for as long as it lasts",
    shows="creates are refused at once; reminders wait, and another account takes over where there is one",
    undone="The hold is taken off and the supervisor starts it again.",
    targets=("carrier*",),
    ways=(struck.HOLD_DEAD,),
    bites=struck.is_silent,
    heal_seconds=60,
)
