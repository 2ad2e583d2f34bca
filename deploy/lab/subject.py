"""The system under test: one `up` of a tier in a data directory of its own, or one that runs already.

It is started through the supervisor as a person starts it, asked over its fixed interfaces, and its rows are
read as their owner. Only what was started here is ended here.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib import request
from urllib.error import URLError
from urllib.parse import quote

import psycopg

from deploy.local import platform
from deploy.local.home import REPOSITORY, read_environment

START_SECONDS: Final = 300.0  # seven programs' starts on a machine that others keep busy
STOP_SECONDS: Final = 20.0
_ASK_SECONDS: Final = 10.0
# An experiment takes less than two minutes, so leases and look-ups are short, in the proportions that the checks
# of the settings ask for. They scale what is waited for, not what is kept.
LAB_TIMES: Final[Mapping[str, str]] = {
    "RINGBACK_LEASE_SECONDS": "5",
    "RINGBACK_LOOKUP_HORIZON_SECONDS": "4",
    "RINGBACK_RETRY_SECONDS": "1",
    "RINGBACK_RING_TIMEOUT_SECONDS": "4",
    "RINGBACK_SNOOZE_SECONDS": "2",
}
_THEIRS: Final = ("RINGBACK_", "DATABASE_URL", "REDIS_URL", "SENTRY_", "OTEL_", "DJANGO_", "TIER", "PORT")


class DidNotStartError(Exception):
    """The system does not run; the text says what it said last."""


class Subject:
    """A running system."""

    def __init__(self, *, home: Path, log: Path | None = None, started: "Started | None" = None) -> None:
        self.home = home
        self.log = log
        self.started = started  # None: somebody else's, which is not ours to stop
        self.interface: dict[str, str] = json.loads((home / "run" / "interface.json").read_text())

    @property
    def settings(self) -> dict[str, str]:
        """What it runs with."""
        return read_environment(self.home / "run" / "env")

    @property
    def tier(self) -> str:
        """The rung that it runs."""
        return self.settings.get("RINGBACK_TIER", "durable")

    def names(self) -> list[str]:
        """The instances that run, by name."""
        return sorted(place.stem for place in (self.home / "run").glob("*.pid"))

    def pid(self, name: str) -> int:
        """The process that serves as `name` now."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    # ---- the carrier -----------------------------------------------------------------------------

    def carrier(self, path: str, wanted: object = None) -> Any:
        """Ask the simulated carrier (its first account). OSError where it does not answer."""
        return _ask(self.interface["carrier"], path, wanted)

    def behave(self, wanted: Mapping[str, object]) -> None:
        """What people's phones do, whichever carrier account rings them."""
        for base in self._carriers():
            _ask(base, "/sim/behaviour", dict(wanted))

    def calls(self) -> list[dict[str, Any]]:
        """Every call, by the carriers' own books, oldest first."""
        found = [call for base in self._carriers() for call in _ask(base, "/sim/calls")]
        return sorted(found, key=lambda call: str(call["created_at"]))

    def phone(self, number: str) -> dict[str, Any]:
        """What one phone shows, of every carrier account."""
        shown = [_ask(base, f"/sim/phones/{quote(number, safe='')}") for base in self._carriers()]
        merged: dict[str, Any] = {"number": number}
        for kind in ("messages", "calls"):
            merged[kind] = sorted((one for phone in shown for one in phone[kind]), key=lambda one: str(one["at"]))
        return merged

    def _carriers(self) -> list[str]:
        second = self.settings.get("RINGBACK_TWILIO_2_BASE")
        return [self.interface["carrier"], *([second] if second else [])]

    # ---- rows and commands -----------------------------------------------------------------------

    def rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        """What the owner sees. OSError where the database is away."""
        url = self.settings["RINGBACK_OWNER_DATABASE_URL"]
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
                return connection.execute(query, parameters or None).fetchall()
        except psycopg.OperationalError as away:
            raise OSError(str(away)) from away

    def manage(self, *words: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """`./manage.py …` in a second terminal."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env={**_plain(), "RINGBACK_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def readiness(self) -> str:
        """Which way is open: "database", "spool", "" where none is, "?" where it cannot be said."""
        try:
            with request.urlopen(f"{self.interface['web']}/readyz", timeout=2.0) as answer:  # noqa: S310
                return json.loads(answer.read()).get("accept") or ""
        except URLError as problem:
            return "?" if getattr(problem, "code", 0) == 404 else ""
        except (OSError, ValueError, TimeoutError):
            return ""

    def is_alive(self) -> bool:
        """Whether the web answers at all."""
        try:
            with request.urlopen(f"{self.interface['web']}/livez", timeout=2.0):  # noqa: S310
                return True
        except (OSError, ValueError):
            return False


class Started:
    """An `up` of our own: stopped and started again as often as is wanted."""

    def __init__(self, *, tier: str, port: int, settings: Mapping[str, str], home: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "deploy.local", "up", "--tier", tier, "--port", str(port)]
        # What the lab drills is the watch, whom it counts are its own people, and its figures are those of what
        # every machine has; unless a drill wants others.
        self._environment = {
            **_plain(),
            **LAB_TIMES,
            "RINGBACK_PROMETHEUS": "0",
            "RINGBACK_ETCD": "0",
            "RINGBACK_HAPROXY": "0",
            "RINGBACK_CANARY_SECONDS": "0",
            **settings,
            "RINGBACK_HOME": str(home),
            "NO_COLOR": "1",
        }
        self._home = home
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it runs. Raises DidNotStartError."""
        with self._log.open("ab") as said:
            before = said.tell()
            self._process = subprocess.Popen(
                platform.launched(self._command, dies_with_parent=signal.SIGTERM),
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        _await_running(self._process, self._log, before)

    def stop(self) -> None:
        """End it, whatever it takes."""
        if self._process is not None:
            _stop(self._process, self._home)


@contextlib.contextmanager
def running(*, tier: str, port: int, settings: Mapping[str, str]) -> Iterator[Subject]:
    """A system of its own in a temporary directory, ended and removed at the end. Raises DidNotStartError."""
    root = Path(tempfile.mkdtemp(prefix="ringback-lab-"))
    root.chmod(0o711)  # where Postgres may not run as root it is another user, who must get in
    home, log = root / "home", root / "log"
    started = Started(tier=tier, port=port, settings=settings, home=home, log=log)
    try:
        started.start()
        yield Subject(home=home, log=log, started=started)
    finally:
        started.stop()
        shutil.rmtree(root, ignore_errors=True)


def attached(*, home: Path) -> Subject:
    """The system that runs in this data directory, which is not ours to stop. Raises DidNotStartError: none does."""
    try:
        return Subject(home=home)
    except OSError:
        raise DidNotStartError(f"Nothing runs in {home}: start it with `make up`.") from None


def _await_running(process: "subprocess.Popen[bytes]", log: Path, before: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        said = log.read_bytes()[before:].decode(errors="replace")
        if "Ringback runs (" in said:
            return
        if process.poll() is not None:
            raise DidNotStartError(
                f"The system did not start: `up` ended with {process.returncode}, and said last:\n{said[-1500:]}"
            )
        time.sleep(0.1)
    raise DidNotStartError(
        f"The system was not ready in {START_SECONDS:.0f} s, and said last:\n{log.read_text(errors='replace')[-1500:]}"
    )


def _stop(process: "subprocess.Popen[bytes]", home: Path) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
        process.kill()
        process.wait()
        subprocess.run(
            [sys.executable, "-m", "deploy.local", "down"],
            cwd=REPOSITORY,
            env={**_plain(), "RINGBACK_HOME": str(home)},
            capture_output=True,
            timeout=60,
            check=False,
        )


def _ask(base: str, path: str, wanted: object = None) -> Any:
    body = None if wanted is None else json.dumps(wanted).encode()
    asked = request.Request(base + path, data=body)  # noqa: S310 (the loopback)
    with request.urlopen(asked, timeout=_ASK_SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read())


def _plain() -> dict[str, str]:
    """The environment without what would choose another system."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_THEIRS)}
