"""Every connection on a link ends with RST, and so does every new one."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-reset",
    imitates="a stateful firewall that has lost its table, a server that restarts again and again",
    fault_class="network",
    blast_radius="whoever speaks over the struck links",
    shows="connection reset by peer, at once",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("web-*→postgres-1", "*→*"),
    needs=("links",),
    ways=(struck.on_links("The fault proxy ends open and new connections with RST.", Rule(reset=True)),),
    bites=network.is_cut,
)
