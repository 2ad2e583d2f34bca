"""The archive of the write-ahead log: a program that Postgres calls for each file, alone and without anything of ours.

`archive.py put PATH DIRECTORY NAME` keeps a file, durably and at once or not at all. Nothing is kept before there is a
base backup to start from: the archive's directory is made by the first one. `archive.py get NAME PATH DIRECTORY …`
brings a file back from the first directory that has it.
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
    words = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), "put", "%p", str(directory), "%f"]
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


def get(name: str, path: Path, directories: list[Path]) -> int:
    """Bring a file back; 1 where no directory has it, which tells Postgres that the log ends there."""
    for directory in directories:
        kept, plain = directory / (name + _KEPT), directory / name
        if kept.is_file():
            path.write_bytes(zlib.decompress(kept.read_bytes()))
            return 0
        if plain.is_file():
            path.write_bytes(plain.read_bytes())
            return 0
    return 1


if __name__ == "__main__":
    _, what, first, second, *rest = sys.argv
    if what == "put":
        sys.exit(put(Path(first), Path(second), rest[0]))
    sys.exit(get(first, Path(second), [Path(one) for one in rest]))
