"""The carrier places the call and the connection breaks before its reply."""

from deploy.lab.injection.carrier import leaves_unknown, misbehaving
from deploy.lab.injection.fault import Fault

FAULT = Fault(
    name="carrier-reply-lost",
    imitates="a connection that dies between the effect and its answer: the worst moment",
    fault_class="degradation",
    blast_radius="calls and texts that are being created: dialled blindly again they would ring twice",
    shows="attempts become unknown, are looked up, and bind to the call that exists",
    undone="The behaviour is put back to what it was.",
    targets=("carrier*",),
    options={"share": 1.0},
    ways=(misbehaving("share", "create_reply_lost"),),
    bites=leaves_unknown,
)
