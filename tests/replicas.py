"""A primary and its streaming standbys, made by hand from the embedded binaries: to kill, freeze and promote.

    with replicas.started(2) as cluster:            # about 3 s
        cluster.app_url(...), cluster.owner_url()   # every server's address, as the product is given it
        cluster[0].kill(); cluster.promote(1)

Commits wait for any one standby. Nothing fsyncs, nothing chooses a primary: the test does.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy.local import platform, postgres
from tests import ports, servers

START_SECONDS: Final = 180.0
CONNECTIONS_MAX: Final = 40
SETTINGS: Final = {
    "fsync": "off",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "16MB",
    "wal_level": "replica",
    "max_wal_senders": "8",
    "hot_standby": "on",
    "wal_keep_size": "128MB",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_status_interval": "1s",
    "reserved_connections": "3",
    "wal_sender_timeout": "0",
}


class Node:
    """One server: its directory, its port, its process."""

    def __init__(self, data: Path, port: int, password: str) -> None:
        self.data = data
        self.port = port
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.data.name

    def start(self, **settings: str) -> None:
        """Start it and wait until it takes connections."""
        command = postgres.server(self.data, port=self.port, dies_with_parent=signal.SIGKILL, **SETTINGS, **settings)
        self._process = servers._spawn(command, self.data.with_suffix(".log"), who=postgres.identity())
        ends = time.monotonic() + START_SECONDS
        while not postgres.is_ready(self.data, pid=self._process.pid):
            if self._process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"{self.name} did not start: {self.log()[-2000:]}")
            time.sleep(0.01)

    def log(self) -> str:
        return self.data.with_suffix(".log").read_text(errors="replace")

    def kill(self) -> None:
        """kill -9 to every process of it, reaped."""
        if self._process is None:
            return
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(timeout=10)
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP to every process of it, the one that makes the others first: its kernel still answers for it."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        for pid in platform.children(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in reversed(self._pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def run(self, statement: str, *parameters: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What the superuser gets."""
        with self.connect(database=database) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def connect(self, *, database: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
        url = postgres.url(postgres.SUPERUSER, self._password, port=self.port, database=database)
        return psycopg.connect(url, autocommit=True, connect_timeout=5, options="-c synchronous_commit=local")

    def _pids(self) -> list[int]:
        if self._process is None:
            return []
        return [self._process.pid, *platform.children(self._process.pid)]


class Cluster:
    """The servers in order; the first is the primary until the test promotes another one."""

    def __init__(self, nodes: list[Node], passwords: postgres.Passwords) -> None:
        self.nodes = nodes
        self.passwords = passwords

    def __getitem__(self, index: int) -> Node:
        return self.nodes[index]

    def app_url(self, options: str = "target_session_attrs=read-write&connect_timeout=2") -> str:
        """Every server's address, as the application's role."""
        return self._url(postgres.APPLICATION, self.passwords.app, options)

    def owner_url(self) -> str:
        return self._url(postgres.OWNER, self.passwords.owner, "target_session_attrs=read-write&connect_timeout=2")

    def wait_for(self, names: str, *, on: int = 0) -> None:
        """Have commits on that server wait for such standbys; nobody where empty."""
        self[on].run(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self[on].run("SELECT pg_reload_conf()")
        _until(lambda: self[on].run("SHOW synchronous_standby_names") == [(names,)], "the names are read")

    def streaming(self, *, from_: int = 0) -> int:
        """How many standbys follow that server."""
        found = self[from_].run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
        return int(found[0][0])

    def await_streaming(self, count: int, *, from_: int = 0) -> None:
        _until(lambda: self.streaming(from_=from_) >= count, f"{count} standbys follow")

    def promote(self, index: int, *, followed_by: tuple[int, ...] = ()) -> None:
        """Make it the primary, which waits for one of those that follow it, or for nobody."""
        names = ", ".join(self[other].name for other in followed_by)
        self.wait_for(f"ANY 1 ({names})" if names else "", on=index)
        self[index].run("SELECT pg_promote(wait => true)")
        for other in followed_by:
            self[other].run(f"ALTER SYSTEM SET primary_conninfo = '{self._follow(index, self[other].name)}'")
            self[other].run("SELECT pg_reload_conf()")

    def _follow(self, index: int, name: str) -> str:
        return (
            f"host=127.0.0.1 port={self[index].port} user={postgres.SUPERUSER} password={self.passwords.superuser} "
            f"application_name={name}"
        )

    def _url(self, role: str, password: str, options: str) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{role}:{password}@{hosts}/{postgres.DATABASE}?{options}"


@contextlib.contextmanager
def started(count: int) -> Iterator[Cluster]:
    """So many servers; commits wait for any one of the others."""
    directory = Path(tempfile.mkdtemp(prefix="ringback-replicas-", dir=servers._roomy()))
    directory.chmod(0o711)
    words = [secrets.token_hex(16) for _ in range(3)]
    passwords = postgres.Passwords(superuser=words[0], owner=words[1], app=words[2])
    taken = ports.take(among=ports.REPLICAS, followers=range(count))
    nodes = [Node(directory / f"n{i}", taken.port + i, passwords.superuser) for i in range(count)]
    cluster = Cluster(nodes, passwords)
    try:
        postgres.create(nodes[0].data, passwords=passwords, owner_may="CREATEDB")
        nodes[0].start()
        for node in nodes[1:]:
            _copy(cluster, node)
            node.start()
        cluster.await_streaming(count - 1)
        cluster.wait_for("ANY 1 ({})".format(", ".join(node.name for node in nodes[1:])))
        yield cluster
    finally:
        for node in nodes:
            node.thaw()
            node.kill()
        taken.close()
        shutil.rmtree(directory, ignore_errors=True)


def _copy(cluster: Cluster, node: Node) -> None:
    node.data.mkdir(mode=0o700)
    postgres.give(node.data)
    words = [
        str(postgres.binary("pg_basebackup")),
        "-D",
        str(node.data),
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "--no-sync",
    ]
    postgres._run([*words, "-d", cluster._follow(0, node.name)], given="", doing="copy a server")


def _until(truth: Any, what: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while not truth():
        if time.monotonic() > ends:
            raise RuntimeError(f"not in time: {what}")
        time.sleep(0.02)
