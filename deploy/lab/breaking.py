"""What a trial injects and heals: the faults of the catalogue, on one running system."""

import os
import signal
import time
from contextlib import suppress
from typing import Final

from deploy.lab.experiment import Planned
from deploy.lab.subject import Subject
from deploy.lab.trial import NotHere

_BACK_SECONDS: Final = 60.0


class Shims:
    """Kills, stops and the carrier's own faults, by pid file and control interface."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._undo: list[tuple[str, object]] = []

    def inject(self, fault: Planned) -> str:
        """Inject it; how, in words. Raises NotHere where there is no such target."""
        role, _, deed = fault.name.rpartition("-")
        if role == "carrier" and deed not in ("killed", "frozen"):
            raise NotHere(f"no shim for {fault.name}")
        if fault.name.startswith("carrier:"):
            self._subject.carrier("/sim/behaviour", {"faults": dict(fault.options)})
            self._undo.append((fault.name, dict.fromkeys(fault.options, 0)))
            return f"POST /sim/behaviour {dict(fault.options)}"
        name = fault.target or next((one for one in self._subject.names() if one.startswith(role)), "")
        if not name:
            raise NotHere(f"nothing here is called {role}")
        pid = self._subject.pid(name)
        number = signal.SIGKILL if deed == "killed" else signal.SIGSTOP
        os.kill(pid, number)
        self._undo.append((fault.name, (name, pid) if deed == "killed" else pid))
        return f"kill -{number.name.removeprefix('SIG')} {name}"

    def heal(self, name: str | None = None) -> None:
        """Undo it, and wait until what was killed has another pid."""
        for one, what in [entry for entry in self._undo if name in (None, entry[0])]:
            self._undo.remove((one, what))
            if isinstance(what, dict):
                self._subject.carrier("/sim/behaviour", {"faults": what})
            elif isinstance(what, tuple):
                until = time.monotonic() + _BACK_SECONDS
                while time.monotonic() < until:
                    with suppress(OSError, ValueError):
                        if self._subject.pid(what[0]) != what[1]:
                            break
                    time.sleep(0.05)
            elif isinstance(what, int):
                with suppress(ProcessLookupError):
                    os.kill(what, signal.SIGCONT)
