"""Data on a link arrives at uneven times."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-jitter",
    imitates="a shared line, a wireless hop, a noisy neighbour",
    fault_class="network",
    blast_radius="whoever speaks over the struck links",
    shows="a long tail of slow requests behind a good median",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("worker-*→redis", "*→*"),
    needs=("links",),
    options={"milliseconds": 400},
    ways=(
        struck.on_links(
            "The fault proxy holds each piece back for a random time of up to `milliseconds`.",
            lambda scene: Rule(jitter_ms=float(scene.options["milliseconds"])),
        ),
    ),
    bites=lambda scene: network.is_uneven(scene, by_ms=float(scene.options["milliseconds"]) / 4),
)
