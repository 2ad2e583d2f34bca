"""Questions arrive, answers do not."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-partition-one-way",
    imitates="an asymmetric route, a firewall with a rule for one direction",
    fault_class="network",
    blast_radius="whoever asks over the struck links: what they asked for is done, and they do not learn it",
    shows="deadlines pass on one side while the other side works",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("worker-*→carrier*", "*→*"),
    needs=("links",),
    options={"direction": "down"},
    ways=(
        struck.on_links(
            "The fault proxy holds one direction back: `down` the answers, `up` the questions.",
            lambda scene: Rule(blackhole=True, direction=str(scene.options["direction"])),
        ),
    ),
    bites=network.is_cut,
)
