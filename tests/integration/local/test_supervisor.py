"""The supervisor with real processes: what dies comes back alone, what is told to stop is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from deploy.local import platform
from tests import ports

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 90.0  # on a machine that is busy with other things
STOP_SECONDS = 20.0  # 10 s are promised, on one that is not
FOLLOWERS = (0, 10, 20, 30, 40, 41, 42, 43)

# Serves from a child, as granian does, and has a grandchild that left its session.
SERVER = """
import os, socket, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(os.environ["PORT"])))
listener.listen()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
    os.write(1, b"child %d" % os.getpid() + os.linesep.encode())  # whole: two relatives write at once
    while True:
        listener.accept()[0].close()
time.sleep(0.1)
print("serving", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


class System:
    """One `up` in a data directory of its own."""

    def __init__(self, root: Path, tier: str, port: int) -> None:
        self.home = root / "home"
        self.tier = root / "tried.toml"
        self.tier.write_text(tier)
        self.port = port
        self.log = root / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        gone = ("DATABASE_URL", "REDIS_URL", "RINGBACK_OWNER_DATABASE_URL")
        kept = {name: value for name, value in os.environ.items() if name not in gone}
        return {**kept, "RINGBACK_HOME": str(self.home), "NO_COLOR": "1"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "deploy.local", *words]

    def up(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("up", "--tier", str(self.tier), "--port", str(self.port)),
                cwd=REPOSITORY,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def pid(self, name: str) -> int:
        return int((self.home / "run" / f"{name}.pid").read_text())

    def until(self, truth: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> float:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with suppress(OSError, ValueError):
                if truth():
                    return time.monotonic() - began
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s:\n{self.said()}")

    def until_running(self, times: int = 1) -> None:
        self.until(lambda: self.said().count("Ringback runs") >= times)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_SECONDS)


def tier(*, server: str = SERVER, words: str = "serving") -> str:
    return f"""
adds = "tried"
survives = "tried"
[processes.postgres]
[processes.redis]
[processes.server]
command = ["{{python}}", "-c", {json.dumps(server.replace("{", "{{").replace("}", "}}"))}]
needs = ["postgres-1", "redis"]
ready_words = "{words}"
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def server_port(system: System) -> int:
    return system.port + 42


def children_of_server(system: System) -> list[int]:
    return [int(line.split()[-1]) for line in system.said().splitlines() if "child " in line]


@pytest.fixture
def port() -> Iterator[int]:
    """A port whose followers are free as well."""
    taken = ports.take(among=ports.SUPERVISED, followers=FOLLOWERS)
    yield taken.port
    taken.close()


@pytest.fixture
def system(tmp_path: Path, port: int) -> Iterator[System]:
    system = System(tmp_path, tier(), port)
    yield system
    if system.process is not None and system.process.poll() is None:
        system.stop()


def test_it_runs_everything_and_says_where(system: System) -> None:
    system.up()
    system.until_running()
    run = system.home / "run"
    assert sorted(place.name for place in run.glob("*.pid")) == [
        "postgres-1.pid",
        "redis.pid",
        "server-1.pid",
    ]
    assert oct(run.stat().st_mode & 0o777) == "0o700"
    assert oct((run / "env").stat().st_mode & 0o777) == "0o600"
    assert oct((run / "interface.json").stat().st_mode & 0o777) == "0o600"
    assert {place.stat().st_mode & 0o777 for place in (system.home / "secrets").iterdir()} == {0o600}
    interface = json.loads((run / "interface.json").read_text())
    assert set(interface) == {
        "web", "carrier", "account_sid", "auth_token", "service_number", "public_base", "database_url", "redis_url",
    }  # fmt: skip
    with psycopg.connect(interface["database_url"]) as connection:
        assert connection.execute("SELECT current_user, current_setting('fsync')").fetchone() == (
            "ringback_app",
            "on",
        )
    again = system.run("up", "--tier", str(system.tier), "--port", str(system.port))
    assert again.returncode == 0
    assert "already runs" in again.stdout
    assert "server-1" in again.stdout
    doctor = system.run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert max(map(len, doctor.stdout.splitlines())) <= 80
    assert "\x1b" not in doctor.stdout
    began = time.monotonic()
    assert system.stop() == 0
    assert time.monotonic() - began < STOP_SECONDS
    assert not list(run.glob("*.pid"))
    assert not (run / "env").exists()
    assert not answers(system.port + 20)
    assert "Nothing runs" in system.run("down").stdout


@pytest.mark.parametrize("name", ["postgres-1", "redis", "server-1"])
def test_it_replaces_what_is_killed_and_every_relative_of_it(system: System, name: str) -> None:
    system.up()
    system.until_running()
    killed = system.pid(name)
    relatives = platform.children(killed)
    os.kill(killed, signal.SIGKILL)
    system.until(lambda: platform.started(killed) is None)
    system.until(lambda: not any(platform.started(pid) for pid in relatives))
    system.until(lambda: system.pid(name) != killed)
    ready = f"{name} is ready"
    system.until(lambda: system.said().count(ready) == 2)
    if name == "server-1":
        system.until(lambda: len(children_of_server(system)) == 4)
        assert [platform.started(pid) for pid in children_of_server(system)[:2]] == [None, None]
        assert answers(server_port(system))


def test_it_leaves_nothing_behind_when_killed_itself(system: System) -> None:
    system.up()
    system.until_running()
    pids = [system.pid(name) for name in ("postgres-1", "redis", "server-1")]
    assert system.process is not None
    system.process.kill()
    system.process.wait()
    system.up()
    system.until_running(2)
    assert [platform.started(pid) for pid in pids] == [None, None, None]
    assert system.stop() == 0


def test_it_ends_what_a_killed_supervisor_left_by_pid_and_start_time_only(system: System) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        run = system.home / "run"
        run.mkdir(parents=True)
        left = {
            "ours-1": {"pid": ours.pid, "started": platform.started(ours.pid)},
            "theirs-1": {"pid": stranger.pid, "started": "12345"},
        }
        (run / "processes.json").write_text(json.dumps({"boot": platform.boot_id(), "processes": left}))
        done = system.run("down")
        assert done.stdout == "Ended what was left: ours-1.\n"
        assert ours.wait(timeout=PATIENCE_SECONDS) != 0
        assert stranger.poll() is None
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()


def test_it_kills_what_does_not_stop_in_time(tmp_path: Path, port: int) -> None:
    system = System(tmp_path, tier(server=STUBBORN, words="up"), port)
    system.up()
    system.until_running()
    pid = system.pid("server-1")
    began = time.monotonic()
    assert system.stop() == 0
    assert time.monotonic() - began < STOP_SECONDS
    assert platform.started(pid) is None
    assert "server-1 was not done in time" in system.said()


def test_it_gives_up_a_start_that_cannot_work_and_says_why(tmp_path: Path, port: int) -> None:
    system = System(tmp_path, tier(server="raise SystemExit('the house is on fire')"), port)
    system.up()
    assert system.process is not None
    assert system.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert "server-1 does not start" in system.said()
    assert "the house is on fire" in system.said().splitlines()[-1]
    assert "Traceback" not in system.said()
    assert not answers(system.port + 20)


def test_it_names_a_port_that_is_taken(system: System) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", system.port + 30))
        other.listen()
        done = system.run("up", "--tier", str(system.tier), "--port", str(system.port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"ringback: Port {system.port + 30} (redis) is taken by another program")
    assert done.stderr.count("\n") == 1


def test_it_names_a_data_directory_that_is_broken(system: System) -> None:
    data = system.home / "postgres-1" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    done = system.run("up", "--tier", str(system.tier), "--port", str(system.port))
    assert done.returncode == 1
    assert "holds a Postgres 16, and this is Postgres 18" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_names_a_tier_and_a_port_that_do_not_exist(system: System) -> None:
    done = system.run("up", "--tier", "golden")
    assert (done.returncode, "choose one of" in done.stderr) == (2, True)
    done = system.run("up", "--tier", str(system.tier), "--port", "none")
    assert (done.returncode, "PORT must be a number" in done.stderr) == (2, True)


def test_it_deletes_the_data_only_when_told_to(system: System) -> None:
    system.up()
    system.until_running()
    # What another tier, and the lab, would have kept there.
    of_people = ("traces/spans.sqlite", "prometheus/wal", "alertmanager/nflog", "lab/history.jsonl")
    for name in (*of_people, "lab/reports/index.html"):
        (system.home / name).parent.mkdir(parents=True, exist_ok=True)
        (system.home / name).touch()
    assert system.run("reset").returncode == 1
    assert (system.home / "postgres-1" / "data").exists()
    assert system.run("reset", "--yes").returncode == 0
    assert system.process is not None
    assert system.process.wait(timeout=PATIENCE_SECONDS) == 0
    assert not (system.home / "postgres-1").exists()
    assert not (system.home / "secrets").exists()
    assert [name for name in of_people if (system.home / name).exists()] == []
    assert (system.home / "lab" / "reports" / "index.html").exists()
