"""The embedded trace store: spans in one SQLite file, written by the receiver and read by the pages.

Bounded in age and in bytes: the oldest spans leave first. Nothing here is needed to serve people; where the file is
missing the pages say so.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SPANS_OF_A_PAGE_MAX: Final = 2_000
_WAIT_SECONDS: Final = 2.0
_PRUNED_AT_ONCE: Final = 20_000
_PRUNING_ROUNDS_MAX: Final = 50

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS span (
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT NOT NULL, name TEXT NOT NULL, instance TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, error TEXT NOT NULL, attributes TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS span_by_start ON span (start_ns);
CREATE TABLE IF NOT EXISTS link (
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, to_trace_id TEXT NOT NULL, to_span_id TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id, to_trace_id, to_span_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS link_by_target ON link (to_trace_id);
"""
_OLDEST: Final = "SELECT trace_id, span_id FROM span WHERE start_ns < ? ORDER BY start_ns LIMIT ?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """From a span to one of another trace: across a stored row, or a gap of time."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One piece of work: ids in hex, times in nanoseconds since 1970, `error` empty where it went well."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    instance: str
    start_ns: int
    end_ns: int
    error: str
    attributes: Mapping[str, str | int | float | bool]
    links: tuple[Link, ...] = ()


class Store:
    """One file of spans. Each call opens it by itself, so that any thread may call.

    Raises sqlite3.Error where the file cannot be read or written.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def prepare(self) -> None:
        """Make the file and its tables."""
        self._place.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.executescript(_SCHEMA)
        self._place.chmod(0o600)

    def add(self, spans: Iterable[Span]) -> None:
        """Keep these spans; one that is there already stays as it was."""
        several = list(spans)
        if not self._is_made():
            self.prepare()
        with self._open() as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, several))
            connection.executemany("INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?)", _link_rows(several))

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace by their start, at most SPANS_OF_A_PAGE_MAX of them."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM span WHERE trace_id = ? ORDER BY start_ns LIMIT ?", (trace_id, SPANS_OF_A_PAGE_MAX)
            ).fetchall()
            links = connection.execute("SELECT * FROM link WHERE trace_id = ?", (trace_id,)).fetchall()
        targets: dict[str, list[Link]] = {}
        for _, span_id, to_trace_id, to_span_id in links:
            targets.setdefault(span_id, []).append(Link(trace_id=to_trace_id, span_id=to_span_id))
        return [_span(row, targets.get(row[1], [])) for row in rows]

    def linked(self, trace_id: str) -> list[str]:
        """The ids of the traces that link to this one, or that it links to."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT to_trace_id FROM link WHERE trace_id = ?1"
                " UNION SELECT trace_id FROM link WHERE to_trace_id = ?1",
                (trace_id,),
            ).fetchall()
        return [found for (found,) in rows if found != trace_id]

    def prune(self, *, before_ns: int, bytes_max: int) -> int:
        """Delete what started before `before_ns`, then the oldest while the file holds more; how many spans went."""
        gone = 0
        with self._open() as connection:
            for _ in range(_PRUNING_ROUNDS_MAX):
                limit_ns = before_ns if _bytes(connection) <= bytes_max else (1 << 63) - 1
                oldest = connection.execute(_OLDEST, (limit_ns, _PRUNED_AT_ONCE)).fetchall()
                if not oldest:
                    break
                with connection:
                    connection.executemany("DELETE FROM span WHERE trace_id = ? AND span_id = ?", oldest)
                    connection.executemany("DELETE FROM link WHERE trace_id = ? AND span_id = ?", oldest)
                connection.execute("PRAGMA incremental_vacuum").fetchall()
                gone += len(oldest)
        return gone

    def _is_made(self) -> bool:
        """Whether the file is still there: it may be deleted at any time, to free the disk."""
        try:
            return self._place.stat().st_size > 0  # a reader that found none has left an empty one
        except FileNotFoundError:
            return False

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._place, timeout=_WAIT_SECONDS)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection


def _bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _row(span: Span) -> tuple[object, ...]:
    told = json.dumps(dict(span.attributes), ensure_ascii=False)
    return (
        span.trace_id, span.span_id, span.parent_id, span.name, span.instance,
        span.start_ns, span.end_ns, span.error, told,
    )  # fmt: skip


def _link_rows(spans: list[Span]) -> Iterator[tuple[str, str, str, str]]:
    for span in spans:
        for link in span.links:
            yield span.trace_id, span.span_id, link.trace_id, link.span_id


def _span(row: tuple[str, str, str, str, str, int, int, str, str], links: list[Link]) -> Span:
    trace_id, span_id, parent_id, name, instance, start_ns, end_ns, error, told = row
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        instance=instance,
        start_ns=start_ns,
        end_ns=end_ns,
        error=error,
        attributes=json.loads(told),
        links=tuple(links),
    )
