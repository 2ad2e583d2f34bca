"""Throwaway Postgres and Redis for the tests, and databases that are cloned in milliseconds.

One pair of servers for a whole run, also with pytest-xdist: the first worker that asks starts them, all use
them, and they end with the last one, however that ends. Works as root and as an ordinary user. The database
does not fsync; everything else is as in the product: the same server, roles, rights and time-outs.

In `tests/conftest.py`:

    from tests import servers

    @pytest.fixture(scope="session")
    def running() -> servers.Servers:
        return servers.running()              # starts them, or joins those that run: about 1 s, then 0 s

    # before settings are read, where Django's own test database is wanted:
    #   os.environ.update(servers.running().environment())

    template = running.template("migrated", build)   # `build(database)` runs once per run, not per worker
    database = running.clone("migrated")              # a fresh database in about 25 ms
    database.owner_url, database.app_url              # the owner (migrations), the application's role
    database.drop()
    running.redis_url(3)                              # one of Redis's 64 databases
    running.redis_url_of_worker()                     # the one that belongs to this xdist worker

Servers of one's own, to kill or freeze: `with servers.throwaway() as mine:`, then `mine.postgres_pid`,
`mine.redis_pid`.
"""

import atexit
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO, Final

import psycopg

from deploy.local import postgres, redis
from tests import ports

