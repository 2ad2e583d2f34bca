"""A whole system with real processes, in a data directory and on ports of its own, as `up` runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy.local import platform, records
from deploy.local.home import Home, read_environment
from tests import ports
from tests.acceptance.carrier import Carrier
from tests.acceptance.oracle import Oracle
from tests.acceptance.waiting import until

REPOSITORY: Final = Path(__file__).resolve().parents[2]
# Bounds of waiting on a machine that is busy with other things; a stop promises 10 s on one that is not.
START_SECONDS: Final = 180.0
STOP_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 180.0
FOLLOWERS: Final = range(ports.SYSTEMS.step)
LAB_FOLLOWERS: Final = range(ports.LAB_SYSTEMS.step)
# Short, and in the proportions that the checks of the settings ask for: horizon / 4 + horizon * 0.4 + 2 <= lease.
# Long enough all the same that a machine which stands still for a second or two changes no outcome: a phone rings
# longer than it takes to answer it, a request is given up later than the carrier takes it, nothing is late and free.
QUICK: Final[Mapping[str, str]] = {
    "RINGBACK_LEASE_SECONDS": "8",
    "RINGBACK_LOOKUP_HORIZON_SECONDS": "8",
    "RINGBACK_RETRY_SECONDS": "1",
    "RINGBACK_RING_TIMEOUT_SECONDS": "8",
    "RINGBACK_SNOOZE_SECONDS": "2",
    "RINGBACK_FRESHNESS_SECONDS": "600",
}
SHARED: Final = "shared"
_OURS: Final = ("RINGBACK_", "DATABASE_URL", "REDIS_URL", "SENTRY_", "OTEL_", "DJANGO_", "TIER", "PORT")


class System:
    """One `up`. Started and stopped as a person does it; looked at as the owner of its rows."""

    def __init__(self, settings: Mapping[str, str], *, tier: str = "durable") -> None:
        self.tier = tier
        self.root = Path(tempfile.mkdtemp(prefix="ringback-acceptance-"))
        self.root.chmod(0o711)  # where Postgres may not run as root it is another user, who must get in
        self.home = Home(root=self.root / "home")
        self.settings = dict(settings)
        self.log = self.root / "log"
        self._ports = _take_ports(has_links=settings.get("RINGBACK_LAB") == "1")
        self.port = self._ports.port
        self._process: subprocess.Popen[bytes] | None = None
        self.interface: dict[str, str] = {}
        self.carrier = Carrier(f"http://127.0.0.1:{self.port + 10}")
        self._killed: dict[int, str | None] = {}
        self.oracle = Oracle(self)

    # ---- its life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it runs."""
        before = self.said().count("Ringback runs")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # A run of tests that is killed leaves no system behind.
                platform.launched(
                    self._command("up", "--tier", self.tier, "--port", str(self.port)),
                    dies_with_parent=signal.SIGTERM,
                ),
                cwd=REPOSITORY,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(lambda: self._runs(before), seconds=START_SECONDS, what="the system runs")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.said()}") from None
        self.interface = json.loads((self.home.run / "interface.json").read_text())
        self.carrier.usual()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; the exit code. AssertionError where that takes longer than a person waits."""
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        try:
            return process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.run("down")
            raise AssertionError(f"it did not stop within {STOP_SECONDS} s:\n{self.said()[-2000:]}") from None

    def kill_supervisor(self) -> None:
        """kill -9 of the supervisor itself."""
        assert self._process is not None
        self._process.kill()
        self.reap()

    def reap(self) -> None:
        """Take note of a supervisor that was killed."""
        process, self._process = self._process, None
        assert process is not None
        process.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Stop it where it runs, and leave nothing behind."""
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            self._ports.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def _runs(self, before: int) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"it ended with {self._process.returncode}:\n{self.said()}")
        return self.said().count("Ringback runs") > before

    def said(self) -> str:
        """Every line that it has shown."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # ---- commands --------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        # Prometheus, etcd and the canary only where a test is about them: they would be in every system of the run.
        return {
            **kept,
            "RINGBACK_PROMETHEUS": "0",
            "RINGBACK_ETCD": "0",
            "RINGBACK_HAPROXY": "0",
            "RINGBACK_CANARY_SECONDS": "0",
            **self.settings,
            "RINGBACK_HOME": str(self.home.root),
            "NO_COLOR": "1",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`up`, `down`, `doctor` … as the Makefile calls them."""
        return self._completed(self._command(*words))

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`./manage.py …` in a second terminal."""
        return self._completed([sys.executable, "manage.py", *words])

    def told(self, *words: str) -> Any:
        """The JSON of a command that must succeed."""
        done = self.manage(*words, "--json")
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "deploy.local", *words]

    def _completed(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    # ---- processes -------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process that serves as `name`, by its file."""
        return int((self.home.run / f"{name}.pid").read_text())

    def children(self, name: str) -> list[int]:
        return platform.children(self.pid(name))

    def kill(self, name: str) -> int:
        """kill -9; the pid that it had."""
        pid = self.pid(name)
        self._killed[pid] = platform.started(pid)
        os.kill(pid, signal.SIGKILL)
        return pid

    def await_back(self, name: str, killed: int) -> None:
        """The instance serves again, under another pid, and nothing of the old one lives."""
        until(
            lambda: self.pid(name) != killed and name in self.ready(),
            seconds=START_SECONDS,
            what=f"{name} is back",
        )
        gone = platform.started(killed)
        assert gone is None or gone != self._killed[killed], "its pid may be another's by now"
        assert gone is not None or platform.group_members(killed) == []

    def ready(self) -> list[str]:
        """Who was the last to say that it is ready and has not died since."""
        states: dict[str, bool] = {}
        for line in self.said().splitlines():
            words = line.removeprefix("ringback   │ ").split()
            if line.startswith("ringback   │") and len(words) > 2:
                if words[1:3] == ["is", "ready"]:
                    states[words[0]] = True
                elif words[1:3] == ["was", "killed"] or words[1:2] == ["ended"]:
                    states[words[0]] = False
        return [name for name, is_ready in states.items() if is_ready]

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT at the end."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def supervisor(self) -> int | None:
        return records.supervisor(self.home)

    # ---- rows ------------------------------------------------------------------------------------

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the owner sees. OSError where the database is away."""
        try:
            with psycopg.connect(self._owner_url(), autocommit=True, connect_timeout=3) as connection:
                return connection.execute(query, parameters or None).fetchall()
        except psycopg.OperationalError as away:
            raise OSError(str(away)) from away

    def plant(self, query: str, *parameters: object) -> None:
        """Carry out the owner's statement: the sabotage of a test."""
        with psycopg.connect(self._owner_url(), autocommit=True) as connection:
            connection.execute(query, parameters or None)

    def _owner_url(self) -> str:
        return read_environment(self.home.run / "env")["RINGBACK_OWNER_DATABASE_URL"]


class Systems:
    """The systems of a run, by name: started by the first test that asks.

    The shared one stays to the end; of the others one at a time, so that the rest of the machine is for the tests.
    """

    def __init__(self) -> None:
        self._running: dict[str, System] = {}

    def running(self, name: str, settings: Mapping[str, str], *, tier: str = "durable") -> System:
        """The system of that name, behaving as usual."""
        if name not in self._running:
            for other in [one for one in self._running if one != SHARED]:
                self._running.pop(other).close()
            system = System(settings, tier=tier)
            try:
                system.start()
            except BaseException:
                system.close()  # the next test that asks starts another
                raise
            self._running[name] = system
        self._running[name].carrier.usual()
        return self._running[name]

    def close(self) -> None:
        with ExitStack() as closing:
            for system in self._running.values():
                closing.callback(system.close)


def _take_ports(*, has_links: bool) -> ports.Ports:
    if has_links:
        return ports.take(among=ports.LAB_SYSTEMS, followers=LAB_FOLLOWERS)
    return ports.take(among=ports.SYSTEMS, followers=FOLLOWERS)
