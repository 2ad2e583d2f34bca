"""The system that is measured: its own data directory and ports, started and stopped through the supervisor.

Every measure runs on such a system and never on the person's own. Everything listens on the loopback only, and
only what was started here is ever killed.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib import request
from urllib.error import URLError

import psycopg

from deploy.lab.bench.processes import Usage, usage
from deploy.local import postgres
from deploy.local.home import REPOSITORY, read_environment

_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 20.0
# No pace of ours stands between a due instant and the call: what is measured is the machinery.
# A call that nobody answers is tried again after the measure.
UNPACED: Final[Mapping[str, str]] = {
    "RINGBACK_CALLS_PER_SECOND": "0",
    "RINGBACK_CONCURRENT_CALLS": "10000000",
    "RINGBACK_RETRY_SECONDS": "7200",
}
_TIER: Final = """\
adds = "a system to be measured"
survives = "one measurement"

[settings]
RINGBACK_DRAIN_SECONDS = "6"
"""
PROCESSES: Final = ("web", "dispatch", "worker", "redis", "postgres", "carrier")


class System:
    """A running system. Make it with `started`."""

    def __init__(self, *, home: Path, port: int) -> None:
        self.home = home
        self.port = port

    @property
    def environment(self) -> dict[str, str]:
        """The settings that the system runs with."""
        return read_environment(self.home / "run" / "env")

    @property
    def interface(self) -> dict[str, str]:
        """`run/interface.json`: addresses and credentials."""
        found: dict[str, str] = json.loads((self.home / "run" / "interface.json").read_text())
        return found

    def database_url(self, role: str = "super", database: str = postgres.DATABASE) -> str:
        """The address of a database of its server, as the superuser, the owner or the application."""
        if role == "app":
            address = self.environment["DATABASE_URL"]
        elif role == "owner":
            address = self.environment["RINGBACK_OWNER_DATABASE_URL"]
        else:
            password = (self.home / "secrets" / "postgres_superuser_password").read_text().strip()
            return postgres.url(postgres.SUPERUSER, password, port=self.port + 20, database=database)
        return address.rpartition("/")[0] + "/" + database

    def connect(self, role: str = "super", database: str = postgres.DATABASE) -> "psycopg.Connection[Any]":
        """A connection that commits each statement."""
        return psycopg.connect(self.database_url(role, database), autocommit=True)

    def pid(self, name: str) -> int:
        """The process of that name, as its pid file has it now."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    def names(self) -> list[str]:
        """The processes that run, by name."""
        return sorted(place.stem for place in (self.home / "run").glob("*.pid"))

    def usage(self) -> dict[str, Usage]:
        """Processor time and memory of each process, its children's included, and of the supervisor."""
        found = {name: usage(self.pid(name)) for name in self.names()}
        supervisor = int((self.home / "run" / "supervisor.lock").read_text())
        return found | {"supervisor": usage(supervisor, alone=True)}

    def await_alive(self, names: Sequence[str], *, seconds: float = 30.0) -> None:
        """Wait until these processes have a living pid again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError):
                for name in names:
                    os.kill(self.pid(name), 0)
                return
            time.sleep(0.05)
        raise TimeoutError(f"{', '.join(names)} did not come back")

    def behave(self, **wanted: object) -> None:
        """Change how the simulated carrier behaves."""
        self._carrier("/sim/behaviour", json.dumps(wanted).encode())

    def calls(self) -> list[dict[str, Any]]:
        """The carrier's own record of every call, oldest first."""
        found: list[dict[str, Any]] = json.loads(self._carrier("/sim/calls"))
        return found

    def fresh_carrier(self, **behaviour: object) -> None:
        """A carrier without a memory, that behaves so: its state is removed, and the supervisor starts it anew."""
        before = self.pid("carrier")
        shutil.rmtree(self.home / "carrier", ignore_errors=True)
        os.kill(before, signal.SIGKILL)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError, URLError):
                if self.pid("carrier") != before and not self.calls():
                    self.behave(**behaviour)
                    return
            time.sleep(0.05)
        raise TimeoutError("the carrier did not come back empty")

    def _carrier(self, path: str, body: bytes | None = None) -> bytes:
        asked = request.Request(f"http://127.0.0.1:{self.port + 10}{path}", data=body)
        with request.urlopen(asked, timeout=120) as answer:  # noqa: S310 (the loopback)
            found: bytes = answer.read()
            return found


@contextlib.contextmanager
def started(
    *, home: Path, port: int, counts: Mapping[str, int] | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[System]:
    """Run a system there; `counts` says how many of a process (one of each, without it), 0 for none."""
    home.mkdir(parents=True, exist_ok=True)
    tier = home / "durable.toml"
    tier.write_text(_tier(counts or {}))
    said = home / "said.log"
    command = [sys.executable, "-m", "deploy.local", "up", "--tier", str(tier), "--port", str(port)]
    environment = {**plain(), "RINGBACK_HOME": str(home), **UNPACED, **(settings or {})}
    with said.open("w") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _await_ready(process, said)
        yield System(home=home, port=port)
    finally:
        _stop(process)


def _tier(counts: Mapping[str, int]) -> str:
    parts = [_TIER]
    for name in PROCESSES:
        parts.append(f"[processes.{name}]\ncount = {counts.get(name, 1)}\n")
        if name == "worker":
            parts.append('settings = { RINGBACK_WORKER_THREADS = "4" }\n')
    return "\n".join(parts)


def plain() -> dict[str, str]:
    """The environment without what would choose another system."""
    theirs = ("RINGBACK_", "DATABASE_URL", "REDIS_URL", "SENTRY_", "OTEL_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


def _await_ready(process: "subprocess.Popen[bytes]", said: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        text = said.read_text(errors="replace")
        if "Ringback runs (" in text:
            return
        if process.poll() is not None:
            raise RuntimeError(f"the system did not start: {text[-500:]}")
        time.sleep(0.1)
    raise TimeoutError(f"the system was not ready in {_START_SECONDS:.0f} s; see {said}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