_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_START_SECONDS: Final = 120.0
_REDIS_DATABASES: Final = 64
_MEMORY_BYTES: Final = 2 * 1024**3


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database of the test's Postgres, empty of tables unless its template had some."""

    name: str
    owner_url: str
    app_url: str
    admin_url: str

    def drop(self) -> None:
        """Remove it, whoever is still connected."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


@dataclass(frozen=True, kw_only=True)
class Servers:
    """A running pair: `directory` holds their data, the pids are the processes that serve."""

    directory: str
    postgres_port: int
    redis_port: int
    postgres_pid: int
    redis_pid: int
    superuser_password: str
    owner_password: str
    app_password: str
    redis_password: str

    def database(self, name: str) -> Database:
        """The database of that name, whether or not it exists."""
        return Database(
            name=name,
            owner_url=self._url(postgres.OWNER, self.owner_password, name),
            app_url=self._url(postgres.APPLICATION, self.app_password, name),
            admin_url=self.superuser_url(),
        )

    def superuser_url(self, name: str = "postgres") -> str:
        """The superuser's address, for what only tests may do."""
        return self._url(postgres.SUPERUSER, self.superuser_password, name)

    def template(self, name: str, build: Callable[[Database], None]) -> Database:
        """A database that `build` filled, once in a run. Nothing may stay connected to it."""
        template = self.database(f"template_{name}")
        done = Path(self.directory) / f"{template.name}.done"
        with (Path(self.directory) / f"{template.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                template.drop()
                self._create(template.name, template=postgres.DATABASE)
                build(template)
                done.touch()
        return template

    def clone(self, name: str) -> Database:
        """A fresh copy of the template of that name, under a name of its own."""
        fresh = self.database(f"test_{secrets.token_hex(8)}")
        self._create(fresh.name, template=f"template_{name}")
        return fresh

    def empty(self) -> Database:
        """A fresh database with the roles' rights and no tables."""
        fresh = self.database(f"test_{secrets.token_hex(8)}")
        self._create(fresh.name, template=postgres.DATABASE)
        return fresh

    def redis_url(self, database: int = 0) -> str:
        """The address of one of Redis's databases, 0 to 63."""
        return redis.url(self.redis_password, port=self.redis_port, database=database)

    def redis_url_of_worker(self) -> str:
        """The Redis database of this pytest-xdist worker (gw0 → 1, …), or 0 without xdist."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0
        return self.redis_url(number % _REDIS_DATABASES)

    def environment(self) -> dict[str, str]:
        """DATABASE_URL, RINGBACK_OWNER_DATABASE_URL and REDIS_URL of the pair, as settings read them."""
        database = self.database(postgres.DATABASE)
        return {
            "DATABASE_URL": database.app_url,
            "RINGBACK_OWNER_DATABASE_URL": database.owner_url,
            "REDIS_URL": self.redis_url_of_worker(),
        }

    def _url(self, role: str, password: str, database: str) -> str:
        return postgres.url(role, password, port=self.postgres_port, database=database)

    def _create(self, name: str, *, template: str) -> None:
        create = f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {postgres.OWNER} STRATEGY WAL_LOG'
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            connection.execute(create)


@cache
def running() -> Servers:
    """The pair of this run: started by the first who asks, ended after the last process that asked."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{secrets.token_hex(4)}"
    directory = _roomy() / f"ringback-tests-{os.getuid()}-{run[:24]}"
    return _join(directory)


@contextlib.contextmanager
def throwaway() -> Iterator[Servers]:
    """A pair of one's own, which the test may kill or freeze."""
    directory = Path(tempfile.mkdtemp(prefix="ringback-throwaway-", dir=_roomy()))
    taken = ports.take(among=ports.SERVERS[::2], followers=(0, 1))
    pair, processes = _start(directory, taken.port)
    try:
        yield pair
    finally:
        _stop(processes)
        taken.close()
        shutil.rmtree(directory, ignore_errors=True)


def _roomy() -> Path:
    """Memory where there is enough of it: a busy disk made a clone ten times slower when measured."""
    memory = Path("/dev/shm")
    try:
        roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _MEMORY_BYTES
    except OSError:
        roomy = False
    return memory if roomy else Path(tempfile.gettempdir())


_held: list[IO[str]] = []


def _join(directory: Path) -> Servers:
    directory.mkdir(mode=0o700, exist_ok=True)
    users = (directory / "users.lock").open("a")
    fcntl.flock(users, fcntl.LOCK_SH)
    _held.append(users)  # held as long as this process lives: the keeper watches it
    atexit.register(users.close)
    with (directory / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = directory / "servers.json"
        if not ready.exists():
            _start_keeper(directory, ready)
        return Servers(**json.loads(ready.read_text()))


def _start_keeper(directory: Path, ready: Path) -> None:
    with (directory / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", str(directory)],
            cwd=_REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if keeper.poll() is not None or time.monotonic() > until:
            said = (directory / "keeper.log").read_text()[-2000:]
            raise RuntimeError(f"the test servers did not start: {said}")
        time.sleep(0.01)
    keeper.returncode = 0  # it outlives us on purpose: no ResourceWarning for a process that still runs


def _keep(directory: Path) -> None:
    """The keeper's life: start the pair, wait until nobody uses it, remove it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    taken = ports.take(among=ports.SERVERS[::2], followers=(0, 1))
    pair, processes = _start(directory, taken.port)
    described = directory / "servers.json.new"
    described.write_text(json.dumps(asdict(pair)))
    described.rename(directory / "servers.json")
    with (directory / "users.lock").open("a") as users:
        while not _alone(users):
            time.sleep(0.3)
        _stop(processes)
        taken.close()
        shutil.rmtree(directory, ignore_errors=True)


def _alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(directory: Path, first_port: int) -> tuple[Servers, list[subprocess.Popen[bytes]]]:
    words = {role: secrets.token_hex(16) for role in ("superuser", "owner", "app", "redis")}
    passwords = postgres.Passwords(superuser=words["superuser"], owner=words["owner"], app=words["app"])
    if postgres.identity().uid is not None:
        directory.chmod(0o711)  # Postgres runs as another user there and must reach its own directory
    postgres.create(directory / "postgres", passwords=passwords, owner_may="CREATEDB")
    settings = redis.write_settings(directory / "redis", port=first_port + 1, password=words["redis"])
    with settings.open("a") as more:
        more.write(f"appendonly no\ndatabases {_REDIS_DATABASES}\n")
    database = postgres.server(
        directory / "postgres",
        port=first_port,
        dies_with_parent=signal.SIGQUIT,
        fsync="off",
        synchronous_commit="off",
        full_page_writes="off",
        max_connections="200",
    )
    processes = [
        _spawn(database, directory / "postgres.log", who=postgres.identity()),
        _spawn(
            redis.server(settings, dies_with_parent=signal.SIGTERM), directory / "redis.log", who=postgres.Identity()
        ),
    ]
    _wait(directory, processes, first_port + 1, words["redis"])
    pair = Servers(
        directory=str(directory),
        postgres_port=first_port,
        redis_port=first_port + 1,
        postgres_pid=processes[0].pid,
        redis_pid=processes[1].pid,
        superuser_password=passwords.superuser,
        owner_password=passwords.owner,
        app_password=passwords.app,
        redis_password=words["redis"],
    )
    return pair, processes


def _spawn(command: list[str], log: Path, *, who: postgres.Identity) -> subprocess.Popen[bytes]:
    with log.open("wb") as sink:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            user=who.uid,
            group=who.gid,
            extra_groups=who.extra_groups,
        )


def _wait(directory: Path, processes: list[subprocess.Popen[bytes]], port: int, password: str) -> None:
    until = time.monotonic() + _START_SECONDS
    data = directory / "postgres"
    while not (postgres.is_ready(data, pid=processes[0].pid) and redis.answers(port=port, password=password)):
        if any(process.poll() is not None for process in processes) or time.monotonic() > until:
            _stop(processes)
            logs = "".join((directory / f"{name}.log").read_text()[-1000:] for name in ("postgres", "redis"))
            raise RuntimeError(f"a test server did not start: {logs}")
        time.sleep(0.01)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process, gently in zip(processes, (signal.SIGQUIT, signal.SIGTERM), strict=True):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
            os.kill(process.pid, gently)
    for process in processes:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
