"""Starts and stops the peers of the intake measure, and makes the environment that they need."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy.lab.bench.results import say
from deploy.lab.bench.system import System
from deploy.local import postgres
from deploy.local.home import REPOSITORY

_PLACE: Final = Path(__file__).parent
ENVIRONMENT: Final = REPOSITORY / ".ringback" / "bench" / "peers"
# asyncpg's own default; Django's threads are those of Ringback's web.
_POOLS: Final[Mapping[str, int]] = {"fastapi": 10, "fastapi, plain uvicorn": 10, "django": 8}
_START_SECONDS: Final = 20.0


def install() -> Path:
    """Install the pinned packages of the peers into an environment of their own, once; its Python."""
    python = ENVIRONMENT / "bin" / "python"
    wanted = _PLACE / "requirements.txt"
    stamp = ENVIRONMENT / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return python
    say("installing the peers (FastAPI, asyncpg, uvicorn) …")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(ENVIRONMENT)], check=True)
    uv = shutil.which("uv")
    command = (
        [uv, "pip", "install", "--quiet", "--python", str(python)]
        if uv
        else [_pip(), "-m", "pip", "--python", str(python), "install", "--quiet"]
    )
    subprocess.run([*command, "-r", str(wanted)], check=True)
    shutil.copy(wanted, stamp)
    return python


def prepare(system: System) -> None:
    """The peers' database and tables, on the measured system's server."""
    with system.connect() as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bench'").fetchone():
            connection.execute(f"CREATE DATABASE bench OWNER {postgres.APPLICATION}")
    with system.connect("app", "bench") as connection:
        connection.execute((_PLACE / "tables.sql").read_text())


@contextlib.contextmanager
def serving(system: System, peer: str, *, processes: int, first_port: int) -> Iterator[list[int]]:
    """Serve a peer by so many processes, on ports from `first_port` on; the pids."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(processes):
            port = first_port + number
            environment = {
                **os.environ,
                "BENCH_DATABASE_URL": system.database_url("app", "bench"),
                "BENCH_POOL": str(_POOLS[peer]),
                "PORT": str(port),
                "PYTHONPATH": str(REPOSITORY),
            }
            running.append(
                subprocess.Popen(
                    _command(peer, port), cwd=_PLACE, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
                )
            )
        for number in range(processes):
            _await_listener(first_port + number)
        yield [one.pid for one in running]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.wait(5)
            one.kill()
            one.wait(5)


def pgbench(system: System, *, clients: int, seconds: float) -> float:
    """Single-row INSERTs a second, by Postgres's own tool, prepared, two threads."""
    script = system.home / "insert.sql"
    script.write_text(
        "INSERT INTO bench_text (id, sender, body)"
        " VALUES (gen_random_uuid(), '+12025550101', 'Remind in 3 hours about tea');\n"
    )
    command = [str(postgres.binary("pgbench")), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
    command += ["-T", str(max(1, round(seconds))), "-f", str(script), system.database_url("app", "bench")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"tps = ([0-9.]+)", said)
    failed = re.search(r"failed transactions: (\d+)", said)
    if not found or (failed and failed[1] != "0"):
        raise RuntimeError(f"pgbench said: {said}")
    return float(found[1])


def empty(system: System) -> None:
    """Every round begins with an empty table."""
    with system.connect("app", "bench") as connection:
        connection.execute("TRUNCATE bench_text")


def _command(peer: str, port: int) -> list[str]:
    if peer == "django":
        return [sys.executable, str(_PLACE / "django_server.py")]
    words = [str(install()), "-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--no-access-log", "--log-level", "warning"]
    # Its standard choice, uvloop and httptools, or what comes without them.
    words += ["--loop", "asyncio", "--http", "h11"] if "plain" in peer else ["--loop", "uvloop", "--http", "httptools"]
    return words


def _await_listener(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"a peer does not listen on {port}")


def _pip() -> str:
    """A Python of this machine that has pip: the environment of the project needs none."""
    for name in filter(None, map(shutil.which, (sys.executable, "python3", "python"))):
        if subprocess.run([name, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return name
    raise RuntimeError("neither uv nor pip is here: install one of them to measure against FastAPI")
