"""A random walk: faults in any order, overlapping as far as a tier claims to survive it, the oracle at the end.

A walk is an experiment that a seed writes, so it runs, reports and repeats like every other one. Its faults
stand in lanes: within a lane one comes after the other, lanes overlap. What a tier survives together decides
its lanes. A walk that fails is shrunk by dropping faults while it still fails, and kept as a file.
"""

import json
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from deploy.lab.experiment import Abort, Experiment, Load, Planned, Steady

Lane = tuple[tuple[str, float], ...]  # a fault, and how long it lasts at most (0: it is over at once)

RATE: Final = 4.0
_GAP_SECONDS: Final = (2.0, 9.0)
_QUIET_SECONDS: Final = 150.0
_SHRINK_TRIALS_MAX: Final = 12

_PROCESSES: Final[Lane] = (
    ("worker-killed", 0), ("dispatcher-killed", 0), ("web-killed", 0), ("redis-killed", 0), ("carrier-killed", 0),
    ("worker-frozen", 8), ("dispatcher-frozen", 8), ("redis-frozen", 8), ("web-frozen", 4), ("redis-flushed", 0),
)  # fmt: skip
_CARRIER: Final[Lane] = (
    ("carrier-reply-lost", 8), ("carrier-failing", 8), ("carrier-too-many-requests", 8), ("carrier-slow", 8),
    ("callbacks-dropped", 8), ("callbacks-duplicated", 8), ("callbacks-reversed", 8), ("callbacks-delayed", 8),
    ("webhook-duplicated", 8),
)  # fmt: skip
_DATABASE: Final[Lane] = (("postgres-primary-killed", 0), ("postgres-primary-frozen", 6))
_LANES: Final[Mapping[str, tuple[Lane, ...]]] = {
    # Any one process dying, and whatever the carrier does.
    "durable": ((*_PROCESSES, ("postgres-primary-killed", 0)), _CARRIER),
    # Two of each: a process at a time, without anybody noticing, and whatever the carrier does.
    "redundant": ((*_PROCESSES, ("postgres-primary-killed", 0), ("proxy-killed", 0)), _CARRIER),
    # A database node at a time besides.
    "replicated": (_PROCESSES, _CARRIER, _DATABASE),
    "isolated": (_PROCESSES, _CARRIER, _DATABASE),
}


def drawn(*, seed: int, minutes: float, tier: str, known: Collection[str], survives: str) -> Experiment:
    """The walk of this seed; faults that this catalogue does not have are left out. KeyError: no such tier."""
    draw = random.Random(seed)
    seconds = minutes * 60
    faults = [fault for lane in _LANES[tier] for fault in _along(draw, lane, seconds, known)]
    return Experiment(
        name=f"walk-{seed}",
        title=f"A random walk of {minutes:g} minutes, seed {seed}",
        claim=f"Under any order of faults within its claim ({survives}) the tier keeps every promise.",
        promises=("P1", "P2", "P3", "P4", "P5"),
        tiers=(tier,),
        load=Load(per_second=RATE, seconds=seconds, due_in=(3, 12)),
        faults=tuple(sorted(faults, key=lambda one: one.at)),
        expect={},
        steady=Steady(within_seconds=90),
        abort=Abort(unready_seconds=90),
        quiet_seconds=_QUIET_SECONDS,
        not_tested=("Faults that this walk did not draw.", "Faults beyond the tier's claim."),
        again=f"walk --minutes {minutes:g}",
    )


def _along(draw: random.Random, lane: Lane, seconds: float, known: Collection[str]) -> list[Planned]:
    found, at = [], draw.uniform(*_GAP_SECONDS)
    while at < seconds - 5:
        name, most = draw.choice(lane)
        lasts = round(draw.uniform(1.0, most), 1) if most else 0.0
        if name in known:
            found.append(Planned(name=name, at=round(at, 1), seconds=lasts))
        at += lasts + draw.uniform(*_GAP_SECONDS)
    return found


def shrunk(walk: Experiment, *, fails: Callable[[Experiment], bool]) -> Experiment:
    """The walk with as few faults as still fail, in a bounded number of trials (halves first, then single ones)."""
    faults, parts, trials = list(walk.faults), 2, 0
    while len(faults) > 1 and trials < _SHRINK_TRIALS_MAX:
        size = max(1, len(faults) // parts)
        for start in range(0, len(faults), size):
            fewer = faults[:start] + faults[start + size :]
            trials += 1
            if fewer and fails(walk.with_faults(tuple(fewer))):
                faults, parts = fewer, max(2, parts - 1)
                break
            if trials >= _SHRINK_TRIALS_MAX:
                break
        else:
            if size == 1:
                break
            parts *= 2
    return walk.with_faults(tuple(faults))


def kept(walk: Experiment, *, directory: Path) -> Path:
    """Write a walk as a file that `lab run` repeats."""
    directory.mkdir(parents=True, exist_ok=True)
    place = directory / f"{walk.name}.toml"
    place.write_text(written(replace(walk, title=f"{walk.title}, as it failed")))
    return place


def written(experiment: Experiment) -> str:
    """An experiment as its file."""
    found = asdict(experiment)
    tables = ("load", "steady", "abort", "faults", "expect", "settings", "name", "again")
    lines = [f"{name} = {_value(value)}" for name, value in found.items() if name not in tables]
    for table in ("load", "steady", "abort"):
        lines += ["", f"[{table}]", *_pairs(found[table])]
    for tier, wanted in found["expect"].items():
        lines += ["", f"[expect.{tier}]", *_pairs(wanted)]
    for fault in found["faults"]:
        lines += ["", "[[faults]]", *_pairs(fault)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in table.items() if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + " }" if value else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value)
