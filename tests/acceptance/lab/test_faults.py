"""A telling set of faults on a running system: each bites, each heals, and what kills the lab leaves nothing broken.

`./manage.py lab verify` does the same with all of them.
"""

import os
import signal
import subprocess
import sys
from typing import Final

import pytest

from deploy.lab import faults
from deploy.lab.commands.verify import verify
from deploy.lab.injection.fault import FaultError
from tests.acceptance import http
from tests.acceptance.system import COMMAND_SECONDS, QUICK, REPOSITORY, System, Systems
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

# One of each way to strike: a signal, a kill, a rule on a link, the carrier, a setting of Redis, a limit, a session
# of the database, a preloaded library. Those that this machine lacks something for say so.
TELLING: Final = (
    "worker-frozen",
    "redis-killed",
    "network-latency",
    "network-partition-one-way",
    "network-half-open",
    "carrier-too-many-requests",
    "redis-memory-full",
    "file-descriptors-exhausted",
    "lock-convoy",
    "clock-forward",
)
# A process of the lab that breaks something for as long as it lives.
LAB: Final = """
import sys, threading
from pathlib import Path
from deploy.lab import faults
from deploy.local.home import Home
print(faults.inject(Home(root=Path(sys.argv[1])), "worker-frozen").target, flush=True)
threading.Event().wait()
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One that is broken on purpose, with the fault proxy between its processes."""
    return systems.running("broken", {**QUICK, "RINGBACK_LAB": "1"})


@pytest.mark.parametrize("name", TELLING)
def test_it_bites_and_heals(system: System, name: str) -> None:
    lack = faults.missing(system.home, name)
    if lack is not None:
        pytest.skip(lack)
    found = verify(system.home, faults.fault(name))
    assert found["verdict"] == "bites and heals", found
    assert faults.status(system.home) == ()


def test_it_heals_what_a_killed_lab_left_broken(system: System) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAB, str(system.home.root)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == b"worker-1\n"
        assert [one.fault for one in faults.status(system.home)] == ["worker-frozen"]
        assert faults.measure(system.home, "worker-frozen").bites
        os.kill(lab.pid, signal.SIGKILL)
        lab.wait(COMMAND_SECONDS)
    assert faults.status(system.home) == ()
    until(lambda: not faults.measure(system.home, "worker-frozen").bites, seconds=60, what="the worker answers")


def test_it_breaks_and_heals_from_a_second_terminal(system: System) -> None:
    told = system.manage("lab", "break", "carrier-slow", "--option", "hold_seconds=2.5", "--json")
    assert told.returncode == 0, told.stderr
    assert http.get(f"{system.carrier.base}/sim/behaviour")["faults"]["create_hold_seconds"] == 2.5
    with pytest.raises(FaultError, match="heal it first"):
        faults.inject(system.home, "carrier-slow")
    assert system.manage("lab", "heal").stdout == "healed: carrier-slow at carrier\n"
    assert faults.heal(system.home) == []
    assert http.get(f"{system.carrier.base}/sim/behaviour")["faults"]["create_hold_seconds"] == 0


def test_it_heals_at_the_next_start_what_was_broken_when_it_stopped(system: System) -> None:
    """The carrier remembers how it is to behave; a hold would keep an instance from starting."""
    faults.inject(system.home, "carrier-too-many-requests", kept=True)
    faults.inject(system.home, "carrier-away", kept=True)
    system.stop()
    system.start()
    until(lambda: faults.status(system.home) == (), seconds=60, what="the last run's faults are healed")
    assert http.get(f"{system.carrier.base}/sim/behaviour")["faults"]["create_429"] == 0


def test_it_refuses_what_it_cannot_do_and_breaks_nothing(system: System) -> None:
    for name, target in (("worker-frozen", "web-1"), ("network-latency", "a→b"), ("no-such-fault", None)):
        with pytest.raises(FaultError):
            faults.inject(system.home, name, target=target)
    assert faults.status(system.home) == ()
