"""Reads texts and watches: no exception, no promise of the past, no text that takes long, no memory that grows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from reminders.grammar import KINDS, understand
from reminders.schedule import read
from tests.fuzz.texts import Texts

SLOW_SECONDS: Final = 0.001
# A text that seemed slow is read again so often: the least of it is the text's own, the rest was the machine's.
AGAIN: Final = 25
# The same of so few, which a busy machine can spoil: told beside it.
AGAIN_FEW: Final = 3
KEPT_MAX: Final = 20
ZONES: Final = ("America/New_York", "Europe/London", "Asia/Kolkata", "Europe/Madrid", "Australia/Lord_Howe")
PAGE_KILOBYTES: Final = 4


@dataclass(kw_only=True)
class Found:
    """What a run found; times are processor time of one text, read and understood, in microseconds.

    `seemed_slow`: texts that took long when they came; `slow_of_few`, `slow_texts`: those that also did by the least
    of a few readings, and of many.
    """

    texts: int = 0
    seemed_slow: int = 0
    slow_of_few: int = 0
    slow_texts: int = 0
    raised: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slow: list[tuple[float, str]] = field(default_factory=list)
    slowest_us: float = 0.0
    total_seconds: float = 0.0
    kilobytes: list[int] = field(default_factory=list)


def run(*, texts: int, seed: int) -> Found:
    """Read so many texts; the same ones for the same seed."""
    found, supply, chance = Found(), Texts(seed), Random(seed + 1)
    moments = [datetime(2026, 5, 13, 10, 20), datetime(2028, 2, 29, 23, 59), datetime(2026, 3, 8, 1, 30)]
    clock, look_every = time.process_time, max(texts // 10, 1)
    for n in range(texts):
        text, zone = supply.one(), chance.choice(ZONES)
        now = chance.choice(moments).replace(tzinfo=ZoneInfo(zone))
        dayfirst, language = chance.random() < 0.5, chance.choice((None, "en", "es", "hi"))
        before = clock()
        try:
            wrong = _wrong(text, now, zone, dayfirst, language)
        except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
            found.raised = [*found.raised, f"{text!r}: {error!r}"][:KEPT_MAX]
            continue
        took = clock() - before
        found.total_seconds += took
        if wrong:
            found.wrong = [*found.wrong, f"{text!r}: {wrong}"][:KEPT_MAX]
        if took > SLOW_SECONDS or took * 1e6 > found.slowest_us:
            _time_again(found, took, text, list(_timings(text, now, zone, dayfirst, language)))
        if n % look_every == 0:
            found.kilobytes.append(resident_kilobytes())
    found.texts = texts
    found.kilobytes.append(resident_kilobytes())
    return found


def _time_again(found: Found, took: float, text: str, again: list[float]) -> None:
    """Take a text that seemed slow, or the slowest so far, by the least of its readings."""
    own = min(again)
    found.slowest_us = max(found.slowest_us, own * 1e6)
    found.seemed_slow += took > SLOW_SECONDS
    found.slow_of_few += took > SLOW_SECONDS < min(again[:AGAIN_FEW])
    if own > SLOW_SECONDS:
        found.slow_texts += 1
        found.slow = sorted([*found.slow, (own * 1e6, text)], reverse=True)[:KEPT_MAX]


def resident_kilobytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_KILOBYTES


def _wrong(text: str, now: datetime, zone: str, dayfirst: bool, language: str | None) -> str:
    """What must never be said of any text."""
    meaning = read(text, now, zone, dayfirst)
    if isinstance(meaning, datetime) and (meaning.tzinfo is None or meaning < now):
        return f"read as {meaning}, which is past or has no zone"
    if isinstance(meaning, date) and not isinstance(meaning, datetime) and meaning < now.date():
        return f"read as {meaning}, which is past"
    request = understand(text, now, zone, dayfirst, language)
    if request.kind not in KINDS:
        return f"a request of kind {request.kind}"
    if request.kind == "remind" and (request.when is None or request.when < now or not request.subject):
        return f"a reminder about {request.subject!r} at {request.when}"
    return ""


def _timings(text: str, now: datetime, zone: str, dayfirst: bool, language: str | None) -> Iterator[float]:
    clock = time.process_time
    for _ in range(AGAIN):
        before = clock()
        _wrong(text, now, zone, dayfirst, language)
        yield clock() - before
