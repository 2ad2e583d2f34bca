"""A link carries few bytes per second."""

from deploy.lab.injection import network, struck
from deploy.lab.injection.fault import Fault
from deploy.lab.links import Rule

FAULT = Fault(
    name="network-slow",
    imitates="a throttled line, a saturated network card",
    fault_class="network",
    blast_radius="whoever moves much over the struck links; small questions hardly notice",
    shows="large answers take long, small ones do not",
    undone="The rule is taken from the proxy; what it held back passes on.",
    targets=("*→redis",),
    needs=("links",),
    options={"bytes_per_second": 32768},
    ways=(
        struck.on_links(
            "The fault proxy passes at most `bytes_per_second` in each direction.",
            lambda scene: Rule(rate_bytes=float(scene.options["bytes_per_second"])),
        ),
    ),
    bites=lambda scene: network.is_narrow(scene, bytes_per_second=float(scene.options["bytes_per_second"])),
)
