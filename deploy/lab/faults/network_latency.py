"""Every piece of data on a link arrives late."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-latency",
    imitates="two data centres that are far apart, a full queue in a router",
    fault_class="network",
    blast_radius="whoever speaks over the struck links: each round trip costs twice the delay",
    shows="slow requests and full pools, without a single error",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("worker-*→redis", "*→*"),
    needs=("links",),
    options={"milliseconds": 200},
    ways=(
        struck.on_links(
            "The fault proxy holds each piece back for `milliseconds`, in both directions.",
            lambda scene: Rule(latency_ms=float(scene.options["milliseconds"])),
        ),
    ),
    bites=lambda scene: network.is_slower(scene, by_ms=float(scene.options["milliseconds"])),
)
