"""Admission: what is let in when there is more than can be done. Pure; time is an argument, in monotonic seconds.

Callbacks and STOP come before new reminders: texts may hold a bounded share of a process's threads only. Each number,
and each block of numbers, has an allowance of its own. All of it lives in one process: several web instances let in
as many times as much, and a restart forgets; both bounds only have to be of the right size.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What an allowance says to one more text."""

    ADMITTED = "admitted"
    TOLD = "told"  # the first one over it: its sender is told, politely
    SILENT = "silent"  # the ones after that, until the allowance has refilled


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    told: bool = False


@dataclass(kw_only=True)
class Allowances:
    """A token bucket for each name: `per_minute` refill it, and as many may come at once; 0: no bound."""

    per_minute: float
    names_max: int
    _buckets: "OrderedDict[str, _Bucket]" = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, *, name: str, monotonic: float) -> Verdict:
        """Take one from the name's allowance. Of more than `names_max` names the one seen longest ago is forgotten."""
        if not self.per_minute:
            return Verdict.ADMITTED
        with self._lock:
            bucket = self._buckets.setdefault(name, _Bucket(tokens=self.per_minute, at=monotonic))
            self._buckets.move_to_end(name)
            if len(self._buckets) > self.names_max:
                self._buckets.popitem(last=False)
            refilled = bucket.tokens + (monotonic - bucket.at) * self.per_minute / 60
            bucket.tokens, bucket.at = min(self.per_minute, refilled), monotonic
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                bucket.told = bucket.told and bucket.tokens < self.per_minute / 2
                return Verdict.ADMITTED
            if bucket.told:
                return Verdict.SILENT
            bucket.told = True
            return Verdict.TOLD


@dataclass(kw_only=True)
class Places:
    """How many of a class may be worked on at once in this process."""

    places_max: int
    _taken: int = field(default=0, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self) -> bool:
        """Whether there was a place; whoever got one must give it back."""
        with self._lock:
            if self._taken >= self.places_max:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self._taken -= 1


def block_of(number: str) -> str:
    """The block of ten thousand numbers that a number is of: pumped texts come from blocks that somebody bought."""
    return number[:-4]
