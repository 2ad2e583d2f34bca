"""The spool: texts on this host's disk while the database cannot take them. Storage only: no Django, no clock.

One file per sender, its frames in the order of arrival, so that order holds per number: whoever finds a file there
queues behind it. A frame is on the disk (file and directory synced) before its text is answered. Files outlive their
writers: any process of the host appends under the file's lock, and drains under the spool's.

A frame is: 4 bytes of magic, the payload's length, a checksum of these, a digest of the payload, the payload (JSON).
A write that was cut short leaves a torn tail, which nobody was answered for; anything else that does not read is
damage, which is kept aside and told. Files hold numbers and texts, so only their owner may read them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from reminders import limits, phone
from reminders.carriers.base import Inbound

MAGIC: Final = b"\x89RBS"
HEADER: Final = struct.Struct(">4sII16s")  # magic, length, checksum of both, digest of the payload
CHECKED: Final = struct.Struct(">4sI")
PAYLOAD_BYTES_MAX: Final = 64 * 1024
ENDING: Final = ".spool"
PART: Final = ".part"  # half written: nobody relies on it


class Full(Exception):
    """Not stored: the bound is reached, the disk is full, or the file could not be had in time. `reason` is short."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Spooled:
    """One text as it came in."""

    message: Inbound
    received_at: datetime
    trace_context: str

    @property
    def sender(self) -> str:
        """Whose queue it stands in: the number as it is kept, or what the carrier gave where that is none."""
        return phone.parse(self.message.sender).e164 or self.message.sender


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a file holds: its texts in order, bytes that are damaged, and where a torn tail begins (its end: none)."""

    texts: tuple[Spooled, ...]
    damaged: tuple[bytes, ...]
    whole_bytes: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The spool in numbers; `oldest_at` is when its oldest file was written last, in seconds since the epoch."""

    files: int
    bytes: int
    aside: int
    oldest_at: float | None


@dataclass
class _Counted:
    """The last count of the files; `at` is monotonic."""

    standing: Standing
    at: float
    lasts_seconds: float


