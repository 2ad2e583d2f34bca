"""What processes cost: processor time and resident memory from /proc, and how busy the machine is. Linux only."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local import platform

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Of one process and its children. `own_kib` counts what it shares with nobody and its share of the rest."""

    cpu_seconds: float
    resident_kib: int
    own_kib: int


def usage(pid: int, *, alone: bool = False) -> Usage:
    """What a process and (not `alone`) its children have used; zeros where it is gone."""
    family = [pid, *([] if alone else platform.children(pid))]
    # Children that have ended are in the parent's own count of its children.
    seconds = sum(_cpu_seconds(one, with_dead=one == pid and not alone) for one in family)
    return Usage(
        cpu_seconds=seconds,
        resident_kib=sum(_resident_kib(one) for one in family),
        own_kib=platform.memory_kib(pid, alone=alone),
    )


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def _cpu_seconds(pid: int, *, with_dead: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11 : 15 if with_dead else 13]) / _TICKS


def _resident_kib(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KIB
    except OSError:
        return 0
