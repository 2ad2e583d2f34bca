"""One side of a connection ends and the other is never told."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-half-open",
    imitates="a load balancer or NAT that forgets a connection silently",
    fault_class="network",
    blast_radius="whoever keeps connections over the struck links: they hold dead ones",
    shows="a pool full of connections to nobody; the next question on one waits for its deadline",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("*→redis",),
    needs=("links",),
    ways=(struck.on_links("The fault proxy does not pass on that a side has hung up.", Rule(half_open=True)),),
    bites=network.is_half_open,
)
