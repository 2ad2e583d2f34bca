"""What is seen from outside while a trial runs: which way is open, who died and came back, and when."""

import re
import threading
import time
from dataclasses import dataclass
from typing import Final
from urllib import request
from urllib.parse import urlsplit

from deploy.lab.subject import Subject

EVERY_SECONDS: Final = 0.5
_TOLD: Final = re.compile(r"^ringback +│ (\S+) (is ready|was killed by \S+|ended with \S+|is not ready)")
_LINE_BYTES_MAX: Final = 4096
_PATRONI: Final = 23  # PORT+23 and on: each node's Patroni answers 200 to /primary where it leads
_ASK_SECONDS: Final = 0.4


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened by itself, as the supervisor said it. Unix time."""

    at: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Which way was open: database, spool, "" for none, "?" where the tier cannot say."""

    at: float
    accept: str


class Watch:
    """Looks twice a second, from a thread of its own, until it is stopped."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._over = threading.Event()
        self._read_bytes = subject.log.stat().st_size if subject.log and subject.log.exists() else 0
        self._rest = ""
        self._leads = ""
        self.samples: list[Sample] = []
        self.moments: list[Moment] = []
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join(5.0)

    def unready_seconds(self) -> float:
        """For how long no way has been open, up to now; 0 where one is, or where it cannot be said."""
        since = None
        for sample in reversed(self.samples):
            if sample.accept:
                break
            since = sample.at
        return time.time() - since if since is not None else 0.0

    def _look(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            self.samples.append(Sample(at=time.time(), accept=self._subject.readiness()))
            self._read_lines()
            self._ask_who_leads()

    def _ask_who_leads(self) -> None:
        """Which database node leads, where there are several: each change is a moment."""
        nodes = [name for name in self._subject.names() if name.startswith("postgres-")]
        if len(nodes) < 2:
            return
        web = urlsplit(self._subject.interface["public_base"]).port or 0
        for nth, name in enumerate(nodes):
            try:
                address = f"http://127.0.0.1:{web + _PATRONI + nth}/primary"
                with request.urlopen(address, timeout=_ASK_SECONDS):
                    leads = name
            except OSError:
                continue
            if leads != self._leads:
                self.moments.append(Moment(at=time.time(), words=f"{leads} leads"))
                self._leads = leads

    def _read_lines(self) -> None:
        if self._subject.log is None:
            return
        with self._subject.log.open("rb") as log:
            log.seek(self._read_bytes)
            piece = log.read()
        self._read_bytes += len(piece)
        *lines, self._rest = (self._rest + piece.decode(errors="replace")).split("\n")
        self._rest = self._rest[-_LINE_BYTES_MAX:]
        for line in lines:
            if match := _TOLD.match(line):
                self.moments.append(Moment(at=time.time(), words=f"{match[1]} {match[2]}"))
