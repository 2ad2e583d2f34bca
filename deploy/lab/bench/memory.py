"""Memory: what the idle system keeps resident, by process. Alone: `make bench ARGS="memory"`.

`resident` counts shared pages in each process; `own` is the proportional share (PSS), which adds up.
"""

import time
from typing import Final

from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System

NAME: Final = "memory"
_SETTLE_SECONDS: Final = 3.0


def measure(system: System, options: Options, results: Results) -> None:
    """One look at the system some seconds after its start."""
    time.sleep(_SETTLE_SECONDS)
    found = system.usage()
    resident = {name: round(usage.resident_kib / 1024) for name, usage in found.items()}
    own = {name: round(usage.own_kib / 1024) for name, usage in found.items()}
    say(f"memory: {sum(resident.values())} MB resident, {sum(own.values())} MB own: {resident}")
    results.add(NAME, processes=options.processes, resident_mb=resident, own_mb=own, load=load_average())
