"""Nothing passes on a link, in either direction."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-partition",
    imitates="a firewall that drops, a switch that died",
    fault_class="network",
    blast_radius="whoever needs the server behind the struck links",
    shows="requests wait for their deadline: nothing is refused",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("web-*→postgres-1", "*→*"),
    needs=("links",),
    ways=(struck.on_links("The fault proxy accepts and holds back everything; nothing ends.", Rule(blackhole=True)),),
    bites=network.is_cut,
)
