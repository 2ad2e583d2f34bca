"""Nobody listens behind a link."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-refused",
    imitates="a service that was moved, a wrong port after a deploy",
    fault_class="network",
    blast_radius="whoever needs the server behind the struck links",
    shows="connection refused, at once",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("worker-*→carrier*", "*→*"),
    needs=("links",),
    ways=(struck.on_links("The fault proxy stops listening there.", Rule(refuse=True)),),
    bites=network.is_cut,
)
