"""`python -m deploy.lab.injection.holder KIND …`: a process that holds a fault for as long as it lives.

It is known by RINGBACK_LAB_FAULT in its environment, and ends by itself after an hour, or when the system that
it strikes has gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy.lab.injection import asking, cgroups, drive, forged, journal, processes
from deploy.lab.injection.fault import FaultError
from deploy.local import records
from deploy.local.home import Home

_SECONDS_MAX: Final = 3600.0
_ready: Final = threading.Event()


def main(words: list[str]) -> int:
    """Hold it until we are killed."""
    kind, place, facts = words
    home = Home(root=Path(place))
    threading.Thread(target=_KINDS[kind], args=(home,), kwargs=json.loads(facts), daemon=True).start()
    until = time.monotonic() + _SECONDS_MAX
    while time.monotonic() < until and records.supervisor(home) is not None:
        if _ready.wait(0.1):
            print("holds", flush=True)
            break
    while time.monotonic() < until and records.supervisor(home) is not None:
        time.sleep(0.5)
    return 0


def _burn(home: Home, *, processes_wanted: int, nice: int) -> None:
    """Burn processor time in so many processes (threads would share one)."""
    for _ in range(processes_wanted - 1):
        if os.fork() == 0:
            break
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    _ready.set()
    while records.supervisor(home) is not None:
        for _ in range(2_000_000):
            pass


def _hog(home: Home, *, size: int, group: str = "") -> None:
    """Hold so much memory, touched; in that cgroup where one is named."""
    if group:
        cgroups.move([os.getpid()], Path(group))
    held = bytearray(size)
    for place in range(0, size, 4096):
        held[place] = 1
    _ready.set()
    threading.Event().wait()
    held.clear()


def _fill(home: Home, *, path: str, token: str, leaves_share: float) -> None:
    """Take a disk but for a share, and what becomes free, from when the journal says that this is in force."""
    _ready.set()
    while not any(entry.id == token and entry.state == "injected" for entry in journal.entries(home)):
        time.sleep(0.05)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    size = 1 << 20
    while True:
        found = os.fstatvfs(file)
        if found.f_bavail < leaves_share * found.f_blocks:
            time.sleep(0.05)
            continue
        try:
            os.write(file, bytes(size))
        except OSError:
            if size == 1:
                time.sleep(0.05)
            size = max(1, size >> 4)


def _duty(home: Home, *, pids: list[list[Any]], awake_ms: float, asleep_ms: float) -> None:
    """Let processes run for a small part of the time only."""
    named = [(pid, started) for pid, started in pids]
    _ready.set()
    while any(processes.same(one) for one in named):
        processes.send(named, signal.SIGSTOP)
        time.sleep(asleep_ms / 1000)
        processes.send(named, signal.SIGCONT)
        time.sleep(awake_ms / 1000)


def _sql(home: Home, *, url: str, name: str, statements: list[str], connections: int) -> None:
    """Run statements in a transaction, in so many connections, and keep them open."""
    for _ in range(connections):
        threading.Thread(target=_session, args=(url, name, statements), daemon=True).start()


def _session(url: str, name: str, statements: list[str]) -> None:
    with psycopg.connect(url, application_name=name, connect_timeout=5) as connection:
        for place, statement in enumerate(statements):
            if place == len(statements) - 1:
                _ready.set()
            connection.execute(statement)
        threading.Event().wait()


def _connections(home: Home, *, url: str) -> None:
    """Open connections until the server has no more for us, and take each that becomes free."""
    held: list[psycopg.Connection[Any]] = []
    while True:
        try:
            held.append(psycopg.connect(url, application_name="lab-connections", connect_timeout=2))
        except psycopg.OperationalError:
            _ready.set()
            time.sleep(0.2)


def _flood(home: Home, *, senders: list[str], body: str, per_second: float) -> None:
    """Texts at their scheduled times, whatever the answers: through the carrier, whose books know them."""
    base = asking.base(home)
    began = time.monotonic()

    def one(nth: int) -> None:
        with suppress(FaultError):
            sender = senders[nth % len(senders)] if senders else drive.number()
            asking.asked(base, "POST", "/sim/sms", {"from": sender, "body": body})

    _at_times(one, began, per_second)


def _replays(home: Home, *, form: dict[str, str], per_second: float) -> None:
    """The same webhook again and again, validly signed."""

    def one(nth: int) -> None:
        with suppress(OSError):
            forged.signed(home, form)

    _at_times(one, time.monotonic(), per_second)


def _at_times(one: Callable[[int], None], began: float, per_second: float) -> None:
    _ready.set()
    lanes = 4

    def lane(first: int) -> None:
        nth = first
        while True:
            time.sleep(max(0.0, began + nth / per_second - time.monotonic()))
            one(nth)
            nth += lanes

    for first in range(lanes):
        threading.Thread(target=lane, args=(first,), daemon=True).start()


_KINDS: Final[dict[str, Callable[..., None]]] = {
    "burn": _burn,
    "hog": _hog,
    "fill": _fill,
    "duty": _duty,
    "sql": _sql,
    "connections": _connections,
    "flood": _flood,
    "replays": _replays,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
