"""What a tier costs while nothing happens: processes, memory, processor time idle and for each reminder, the answer's
time. Measured on a running system through its own instances; the simulated carrier is not counted."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from deploy.lab import load
from deploy.lab.bench.figures import percentile
from deploy.lab.bench.processes import usage
from deploy.lab.experiment import Load
from deploy.lab.load import ACCEPTED, Player
from deploy.lab.subject import Subject

_IDLE_SECONDS: Final = 15.0
_LOAD: Final = Load(per_second=10, seconds=15, due_in=(2, 4))
_LAST_CALL_SECONDS: Final = 10.0  # after the last text: it is due, rings, is answered and charged
_THEIRS: Final = ("carrier",)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one tier. `idle_percent` is of one processor; `reminder_ms` is processor time from the text to the charge,
    without what is used idle; `answer_ms` is how long the carrier waited for the answer to a text."""

    processes: int
    memory_mib: float
    idle_percent: float
    reminder_ms: float
    answer_p50_ms: float
    answer_p99_ms: float
    texts: int

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def measured(system: Subject, *, seed: int, numbers: load.Numbers) -> Cost:
    """Of a system in its steady state. Takes about a minute."""
    before, began = _cpu_seconds(system), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    idle = (_cpu_seconds(system) - before) / (time.monotonic() - began)
    texts = load.texts(load=_LOAD, seed=seed, numbers=numbers, phase="cost")
    player = Player(interface=system.interface, texts=texts, via="carrier", starts_at=time.time() + 0.2)
    before, began = _cpu_seconds(system), time.monotonic()
    player.start()
    time.sleep(_LOAD.seconds + _LAST_CALL_SECONDS)
    player.join(load.ANSWER_SECONDS)
    busy = _cpu_seconds(system) - before - idle * (time.monotonic() - began)
    seconds = [one.answer_seconds for one in player.promises if one.answer == ACCEPTED]
    if len(seconds) < len(texts):
        raise OSError(f"{len(texts) - len(seconds)} of {len(texts)} texts were not accepted although nothing happened")
    names = _ours(system)
    return Cost(
        processes=len(names),
        memory_mib=round(sum(usage(system.pid(name)).own_kib for name in names) / 1024, 1),
        idle_percent=round(idle * 100, 1),
        reminder_ms=round(max(0.0, busy) / len(texts) * 1000, 2),
        answer_p50_ms=round(percentile(seconds, 0.5) * 1000, 1),
        answer_p99_ms=round(percentile(seconds, 0.99) * 1000, 1),
        texts=len(texts),
    )


def _cpu_seconds(system: Subject) -> float:
    return sum(usage(system.pid(name)).cpu_seconds for name in _ours(system))


def _ours(system: Subject) -> Sequence[str]:
    return [name for name in system.names() if not name.startswith(_THEIRS)]
