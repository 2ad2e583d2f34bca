"""The books survive, stay bounded, and are read back as they were written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.local.carrier import journal
from deploy.local.carrier.books import Books
from deploy.local.carrier.records import Call, Message


def call(index: int, status: str = "queued") -> Call:
    return Call(
        sid=f"CA{index:032x}",
        account="AC1",
        to=f"+120255501{index % 100:02d}",
        sender="+12025550100",
        created_at=1000.0 + index,
        status=status,
        callback="http://127.0.0.1/status?a=1",
        callback_events=("ringing", "completed"),
    )


def message(index: int) -> Message:
    return Message(
        sid=f"SM{index:032x}",
        account="AC1",
        to="+12025550100",
        sender="+12025550123",
        body="",
        direction="inbound",
        created_at=1000.0 + index,
        status="received",
        callbacks=("http://127.0.0.1/sent",),
    )


def reopened(home: Path, kept: int = 100) -> Books:
    books = Books(directory=home, kept_at_most=kept)
    books.load()
    return books


def test_it_reads_back_what_it_wrote(tmp_path: Path) -> None:
    async def story() -> None:
        books = reopened(tmp_path)
        books.add(call(1))
        books.add(message(2))
        books.change(books.calls[call(1).sid], status="ringing", events=[["ringing", "ringing", 2.0]])
        books.opt(account="AC1", number="+12025550123", out=True)
        books.behave({"press": "1", "seed": 5})
        again = reopened(tmp_path)
        assert again.calls == books.calls
        assert again.messages == books.messages
        assert again.opted_out == books.opted_out
        assert again.behaviour == books.behaviour

    asyncio.run(story())


@pytest.mark.parametrize("torn", [b'["call",{"sid', b"\xff\xff\n", b'["frob"]\n', b'["set","CA9",{}]\n'])
def test_it_skips_a_torn_line(tmp_path: Path, torn: bytes) -> None:
    async def story() -> None:
        books = reopened(tmp_path)
        books.add(call(1))
        with next(tmp_path.glob("*.jsonl")).open("ab") as segment:
            segment.write(torn)
        assert reopened(tmp_path).calls == books.calls

    asyncio.run(story())


def test_it_forgets_the_oldest_that_has_ended(tmp_path: Path) -> None:
    async def story() -> None:
        books = reopened(tmp_path, kept=3)
        books.add(call(0, "queued"))
        for index in range(1, 6):
            books.add(call(index, "completed"))
        assert [one.created_at - 1000 for one in books.calls.values()] == [0, 4, 5]
        assert set(books.phones) == {"+12025550100", "+12025550104", "+12025550105"}

    asyncio.run(story())


def test_it_bounds_the_disk_and_keeps_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 4096)
    monkeypatch.setattr(journal, "SEGMENTS_KEPT", 3)

    async def story() -> None:
        books = reopened(tmp_path, kept=10_000)
        books.add(call(0, "ringing"))
        for index in range(1, 500):
            books.add(call(index, "completed"))
        segments = list(tmp_path.glob("*.jsonl"))
        assert len(segments) == 3
        assert sum(path.stat().st_size for path in segments) < 5 * 4096
        again = reopened(tmp_path)
        assert again.calls[call(0).sid].status == "ringing"
        assert again.calls[call(499).sid].status == "completed"
        assert len(list(tmp_path.glob("*.jsonl"))) == 1

    asyncio.run(story())
