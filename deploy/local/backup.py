"""Base backups, and restoring a moment of the past into quarantine.

A restored database knows less than the carrier does: what was accepted, rung and charged since that moment is gone
from it. So the application's role may not sign in to it until `./manage.py release` has fetched what can be fetched.
The quarantine stands in the database itself: a process that knows nothing of it is refused all the same.
"""

import hashlib
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from deploy.local import archive, platform, postgres, records, replicated, unarchive
from deploy.local.home import Home, read_environment, write_private
from deploy.local.ports import HOST, Ports
from deploy.local.problems import CannotStartError

KEPT: Final = 2
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_RECOVERY_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 0.05
_SEGMENT: Final = slice(8, 24)  # of a file's name: where in the log, without the timeline


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A restore: to which moment, and from when on nothing ran before it."""

    to: datetime
    stopped_at: datetime


def backup(home: Home) -> Path:
    """Make a base backup of the running system; older than the last two ones go. Raises CannotStartError."""
    environment = read_environment(home.run / "env")
    if records.supervisor(home) is None or not environment:
        raise CannotStartError("Nothing runs: start it with `make up`, then back it up.", code=2)
    ports = Ports(web=int(environment["RINGBACK_CARRIER_PORT"]) - 10)
    for directory in (home.archive, home.backups):
        directory.mkdir(mode=0o700, exist_ok=True)
        postgres.give(directory)
    new = home.backups / ".new"
    shutil.rmtree(new, ignore_errors=True)
    address = f"host={HOST} port={_leading(home, ports)} user={postgres.REPLICATION}"
    words = ["pg_basebackup", "-D", str(new), "-d", address, "-X", "stream", "-c", "fast", "-w"]
    words.append("--manifest-checksums=SHA256")
    if platform.LINUX:
        words.append("--sync-method=syncfs")  # once, not file by file
    password = home.secret("postgres_replication_password")
    postgres.run_tool(words, doing="make a base backup", environment={"PGPASSWORD": password})
    _verify(new)
    made = home.backups / datetime.now(UTC).strftime(_STAMP)
    new.rename(made)
    _forget_old(home)
    return made


def restore(home: Home, *, to: datetime, port: int) -> float:
    """Bring the database back to a moment, in quarantine; the seconds that it took. Raises CannotStartError.

    Nothing may run. What was there is moved aside, not deleted, once the other is whole. `port` is free for the server
    that recovers.
    """
    if records.supervisor(home) is not None:
        raise CannotStartError("It runs: stop it with `make down`, then restore.", code=2)
    base = _base(home, to)
    began, stopped_at = time.monotonic(), datetime.now(UTC)
    logs = [home.archive, *(data / "pg_wal" for data in _clusters(home))]
    made = home.postgres.with_name("data.restored")
    _copy(base, made)
    with _recovering(made, to=to, timeline=_timeline(home, base, to), logs=logs):
        _serve_until_recovered(made, home=home, port=port)
    platform.sync(made)  # once: while it recovered nothing was
    mark = {"restored_to": to.isoformat(), "backup": base.name, "stopped_at": stopped_at.isoformat()}
    write_private(home.quarantine, json.dumps(mark, indent=1) + "\n")
    _move_aside(home, f"before-{stopped_at:%Y%m%dT%H%M%S.%f}")
    made.rename(home.postgres)
    return time.monotonic() - began


def release(home: Home, *, url: str) -> None:
    """Let the application sign in again; `url` leads to the server as the superuser."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {postgres.APPLICATION} LOGIN")
    home.quarantine.unlink(missing_ok=True)


def restored(home: Home) -> Restored | None:
    """What the database in quarantine was brought back to; None where it is in none."""
    try:
        mark = json.loads(home.quarantine.read_text())
    except FileNotFoundError:
        return None
    to = datetime.fromisoformat(mark["restored_to"])
    # A mark of an earlier version says only when the restore was over.
    return Restored(to=to, stopped_at=datetime.fromisoformat(mark.get("stopped_at") or mark["at"]))


def _leading(home: Home, ports: Ports) -> int:
    if not home.replicated.exists():
        return ports.postgres
    for number in range(replicated.NODES):
        if replicated.leads(ports.patroni + number):
            return ports.postgres + number
    raise CannotStartError("No Postgres node leads now: look at ./manage.py doctor, and try again.", code=2)


def _verify(base: Path) -> None:
    """Compare every file with the backup's own manifest; the embedded pg_verifybackup crashes."""
    for file in json.loads((base / "backup_manifest").read_text())["Files"]:
        place = base / (file.get("Path") or bytes.fromhex(file["Encoded-Path"]).decode())
        found = hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else "nothing"
        if found != file["Checksum"]:
            raise CannotStartError(f"The base backup is not whole: {place.relative_to(base)} differs. Try again.")


