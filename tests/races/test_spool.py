"""Writers and drains of one file, in several threads and processes: nothing is lost between them, nothing overtakes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reminders import spool
from reminders.spool import Spool
from tests.unit.reminders.test_spool import NOW, file_of, made, queued, text

WRITERS = 4
TEXTS = 40


def test_it_loses_nothing_to_a_drain_that_removes_the_file_while_a_writer_waits_for_it(tmp_path: Path) -> None:
    kept = made(tmp_path)
    with _drained_between(kept):
        kept.put(text=text(2), now=NOW)
    assert queued(kept) == [text(2)]


def test_negative_control_it_loses_a_text_where_a_writer_does_not_look_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_is_at", lambda *_: True)
    kept = made(tmp_path)
    with _drained_between(kept):
        kept.put(text=text(2), now=NOW)
    assert queued(kept) == []


def test_it_loses_nothing_of_many_writers_while_two_drain(tmp_path: Path) -> None:
    taken = _written_and_drained(tmp_path)
    for writer in range(WRITERS):
        mine = [n for n in taken if n // 1000 == writer]
        firsts = list(dict.fromkeys(mine))
        assert firsts == [writer * 1000 + n for n in range(TEXTS)], "all of them, in their order"


@contextmanager
def _drained_between(kept: Spool) -> Iterator[None]:
    """A writer has opened the file, and a drain removes it before the writer gets its lock."""
    kept.put(text=text(1), now=NOW)
    lock, opened = spool._lock, list[int]()

    def drained(file: int, ends: float, *, shared: bool = False) -> None:
        if not opened and not shared:
            opened.append(file)
            file_of(kept).unlink()
        lock(file, ends, shared=shared)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "_lock", drained)
        yield
    assert opened


def _written_and_drained(root: Path) -> list[int]:
    written, taken = threading.Event(), list[int]()

    def write(writer: int) -> None:
        kept = made(root, wait_seconds=60)
        for number in range(TEXTS):
            kept.put(text=text(writer * 1000 + number), now=NOW)

    def drain() -> None:
        kept = made(root, wait_seconds=60)
        while True:
            last = written.is_set()
            with kept.draining() as mine:
                for name in kept.waiting() if mine else ():
                    found = kept.read(name=name)
                    taken.extend(round((one.received_at - NOW).total_seconds()) for one in found.texts)
                    kept.end(name=name, read=found)
                if last and mine and not kept.waiting():
                    return

    writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    drains = [threading.Thread(target=drain) for _ in range(2)]
    for thread in (*drains, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    written.set()
    for thread in drains:
        thread.join()
    return taken