@dataclass(kw_only=True)
class Spool:
    """The spool of one directory. Bounds: bytes in all, bytes of one sender, and the age of what waits longest."""

    root: Path
    bytes_max: int
    age_seconds_max: float
    wait_seconds: float = limits.SPOOL_WAIT_SECONDS
    _counted: _Counted | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def queue(self) -> Path:
        return self.root / "queue"

    @property
    def aside(self) -> Path:
        """What did not read, or could not be taken: kept for a person to look at."""
        return self.root / "aside"

    def prepare(self) -> None:
        """Make the directories, for their owner alone. Raises OSError."""
        for place in (self.root, self.queue, self.aside):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(place.parent)

    def holds(self, *, sender: str) -> bool:
        """Whether something of this sender waits."""
        return self._file(name_of(sender)).exists()

    def put(self, *, text: Spooled, now: datetime) -> None:
        """Store one text durably, behind what waits of the same sender. Stored twice it is kept once. Raises Full."""
        try:
            self._refuse_over_bounds(now)
            with self._opened(name_of(text.sender)) as file:
                contents = parse(_read(file))
                if all(one.message.carrier_sid != text.message.carrier_sid for one in contents.texts):
                    self._append(file, contents, encode(text), now)
                os.fsync(file)
            _sync(self.queue)
        except OSError as error:
            raise Full(errno.errorcode.get(error.errno or 0, "EIO")) from error

    def waiting(self) -> list[str]:
        """The names of the files, the one that waits longest first."""
        return [name for _, name in sorted((stat.st_mtime, name) for stat, name in self._files())]

    def read(self, *, name: str) -> Contents:
        """What a file holds now; empty where it is gone."""
        try:
            with self._file(name).open("rb") as file:
                return parse(_locked_read(file.fileno(), self.wait_seconds))
        except FileNotFoundError:
            return parse(b"")

    def end(self, *, name: str, read: Contents) -> bool:
        """Remove a file whose contents were all taken; False where more has come behind them."""
        try:
            with self._opened(name, create=False) as file:
                if os.fstat(file).st_size != read.bytes:
                    return False
                for bad in read.damaged:
                    self.put_aside(data=bad, kind="damaged")
                self._file(name).unlink()
                _sync(self.queue)
        except FileNotFoundError:
            pass
        self._counted = None
        return True

    def leave_out(self, *, name: str, carrier_sid: str) -> None:
        """Put one text of a file aside, so that what is behind it goes on. Raises OSError."""
        place = self._file(name)
        with self._opened(name, create=False) as file:
            contents = parse(_read(file))
            part = place.with_suffix(PART)
            with part.open("wb") as rest:
                os.fchmod(rest.fileno(), 0o600)
                for text in contents.texts:
                    if text.message.carrier_sid == carrier_sid:
                        self.put_aside(data=encode(text), kind="stuck")
                    else:
                        rest.write(encode(text))
                for bad in contents.damaged:
                    self.put_aside(data=bad, kind="damaged")
                rest.flush()
                os.fsync(rest.fileno())
            part.rename(place)  # another file of the same name: who waits for the lock looks again
            _sync(self.queue)

    def put_back(self, *, now: datetime) -> int:
        """Queue again what was put aside because it could not be taken; how many."""
        count = 0
        for place in sorted(self.aside.glob("stuck-*")):
            for text in parse(place.read_bytes()).texts:
                self.put(text=text, now=now)
                count += 1
            place.unlink()
        return count

    def put_aside(self, *, data: bytes, kind: str) -> None:
        """Keep bytes for a person to look at; the same bytes are kept once. Raises OSError."""
        place = self.aside / f"{kind}-{hashlib.blake2b(data, digest_size=12).hexdigest()}"
        part = place.with_suffix(PART)
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(place)
        _sync(self.aside)

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Whether this process may drain: one of the host at a time. Ends with the process, however that ends."""
        file = os.open(self.root / "drain.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(file)

    def standing(self) -> Standing:
        """The spool in numbers, counted now."""
        found = [stat for stat, _ in self._files()]
        return Standing(
            files=len(found),
            bytes=sum(stat.st_size for stat in found),
            aside=sum(not place.name.endswith(PART) for place in self.aside.iterdir()),
            oldest_at=min((stat.st_mtime for stat in found), default=None),
        )

    def takes(self, *, now: datetime) -> bool:
        """Whether a text could be stored now: within the bounds, and the disk takes and keeps some bytes."""
        probe = self.root / f"probe-{os.getpid()}"
        try:
            self._refuse_over_bounds(now)
            with probe.open("wb") as file:
                file.write(b"\0" * PAYLOAD_BYTES_MAX)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, Full):
            return False
        finally:
            with suppress(OSError):
                probe.unlink()
        return True

    def _file(self, name: str) -> Path:
        return self.queue / f"{name}{ENDING}"

    def _files(self) -> Iterator[tuple[os.stat_result, str]]:
        with os.scandir(self.queue) as found:
            for one in found:
                if one.name.endswith(ENDING):
                    with suppress(FileNotFoundError):
                        yield one.stat(), one.name.removesuffix(ENDING)

    def _refuse_over_bounds(self, now: datetime) -> None:
        """The count is as old as limits.SPOOL_COUNT_SECONDS: other processes may overshoot by what they wrote since."""
        with self._lock:
            began = time.monotonic()
            if self._counted is None or began - self._counted.at > self._counted.lasts_seconds:
                standing = self.standing()
                took = time.monotonic() - began
                lasts = max(limits.SPOOL_COUNT_SECONDS, 20 * took)  # counting costs a twentieth at most
                self._counted = _Counted(standing=standing, at=began, lasts_seconds=lasts)
            standing = self._counted.standing
        if standing.bytes >= self.bytes_max:
            raise Full("bytes")
        if standing.oldest_at is not None and now.timestamp() - standing.oldest_at > self.age_seconds_max:
            raise Full("age")

    def _append(self, file: int, contents: Contents, frame: bytes, now: datetime) -> None:
        if contents.bytes + len(frame) > limits.SPOOL_SENDER_BYTES_MAX:
            raise Full("sender")
        if contents.whole_bytes < contents.bytes:
            os.ftruncate(file, contents.whole_bytes)  # a torn tail: its writer died before it could answer
        _write(file, frame, at=contents.whole_bytes)
        with self._lock:
            if self._counted is not None:
                was = self._counted.standing
                self._counted.standing = replace(
                    was, bytes=was.bytes + len(frame), oldest_at=was.oldest_at or now.timestamp()
                )

    @contextmanager
    def _opened(self, name: str, *, create: bool = True) -> Iterator[int]:
        """The file, locked, and still the one of that name: a drain may have removed it before the lock was had."""
        place, ends = self._file(name), time.monotonic() + self.wait_seconds
        while True:
            file = os.open(place, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
            try:
                _lock(file, ends)
                if _is_at(file, place):
                    yield file
                    return
            finally:
                os.close(file)


def name_of(sender: str) -> str:
    """A file's name: one for each sender, the same in every process of the host."""
    return hashlib.blake2b(sender.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def encode(text: Spooled) -> bytes:
    """One frame."""
    message = text.message
    fields = {
        "carrier": message.carrier,
        "sid": message.carrier_sid,
        "sender": message.sender,
        "body": message.body,
        "opt_out": message.opt_out,
        "received_at": text.received_at.isoformat(),
        "trace": text.trace_context,
    }
    payload = json.dumps(fields).encode()
    checked = CHECKED.pack(MAGIC, len(payload))
    return HEADER.pack(MAGIC, len(payload), zlib.crc32(checked), _digest(payload)) + payload


def parse(data: bytes) -> Contents:
    """Every whole frame, in order. What was changed is never returned as a text: it is damage, or a torn tail."""
    texts: list[Spooled] = []
    damaged: list[bytes] = []
    at = whole = 0
    while at < len(data):
        read, size = _frame(data, at)
        if read is not None:
            texts.append(read)
            at = whole = at + size
            continue
        following = _next_frame(data, at + 1)
        if following is None and size == 0:
            break  # cut short, and nothing behind it: torn
        damaged.append(data[at:following])
        at = whole = len(data) if following is None else following
    return Contents(texts=tuple(texts), damaged=tuple(damaged), whole_bytes=whole, bytes=len(data))


def _frame(data: bytes, at: int) -> tuple[Spooled | None, int]:
    """The frame that begins here and its size; (None, 0) where it is cut short, (None, 1) where it is no frame."""
    header = data[at : at + HEADER.size]
    if len(header) < HEADER.size:
        # What there is of its first words must be right, else it is damage.
        known = header[: len(MAGIC)] == MAGIC[: len(header)]
        return None, 0 if known and (len(header) < 12 or _length(header) is not None) else 1
    length = _length(header)
    if length is None:
        return None, 1
    payload = data[at + HEADER.size : at + HEADER.size + length]
    if len(payload) < length:
        return None, 0
    if _digest(payload) != header[12:]:
        return None, 1
    return _decode(payload), HEADER.size + length


def _length(header: bytes) -> int | None:
    """The payload's length, where the header's own checksum holds."""
    magic, length = CHECKED.unpack(header[: CHECKED.size])
    (checksum,) = struct.unpack(">I", header[8:12])
    right = magic == MAGIC and zlib.crc32(header[: CHECKED.size]) == checksum and length <= PAYLOAD_BYTES_MAX
    return int(length) if right else None


def _next_frame(data: bytes, start: int) -> int | None:
    """Where the next whole frame begins."""
    at = data.find(MAGIC, start)
    while at >= 0:
        if _frame(data, at)[0] is not None:
            return at
        at = data.find(MAGIC, at + 1)
    return None


def _decode(payload: bytes) -> Spooled:
    found: dict[str, Any] = json.loads(payload)
    message = Inbound(
        carrier=found["carrier"],
        carrier_sid=found["sid"],
        sender=found["sender"],
        body=found["body"],
        opt_out=found["opt_out"],
    )
    return Spooled(
        message=message, received_at=datetime.fromisoformat(found["received_at"]), trace_context=found["trace"]
    )


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=16).digest()


def _read(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _locked_read(file: int, wait_seconds: float) -> bytes:
    _lock(file, time.monotonic() + wait_seconds, shared=True)
    return _read(file)


def _write(file: int, frame: bytes, *, at: int) -> None:
    """Write all of it, or none: what a full disk took in part is cut off again."""
    written = 0
    try:
        while written < len(frame):
            written += os.pwrite(file, frame[written:], at + written)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, at)
        raise


def _lock(file: int, ends: float, *, shared: bool = False) -> None:
    """Lock an open file until `ends` (monotonic). Raises OSError (ETIMEDOUT)."""
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise OSError(errno.ETIMEDOUT, "the file is locked") from None
            time.sleep(limits.SPOOL_LOCK_POLL_SECONDS)
        else:
            return


def _is_at(file: int, place: Path) -> bool:
    try:
        there = place.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(file)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _sync(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
