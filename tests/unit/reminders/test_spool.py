"""The spool's files: whatever a kill, a full disk or a bad disk leaves, no text is lost unseen and none is altered."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders import limits, spool
from reminders.carriers.base import Inbound
from reminders.spool import Full, Spool, Spooled, encode, parse

PERSON: Final = "+12025550101"
OTHER: Final = "+12025550102"
NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def text(number: int, *, sender: str = PERSON, body: str = "Remind me in 10 minutes about tea") -> Spooled:
    message = Inbound(carrier="twilio", carrier_sid=f"SM{number:032x}", sender=sender, body=body, opt_out=None)
    return Spooled(message=message, received_at=NOW + timedelta(seconds=number), trace_context="00-a-b-00")


def made(root: Path, *, bytes_max: int = 1 << 20, age_seconds_max: float = 1e12, wait_seconds: float = 5.0) -> Spool:
    kept = Spool(root=root / "spool", bytes_max=bytes_max, age_seconds_max=age_seconds_max, wait_seconds=wait_seconds)
    kept.prepare()
    return kept


def queued(kept: Spool, sender: str = PERSON) -> list[Spooled]:
    return list(kept.read(name=spool.name_of(sender)).texts)


def file_of(kept: Spool, sender: str = PERSON) -> Path:
    return kept.queue / f"{spool.name_of(sender)}.spool"


THREE: Final = (text(1), text(2, body="STOP"), text(3, body="Ünïcode \U0001f98b " * 20))
FRAMES: Final = tuple(encode(one) for one in THREE)
DATA: Final = b"".join(FRAMES)
ENDS: Final = (len(FRAMES[0]), len(FRAMES[0]) + len(FRAMES[1]), len(DATA))


def test_it_reads_what_was_written() -> None:
    found = parse(DATA)
    assert found.texts == THREE
    assert (found.damaged, found.whole_bytes, found.bytes) == ((), len(DATA), len(DATA))


def test_it_reads_what_is_whole_wherever_the_last_write_was_cut() -> None:
    """kill -9 at every byte: what was answered for is there, the torn rest is recognised and is no damage."""
    for cut in range(len(DATA) + 1):
        found = parse(DATA[:cut])
        whole = [end for end in ENDS if end <= cut]
        assert found.texts == THREE[: len(whole)], cut
        assert found.whole_bytes == max(whole, default=0), cut
        assert found.damaged == (), cut


def test_it_never_takes_an_altered_text_and_loses_no_other_wherever_a_byte_is_flipped() -> None:
    for position in range(len(DATA)):
        struck = next(index for index, end in enumerate(ENDS) if position < end)
        for flip in (0x01, 0x80, 0xFF):
            found = parse(DATA[:position] + bytes([DATA[position] ^ flip]) + DATA[position + 1 :])
            assert found.texts == THREE[:struck] + THREE[struck + 1 :], (position, flip)
            assert len(found.damaged) == 1, (position, flip)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2))
def test_it_finds_the_frames_between_anything(junk: bytes, where: int) -> None:
    found = parse(b"".join((*FRAMES[:where], junk, *FRAMES[where:])))
    assert [one for one in found.texts if one in THREE] == list(THREE)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=1600), st.sampled_from([None, "STOP", "START", "HELP"])), min_size=1, max_size=6
    )
)
def test_it_keeps_any_text_as_it_came(bodies: Sequence[tuple[str, str | None]]) -> None:
    texts = tuple(
        Spooled(
            message=Inbound(carrier="twilio", carrier_sid=f"SM{n}", sender=PERSON, body=body, opt_out=opt_out),
            received_at=NOW,
            trace_context="",
        )
        for n, (body, opt_out) in enumerate(bodies)
    )
    assert parse(b"".join(encode(one) for one in texts)).texts == texts


def test_it_keeps_the_order_of_a_sender_and_holds_nobody_else(tmp_path: Path) -> None:
    kept = made(tmp_path)
    for number in (3, 1, 2):
        kept.put(text=text(number), now=NOW)
    assert kept.holds(sender=PERSON)
    assert not kept.holds(sender=OTHER)
    assert queued(kept) == [text(3), text(1), text(2)]
    assert file_of(kept).stat().st_mode & 0o777 == 0o600


def test_it_keeps_a_text_once_that_comes_twice(tmp_path: Path) -> None:
    kept = made(tmp_path)
    for number in (1, 2, 1):
        kept.put(text=text(number), now=NOW)
    assert queued(kept) == [text(1), text(2)]


def test_it_cuts_a_torn_tail_before_it_appends(tmp_path: Path) -> None:
    kept = made(tmp_path)
    for cut in (1, 11, 27, 40, len(FRAMES[1]) - 1):
        file_of(kept).write_bytes(FRAMES[0] + FRAMES[1][:cut])
        kept.put(text=THREE[2], now=NOW)
        assert file_of(kept).read_bytes() == FRAMES[0] + FRAMES[2]


def test_it_keeps_damage_for_a_person_to_look_at(tmp_path: Path) -> None:
    kept = made(tmp_path)
    bad = FRAMES[0][:-1] + b"!"
    file_of(kept).write_bytes(bad + FRAMES[1])
    kept.put(text=THREE[2], now=NOW)
    found = kept.read(name=spool.name_of(PERSON))
    assert found.texts == THREE[1:]
    assert kept.end(name=spool.name_of(PERSON), read=found)
    assert not kept.holds(sender=PERSON)
    assert [place.read_bytes() for place in kept.aside.iterdir()] == [bad]


def test_it_keeps_a_file_to_which_more_came_behind_what_was_read(tmp_path: Path) -> None:
    kept = made(tmp_path)
    kept.put(text=text(1), now=NOW)
    found = kept.read(name=spool.name_of(PERSON))
    kept.put(text=text(2), now=NOW)
    assert not kept.end(name=spool.name_of(PERSON), read=found)
    assert queued(kept) == [text(1), text(2)]


def test_it_refuses_what_is_over_its_bounds(tmp_path: Path) -> None:
    kept = made(tmp_path, bytes_max=len(FRAMES[0]))
    kept.put(text=text(1), now=NOW)
    with pytest.raises(Full, match="bytes"):
        kept.put(text=text(2, sender=OTHER), now=NOW)
    assert not kept.holds(sender=OTHER)
    assert not kept.takes(now=NOW)


def test_it_refuses_more_of_one_sender_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SPOOL_SENDER_BYTES_MAX", len(FRAMES[0]))
    kept = made(tmp_path)
    kept.put(text=text(1), now=NOW)
    with pytest.raises(Full, match="sender"):
        kept.put(text=text(2), now=NOW)
    kept.put(text=text(3, sender=OTHER), now=NOW)
    assert queued(kept) == [text(1)]


def test_it_refuses_new_texts_while_the_oldest_waits_for_too_long(tmp_path: Path) -> None:
    kept = made(tmp_path, age_seconds_max=60)
    kept.put(text=text(1), now=datetime.now(UTC))
    later = datetime.now(UTC) + timedelta(seconds=61)
    with pytest.raises(Full, match="age"):
        kept.put(text=text(2), now=later)
    assert queued(kept) == [text(1)]


def test_it_refuses_where_a_file_is_held_for_too_long(tmp_path: Path) -> None:
    kept = made(tmp_path, wait_seconds=0.02)
    with file_of(kept).open("wb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(Full, match="ETIMEDOUT"):
            kept.put(text=text(1), now=NOW)


FILLS: Final = """
import resource, sys
from pathlib import Path
from reminders.spool import Full
from tests.unit.reminders.test_spool import NOW, made, queued, text
kept = made(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
kept.put(text=text(1), now=NOW)
assert not kept.takes(now=NOW)
try:
    kept.put(text=text(2), now=NOW)
except Full as full:
    print(full.reason, len(queued(kept)))
"""


def test_it_refuses_and_leaves_nothing_half_written_where_the_disk_takes_no_more(tmp_path: Path) -> None:
    """RLIMIT_FSIZE is a disk that fills in the middle of a frame."""
    room = len(FRAMES[0]) + 40
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(tmp_path), str(room)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["EFBIG", "1"], done.stderr
    assert file_of(made(tmp_path)).read_bytes() == FRAMES[0]


WRITES: Final = """
import sys
from pathlib import Path
from tests.unit.reminders.test_spool import NOW, made, text
kept = made(Path(sys.argv[1]))
for number in range(10_000):
    kept.put(text=text(number), now=NOW)
    print(number, flush=True)
"""


def test_it_has_everything_that_was_answered_after_its_writer_was_killed(tmp_path: Path) -> None:
    """Another process reads the files of one that died by kill -9 somewhere in its writes."""
    with subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        answered = [int(writer.stdout.readline()) for _ in range(25)]
        os.kill(writer.pid, signal.SIGKILL)
        answered += [int(line) for line in writer.stdout]
    found = queued(made(tmp_path))
    assert [text(number) for number in answered] == found[: len(answered)]
    assert len(found) <= len(answered) + 1


def test_it_lets_one_at_a_time_drain(tmp_path: Path) -> None:
    kept, again = made(tmp_path), made(tmp_path)
    with kept.draining() as first, again.draining() as second:
        assert (first, second) == (True, False)
    with again.draining() as third:
        assert third


def test_it_puts_one_text_aside_and_queues_it_again(tmp_path: Path) -> None:
    kept = made(tmp_path)
    for number in (1, 2, 3):
        kept.put(text=text(number), now=NOW)
    kept.leave_out(name=spool.name_of(PERSON), carrier_sid=text(2).message.carrier_sid)
    assert queued(kept) == [text(1), text(3)]
    assert kept.standing().aside == 1
    assert kept.put_back(now=NOW) == 1
    assert queued(kept) == [text(1), text(3), text(2)]
    assert kept.standing().aside == 0


def test_it_says_that_it_takes_where_it_does(tmp_path: Path) -> None:
    kept = made(tmp_path)
    assert kept.takes(now=NOW)
    assert sorted(place.name for place in kept.root.iterdir()) == ["aside", "queue"]