def _forget_old(home: Home) -> None:
    kept = sorted(one for one in home.backups.iterdir() if not one.name.startswith("."))
    for old in kept[:-KEPT]:
        shutil.rmtree(old)
    first = _first_segment(kept[-KEPT:][0])
    for file in home.archive.iterdir():
        if len(file.name) >= 24 and not file.name.startswith(".") and file.name[_SEGMENT] < first:
            file.unlink()


def _first_segment(base: Path) -> str:
    label = (base / "backup_label").read_text()
    return label.partition("(file ")[2].partition(")")[0][_SEGMENT]


def _base(home: Home, to: datetime) -> Path:
    found = sorted(home.backups.glob("2*Z"))
    before = [one for one in found if datetime.strptime(one.name, _STAMP).replace(tzinfo=UTC) <= to]
    if not before:
        oldest = found[0].name if found else "none"
        raise CannotStartError(f"No base backup is as old as {to.isoformat()} (the oldest: {oldest}).", code=2)
    return before[-1]


def _timeline(home: Home, base: Path, to: datetime) -> str:
    """The timeline that was the present one at that moment: the last that a promotion had begun by then.

    A restore begins one too, later than the moment it restores to: followed by default, it would make a second
    restore to the same moment fail.
    """
    begun = {
        int(file.name[:8], 16) for file in home.archive.glob("*.history.z") if file.stat().st_mtime <= to.timestamp()
    }
    own = int((base / "backup_label").read_text().partition("START TIMELINE: ")[2].split()[0])
    return str(max([own, *begun]))


def _clusters(home: Home) -> list[Path]:
    return sorted(home.root.glob("postgres-*/data"))


def _copy(base: Path, made: Path) -> None:
    """A copy of a base backup, as the server's own. Raises CannotStartError."""
    if made.exists():  # of a restore that failed
        shutil.rmtree(made)
    made.parent.mkdir(mode=0o711, exist_ok=True)
    # By cp, which shares blocks where the file system can, and else copies within the kernel.
    done = subprocess.run(["cp", "-pR", str(base), str(made)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotStartError(f"The base backup could not be copied: {done.stderr.strip()[-200:]}")
    made.chmod(0o700)
    if postgres.identity().uid is not None:
        for place in (made, *made.rglob("*")):
            postgres.give(place)


def _move_aside(home: Home, aside: str) -> None:
    for data in _clusters(home):
        data.rename(data.with_name(f"data.{aside}"))
    for kept in sorted([*home.root.glob("raft-[0-9]"), *home.root.glob("etcd")]):
        kept.rename(kept.with_name(f"{kept.name}.{aside}"))
    home.replicated.unlink(missing_ok=True)  # the tier with three nodes clones the other two anew
    home.migrated.unlink(missing_ok=True)


@contextmanager
def _recovering(data: Path, *, to: datetime, timeline: str, logs: list[Path]) -> Iterator[None]:
    program = [sys.executable, "-I", "-S", str(Path(unarchive.__file__).resolve())]
    words = [*map(shlex.quote, program), "%f", "%p", *(shlex.quote(str(log)) for log in logs)]
    settings = {
        "restore_command": " ".join(words),
        "recovery_target_time": to.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00"),
        "recovery_target_timeline": timeline,
        "recovery_target_action": "promote",
    }
    own = (data / "postgresql.auto.conf").read_text()
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("\n".join(["", *lines, ""]))
    (data / "recovery.signal").touch()
    postgres.give(data / "recovery.signal")
    yield
    (data / "postgresql.auto.conf").write_text(own)


def _serve_until_recovered(data: Path, *, home: Home, port: int) -> None:
    """Start a server of our own, let it recover, close the database to the application, and stop the server.

    It syncs nothing: what it makes counts only once all of it is synced and has its name.
    """
    said = data.with_name("recovery.log")
    who = postgres.identity()
    command = postgres.server(
        data,
        port=port,
        dies_with_parent=signal.SIGQUIT,
        hot_standby="off",
        max_connections="100",
        synchronous_standby_names="",
        log_min_messages="log",
        log_line_prefix="%m ",
        fsync="off",
        **archive.settings(home.archive),
    )
    with said.open("w") as log:
        server = subprocess.Popen(
            command, cwd=data, stdout=log, stderr=log, user=who.uid, group=who.gid, extra_groups=who.extra_groups
        )
    try:
        _await_ready(server, data, said)
        url = postgres.url(postgres.SUPERUSER, home.secret("postgres_superuser_password"), port=port)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {postgres.APPLICATION} NOLOGIN")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(_STOP_SECONDS)


def _await_ready(server: "subprocess.Popen[bytes]", data: Path, said: Path) -> None:
    until = time.monotonic() + _RECOVERY_SECONDS
    while not postgres.is_ready(data, pid=server.pid):
        if server.poll() is not None or time.monotonic() > until:
            lines = [line for line in said.read_text().splitlines() if "FATAL" in line] or ["it said nothing"]
            raise CannotStartError(f"The restored server did not recover: {lines[-1]}")
        time.sleep(_AGAIN_SECONDS)
