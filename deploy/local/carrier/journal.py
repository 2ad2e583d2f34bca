"""The carrier's memory on disk: rows appended to segments, written at once and synced in batches.

A row is written before the reply that promises it leaves, so that kill -9 loses nothing; the sync
follows within SYNC_SECONDS, so that a power cut may lose the last of them. A full segment is followed by
a new one that begins with everything still open; the oldest leave, so the disk's share is bounded.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENTS_KEPT = 10
SYNC_SECONDS = 0.05

Row = list[Any]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class Journal:
    """Append-only rows. carry gives the rows with which a new segment must begin."""

    def __init__(self, *, directory: Path, carry: Callable[[], Iterable[Row]]) -> None:
        self._directory = directory
        self._carry = carry
        self._descriptor = -1
        self._number = 0
        self._size = 0
        self._sync_due = False

    def read(self) -> Iterator[Row]:
        """Every row kept, oldest first. A line torn by a kill is skipped."""
        for path in self._paths():
            with path.open("rb") as lines:
                for line in lines:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue

    def start(self, *, rows: Iterable[Row]) -> None:
        """Write these rows as the only segment and go on behind them."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        old = self._paths()
        self._number = (_number(old[-1]) if old else 0) + 1
        fresh = self._path(self._number)
        partial = fresh.with_suffix(".partial")
        with partial.open("wb") as out:
            out.writelines(_encode(row).encode() + b"\n" for row in rows)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(fresh)
        for path in old:
            path.unlink()
        self._open(fresh)

    def append(self, row: Row) -> None:
        """Write one row; it survives a kill of this process once this returns."""
        data = _encode(row).encode() + b"\n"
        os.write(self._descriptor, data)
        self._size += len(data)
        if not self._sync_due:
            self._sync_due = True
            asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)
        if self._size >= SEGMENT_BYTES:
            self._rotate()

    def close(self) -> None:
        """Sync and close."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def _sync(self) -> None:
        if self._descriptor < 0:
            return
        self._sync_due = False
        # A duplicate: the segment may be closed by a rotation while the thread syncs.
        asyncio.get_running_loop().run_in_executor(None, _sync_and_close, os.dup(self._descriptor))

    def _rotate(self) -> None:
        os.close(self._descriptor)
        self._number += 1
        self._open(self._path(self._number))
        data = b"".join(_encode(row).encode() + b"\n" for row in self._carry())
        os.write(self._descriptor, data)
        # What is still open must not count against the room, or a long queue would rotate for ever.
        self._size = 0
        for path in self._paths()[:-SEGMENTS_KEPT]:
            path.unlink()

    def _open(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = path.stat().st_size

    def _path(self, number: int) -> Path:
        return self._directory / f"journal-{number:08d}.jsonl"

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob("journal-*.jsonl"))


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("journal-"))


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
