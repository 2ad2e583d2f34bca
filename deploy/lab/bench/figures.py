"""The arithmetic of a measurement: percentiles, medians and spread of rounds, ratios of interleaved pairs. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """What several rounds of one side gave: how many, the middle one, the least and the most."""

    rounds: int
    median: float
    least: float
    most: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """How long things took, in milliseconds, over `n` of them."""

    n: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the least value that `share` (0 to 1) of all values do not exceed."""
    if not values:
        raise ValueError("no values")
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{share} is not a share")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """The rounds of one side."""
    if not values:
        raise ValueError("no rounds")
    return Spread(rounds=len(values), median=median(values), least=min(values), most=max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, round by round: the machine's mood is the same within a round."""
    if len(ours) != len(theirs):
        raise ValueError("rounds must come in pairs")
    return spread([mine / other if other else math.inf for mine, other in zip(ours, theirs, strict=True)])


def latency(seconds: Sequence[float]) -> Latency:
    """Percentiles of durations that are given in seconds."""
    return Latency(
        n=len(seconds),
        p50_ms=percentile(seconds, 0.50) * 1000,
        p99_ms=percentile(seconds, 0.99) * 1000,
        max_ms=max(seconds) * 1000,
    )


def rate(count: int, seconds: float) -> float:
    """Per second; 0 where no time passed."""
    return count / seconds if seconds > 0 else 0.0


def repeated(keys: Sequence[str]) -> int:
    """How many keys came once too often, each time counted."""
    return len(keys) - len(set(keys))


def shown(value: float) -> str:
    """A number as a table shows it: three digits that mean something."""
    if math.isinf(value) or math.isnan(value):
        return "—"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def shown_spread(found: Spread) -> str:
    """The middle round and, in brackets, the least and the most."""
    return f"{shown(found.median)} ({shown(found.least)}–{shown(found.most)})"
