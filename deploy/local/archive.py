"""The archive of the write-ahead log: a program that Postgres calls for each file, alone and without anything of ours.

`archive.py PATH DIRECTORY NAME` keeps a file, durably and at once or not at all. Nothing is kept before there is a
base backup to start from: the archive's directory is made by the first one. `unarchive.py` brings files back.
"""

import os
import shlex
import sys
import tempfile
import zlib
from pathlib import Path

_KEPT = ".z"
_LEVEL = 1  # a segment that was switched early is zeros for the most part


def settings(directory: Path) -> dict[str, str]:
    """The settings with which a server keeps its log there."""
    words = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), "%p", str(directory), "%f"]
    command = " ".join(word if word in ("%p", "%f") else shlex.quote(word).replace("%", "%%") for word in words)
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": "60s"}


def put(path: Path, directory: Path, name: str) -> int:
    """Keep a file; 0 where it is kept, or need not be. What was kept before is never replaced by other content."""
    if not directory.is_dir():
        return 0
    kept, packed = directory / (name + _KEPT), zlib.compress(path.read_bytes(), _LEVEL)
    if kept.exists():
        return 0 if zlib.decompress(kept.read_bytes()) == path.read_bytes() else 1
    handle, new = tempfile.mkstemp(dir=directory, prefix=f".{name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    Path(new).rename(kept)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return 0


if __name__ == "__main__":
    sys.exit(put(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
