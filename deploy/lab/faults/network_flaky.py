"""A share of the new connections on a link is cut in the middle."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-flaky",
    imitates="a lossy line, a balancer with one bad backend",
    fault_class="network",
    blast_radius="whoever opens connections over the struck links",
    shows="some requests fail, the next try of the same one works",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("worker-*→redis", "*→*"),
    needs=("links",),
    options={"share": 0.5},
    ways=(
        struck.on_links(
            "The fault proxy cuts this `share` of new connections within 0.2 s.",
            lambda scene: Rule(lose=float(scene.options["share"])),
        ),
    ),
    bites=network.loses,
)
