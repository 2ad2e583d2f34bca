"""One program's life: started, watched until it is ready, restarted with back-off, ended with all it began.

An instance is a session of its own, and so a process group. When its process dies the whole group is killed
and reaped before anything takes its place, so that no relative of it serves or holds its port.
"""

import contextlib
import enum
import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from deploy.local import platform
from deploy.local.program import Program

_BACKOFF_SECONDS: Final = 0.2
_BACKOFF_SECONDS_MAX: Final = 5.0
_STAYED_UP_SECONDS: Final = 10.0
_ALIVE_SECONDS: Final = 0.5
_PATIENCE_MAX: Final = 2  # doublings of the time to become ready: a busy machine gets no faster by starting again
_LINE_BYTES_MAX: Final = 16 * 1024
_LAST_LINES: Final = 12
_TELLING: Final = re.compile(r"FATAL|PANIC|Fatal error|^\w*(Error|Exception)\b")


class State(enum.StrEnum):
    """Where an instance is."""

    WAITING = "waiting"  # for what it needs, or for its back-off
    STARTING = "starting"
    READY = "ready"
    ENDING = "ending"  # its process was reaped, others of it were not yet
    DONE = "done"  # a step that was carried out
    STOPPED = "stopped"


class Instance:
    """A program and its present process, if it has one."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.state = State.WAITING
        self.pid = 0
        self.started: str | None = None
        self.failures = 0  # deaths in a row, without having stayed up in between
        self.was_ready = False
        self.slow = 0  # starts in a row that took too long
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self.started_at = 0.0  # monotonic
        self.not_before = 0.0
        self._hides = re.compile(program.hides) if program.hides else None
        self._process: subprocess.Popen[bytes] | None = None
        self._unfinished = b""
        self._heard = False
        self._unheard: deque[str] = deque(maxlen=_LAST_LINES)

    @property
    def name(self) -> str:
        """Its name: web-1."""
        return self.program.name

    @property
    def output(self) -> int:
        """The file descriptor that its lines come from, -1 where it has no process."""
        pipe = self._process.stdout if self._process else None
        return pipe.fileno() if pipe else -1

    def start(self, overrides: Mapping[str, str] | None = None) -> None:
        """Start its process, in a session of its own; `overrides` go before its own environment."""
        self._process = subprocess.Popen(
            self.program.command,
            env={**self.program.environment, **(overrides or {})},
            cwd=self.program.directory,
            stdin=subprocess.PIPE if self.program.hears else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=self.program.uid,
            group=self.program.gid,
            extra_groups=None if self.program.uid is None else [],
        )
        self.pid = self._process.pid
        self.started = platform.started(self.pid)
        os.set_blocking(self.output, False)
        if self._process.stdin:
            os.set_blocking(self._process.stdin.fileno(), False)
        self.state = State.STARTING
        self.started_at = time.monotonic()
        self._unfinished, self._heard = b"", False
        self.last_lines.clear()

    def read(self) -> list[str]:
        """The lines that it has said since; never waits. Half a line is kept for the next time."""
        try:
            piece = os.read(self.output, 1 << 16)
        except (BlockingIOError, OSError):
            return []
        *whole, self._unfinished = (self._unfinished + piece).split(b"\n")
        if not piece or len(self._unfinished) > _LINE_BYTES_MAX:
            whole, self._unfinished = [*whole, self._unfinished], b""
        lines = [line.decode(errors="replace").rstrip() for line in whole if line.strip()]
        self.last_lines.extend(lines)
        self._unheard.extend(lines)
        words = self.program.ready_words
        self._heard = self._heard or bool(words and any(words in line for line in lines))
        return [line for line in lines if not (self._hides and self._hides.search(line))]

    def tell(self, line: str) -> None:
        """Say a line to its process; never waits, and what does not fit is lost."""
        pipe = self._process.stdin if self._process else None
        if pipe:
            with contextlib.suppress(OSError):
                os.write(pipe.fileno(), f"{line}\n".encode())

    def overheard(self, word: str) -> list[str]:
        """The lines since the last time that begin with a word, shown or hidden."""
        found = [line for line in self._unheard if line.startswith(word)]
        self._unheard.clear()
        return found

    def check(self) -> bool:
        """Whether it has become ready just now."""
        if self.state is not State.STARTING or self.program.once or not self._is_ready():
            return False
        self.state = State.READY
        self.was_ready, self.slow = True, 0
        return True

    def is_too_slow(self) -> bool:
        """Whether it should have been ready by now; after each start that took too long the next has twice the time."""
        seconds = self.program.ready_seconds * 2 ** min(self.slow, _PATIENCE_MAX)
        return self.state is State.STARTING and time.monotonic() - self.started_at > seconds

    def kill(self) -> None:
        """End its whole group at once."""
        self.signal_group(signal.SIGKILL)

    def signal_group(self, number: int) -> None:
        """Send a signal to every process of its group."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def signal(self, number: int) -> None:
        """Send a signal to its process, which it also gets where it was frozen."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
                os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Tell it to stop by itself."""
        self.signal(self.program.stop_signal)

    def ended(self, status: int) -> None:
        """Note that its process was reaped: the next start waits for the back-off."""
        process, self._process = self._process, None
        if process is not None:
            process.returncode = os.waitstatus_to_exitcode(status)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self.slow += self.is_too_slow()
        now = time.monotonic()
        self.failures = 0 if now - self.started_at > _STAYED_UP_SECONDS else self.failures
        self.not_before = now + min(_BACKOFF_SECONDS * 2**self.failures, _BACKOFF_SECONDS_MAX)
        self.failures += 1
        self.pid = 0
        done = self.program.once and os.waitstatus_to_exitcode(status) == 0
        self.state = State.DONE if done else State.WAITING

    def last_words(self) -> str:
        """The line that says most about why it ended."""
        telling = [line for line in self.last_lines if _TELLING.search(line)]
        return [*self.last_lines, *telling][-1] if self.last_lines else "it said nothing"

    def _is_ready(self) -> bool:
        if self.program.ready is not None:
            return self.program.ready(self.pid)
        if self.program.ready_words:
            return self._heard
        return time.monotonic() - self.started_at > _ALIVE_SECONDS
