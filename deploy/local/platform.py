"""What differs between Linux and macOS: everything about processes that is not portable, in this one place.

Tried on Linux x86-64. Not tried here: Linux on arm64 (the same calls), and macOS, which has no subreaper and
no signal at a parent's death: there an instance's process group is what is killed, and what outlives the
supervisor's own kill -9 is found by its recorded pid and start time when it is started again.

Run as a file it becomes another program (`launched()` makes the command): it asks to die with its parent,
leaves root for a user namespace where that is wanted, and replaces itself. It imports nothing of ours and
keeps its pid, so that the pid that was started is the process that serves.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform.startswith("linux")

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_CLONE_NEWUSER: Final = 0x10000000


def adopt_orphans() -> bool:
    """Make this process the parent of every descendant that loses its own; False where it cannot."""
    return LINUX and _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def can_leave_root() -> bool:
    """Whether a process of root may make itself a user namespace in which it is not root."""
    if not LINUX:
        return False
    probe = launched(["/bin/sh", "-c", "exit 0"], namespace_uid=1)
    return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0


def launched(command: Sequence[str], *, dies_with_parent: int = 0, namespace_uid: int | None = None) -> list[str]:
    """The command that runs `command` under the same pid.

    `dies_with_parent` is the signal that it gets when its parent dies (0: none), `namespace_uid` the user
    that root becomes in a user namespace of its own.
    """
    if not LINUX or (not dies_with_parent and namespace_uid is None):
        return list(command)
    words = [str(dies_with_parent), str(os.getpid()), "-" if namespace_uid is None else str(namespace_uid)]
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *words, *command]


def sync(directory: Path) -> None:
    """Make everything under a directory durable: at once where the system can do that, else file by file."""
    if not LINUX:
        for place in (directory, *directory.rglob("*")):
            _fsync(place)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs", str(directory))
    finally:
        os.close(descriptor)


def _fsync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def boot_id() -> str:
    """What changes at each boot: a pid that was recorded before it says nothing."""
    if LINUX:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return subprocess.run(
        ["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=True, timeout=5
    ).stdout.strip()


def started(pid: int) -> str | None:
    """When the process started, as an opaque word; None where there is none, or only a zombie.

    A pid and this word together name one process within a boot; a pid alone may be somebody else's.
    """
    if LINUX:
        fields = _stat(pid)
        return None if fields is None or fields[0] in "ZX" else fields[19]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
    ).stdout.split(None, 1)
    return None if len(found) != 2 or found[0].startswith("Z") else found[1].strip()


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal: it is there, and answers nobody."""
    if LINUX:
        fields = _stat(pid)
        return fields is not None and fields[0] in "Tt"
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
    )
    return found.stdout.startswith("T")


def group_members(group: int) -> list[int]:
    """The processes of a process group, without zombies."""
    return [pid for pid, (_, pgid) in _table().items() if pgid == group]


def children(parent: int) -> list[int]:
    """The processes whose parent is `parent`, without zombies."""
    return [pid for pid, (ppid, _) in _table().items() if ppid == parent]


def descendants(*ancestors: int) -> list[int]:
    """The processes that these began, and those that they began, without zombies."""
    table = _table()
    found, new = [], list(ancestors)
    while new:
        new = [pid for pid, (ppid, _) in table.items() if ppid in new]
        found += new
    return found


def works_in(pid: int, directory: Path) -> bool:
    """Whether a process works in a directory or below it; outside Linux nothing is known, and it is taken to."""
    if not LINUX:
        return True
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


def serving(data: Path) -> list[int]:
    """The processes of a Postgres whose cluster is `data`, whoever started them; none outside Linux."""
    found = []
    for pid in _table() if LINUX else ():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/exe").readlink().name == "postgres" and works_in(pid, data):
                found.append(pid)
    return found


def told(*words: str) -> list[int]:
    """The processes that were started with all of these NAME=VALUE in their environment; none outside Linux."""
    wanted = {word.encode() for word in words}
    found = []
    for pid in _table() if LINUX else ():
        with contextlib.suppress(OSError):
            if wanted <= set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")):
                found.append(pid)
    return found


def memory_kib(pid: int, *, alone: bool = False) -> int:
    """The memory of a process and (not `alone`) its children in KiB.

    On Linux a page that several share counts once among them; elsewhere it counts in each.
    """
    pids = [pid, *([] if alone else children(pid))]
    if LINUX:
        return sum(map(_proportional_kib, pids))
    found = subprocess.run(
        ["ps", "-o", "rss=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False, timeout=5
    ).stdout.split()
    return sum(int(one) for one in found if one.isdigit())


def _proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _table() -> dict[int, tuple[int, int]]:
    """Every living process: pid → (parent, group)."""
    if not LINUX:
        return _table_of_ps()
    table = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 (a Path for each process would cost more than the rest)
        fields = _first_fields(name) if name.isdigit() else None
        if fields is not None and fields[0] not in b"ZX":
            table[int(name)] = (int(fields[1]), int(fields[2]))
    return table


def _first_fields(name: str) -> list[bytes] | None:
    """The state, the parent and the group of a process: three times as fast as `_stat`, read while a failover waits."""
    try:
        file = os.open(f"/proc/{name}/stat", os.O_RDONLY)
        try:
            return os.read(file, 1024).rpartition(b")")[2].split(None, 3) or None
        finally:
            os.close(file)
    except OSError:
        return None


def _table_of_ps() -> dict[int, tuple[int, int]]:
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True, timeout=5
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(row[0]): (int(row[1]), int(row[2])) for row in rows if not row[3].startswith("Z")}


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the program's name (which may hold spaces and brackets)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _prctl(option: int, value: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def _enter_namespace(uid: int) -> None:
    real_uid, real_gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise SystemExit(f"a user namespace was refused: {os.strerror(ctypes.get_errno())}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {real_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{uid} {real_gid} 1")


def _become(words: Sequence[str]) -> None:
    death_signal, parent, namespace_uid, *command = words
    if namespace_uid != "-":
        _enter_namespace(int(namespace_uid))
    if int(death_signal):
        _prctl(_PR_SET_PDEATHSIG, int(death_signal))  # after the namespace: a change of user clears it
        if os.getppid() != int(parent):
            os.kill(os.getpid(), signal.SIGKILL)  # the parent died before we asked
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    _become(sys.argv[1:])
