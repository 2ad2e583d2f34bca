"""A Postgres node as one instance: Patroni, which was started, and every process of its Postgres, which left it.

Patroni starts the postmaster in a session of its own and lets go of it; the postmaster's children begin sessions
too. What they share is where they work: the node's directory, or the data in it. A descendant of ours that works
there is the node's. The postmaster is who serves, and its death is the node's death.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from deploy.local import platform
from deploy.local.instance import Instance
from deploy.local.program import Program

_ASK_SECONDS: Final = 0.4


class Node(Instance):
    """An instance whose processes are found by where they work."""

    def __init__(self, program: Program, directory: Path) -> None:
        super().__init__(program)
        self.directory = directory
        self._ask_at = 0.0

    def check(self) -> bool:
        """Whether it has become ready just now; not asked at each step, since Patroni may be slow to answer."""
        if time.monotonic() < self._ask_at:
            return False
        self._ask_at = time.monotonic() + _ASK_SECONDS
        return super().check()

    def serving(self) -> int:
        """The postmaster, 0 where there is none."""
        pid = self.last_served()
        return pid if pid and platform.started(pid) and platform.works_in(pid, self.directory) else 0

    def last_served(self) -> int:
        """The postmaster that wrote its pid file last; it may be dead."""
        try:
            first = (self.directory / "data" / "postmaster.pid").read_text().split("\n", 1)[0].strip()
        except OSError:
            return 0
        return int(first) if first.isdigit() else 0

    def members(self) -> list[int]:
        """Every process of the node that lives."""
        found = {pid for pid in platform.descendants(os.getpid()) if platform.works_in(pid, self.directory)}
        if not platform.LINUX and (postmaster := self.last_served()):
            found |= {postmaster, *platform.children(postmaster)}
        return sorted(found | set(platform.group_members(self.pid) if self.pid else ()))

    def stop(self) -> None:
        """Stop its server; Patroni is held still, so that none of the others is promoted for those seconds.

        When the server has ended, the supervisor kills the rest. The leader key stays: who held it goes on with it.
        """
        serving = self.serving()
        if not serving:
            self.kill()
            return
        self.signal_group(signal.SIGSTOP)
        for number in (signal.SIGINT, signal.SIGCONT):
            with contextlib.suppress(ProcessLookupError):
                os.kill(serving, number)

    def kill(self) -> None:
        """End all of them at once, Patroni first: it must not start anything again."""
        super().kill()
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
