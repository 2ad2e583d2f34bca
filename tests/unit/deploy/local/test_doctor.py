"""`doctor` tells what serves from what is only there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local import doctor, platform
from deploy.local.records import Process


@pytest.fixture
def process() -> Iterator[Process]:
    """A process that waits for its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        started = platform.started(waiting.pid)
        assert started is not None
        yield Process(pid=waiting.pid, started=started)
        waiting.kill()


def test_a_process_that_a_signal_has_stopped_is_frozen(process: Process) -> None:
    assert doctor.process(name="redis", recorded=process, is_supervised=True).state == "runs"
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    found = doctor.process(name="redis", recorded=process, is_supervised=True)
    assert (found.state, found.detail.endswith("stopped by a signal, it answers nobody")) == ("frozen", True)
    os.kill(process.pid, signal.SIGCONT)
    os.waitid(os.P_PID, process.pid, os.WCONTINUED)
    assert doctor.process(name="redis", recorded=process, is_supervised=True).state == "runs"
