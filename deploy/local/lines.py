"""One stream of lines from many processes, each with the name of who said it.

A terminal that stops reading (Ctrl-S, a full pipe) must not stop the system: lines are handed to a thread
through a bounded queue, and what does not fit is counted and left out.
"""

import contextlib
import os
import queue
import re
import sys
import threading
from typing import Final, TextIO

_QUEUE_LINES: Final = 5_000
_WIDTH: Final = 11
_COLOURS: Final = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_OWN: Final = "ringback"
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")


class Lines:
    """Where the supervisor and its processes speak. Colours only at a terminal and without NO_COLOR."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._coloured = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._waiting: queue.Queue[str | None] = queue.Queue(_QUEUE_LINES)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write, name="lines", daemon=True)
        self._writer.start()

    def say(self, text: str, *, name: str = _OWN) -> None:
        """Show one line of `name`; never waits."""
        line = f"{self._label(name)} {text if self._coloured else _ESCAPES.sub('', text)}\n"
        try:
            if self._left_out:
                self._waiting.put_nowait(f"{self._label(_OWN)} … {self._left_out} lines left out …\n")
                self._left_out = 0
            self._waiting.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def show(self, text: str) -> None:
        """Show a block of text as it is."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(text.rstrip("\n") + "\n")

    def bold(self, text: str) -> str:
        """The text made to stand out, where that is possible."""
        return f"\x1b[1m{text}\x1b[0m" if self._coloured else text

    def close(self, *, seconds: float = 1.0) -> None:
        """Write what waits, for at most that long."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=seconds)
        self._writer.join(seconds)

    def _label(self, name: str) -> str:
        padded = f"{name:<{_WIDTH}}│"
        if not self._coloured:
            return padded
        colour = 1 if name == _OWN else self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{padded}\x1b[0m"

    def _write(self) -> None:
        broken = False
        while (line := self._waiting.get()) is not None:
            if broken:
                continue
            try:
                self._out.write(line)
                if self._waiting.empty():
                    self._out.flush()
            except (OSError, ValueError):
                broken = True  # whoever read has gone; the system goes on
