"""What a share of good events proves: nines with their confidence, budget left, burn rate. Pure.

Sources: Wilson's interval (E. B. Wilson, 1927, JASA 22) for the bound; the "rule of three" is what it comes to where
nothing failed; budget and burn rate as in the SRE Workbook, "Alerting on SLOs".
"""

import math
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.6448536269514722  # one-sided: "at least so good, with 95 % confidence"
NINES_MAX: Final = 9.0


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One SLO over one window. `nines` was seen, `nines_proved` is its lower bound at 95 %; None without events."""

    good: int
    total: int
    target: float
    share: float | None
    nines: float | None
    nines_proved: float | None
    events_for_next_nine: int | None
    budget_events: float
    budget_left: float | None
    burn_rate: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the objective was met in this window; None where nothing was seen."""
        return None if self.share is None else self.share >= self.target


def reached(*, good: int, total: int, target: float) -> Reached:
    """What `good` of `total` events say about an objective of `target` (0 < target < 1).

    Raises ValueError for counts or a target that cannot be.
    """
    if not 0 <= good <= total or not 0 < target < 1:
        raise ValueError(f"{good} good of {total} events, objective {target}")
    budget = total * (1 - target)
    if not total:
        return Reached(
            good=0, total=0, target=target, share=None, nines=None, nines_proved=None, events_for_next_nine=None,
            budget_events=0.0, budget_left=None, burn_rate=None,
        )  # fmt: skip
    share, proved = good / total, lower_bound(good=good, total=total)
    return Reached(
        good=good,
        total=total,
        target=target,
        share=share,
        nines=nines(share),
        nines_proved=nines(proved),
        events_for_next_nine=events_to_prove(math.floor(nines(proved)) + 1),
        budget_events=budget,
        budget_left=1 - (total - good) / budget,
        burn_rate=(total - good) / budget,
    )


def nines(share: float) -> float:
    """How many nines a share is: 0.999 is 3. Nothing failed is NINES_MAX."""
    return NINES_MAX if share >= 1 else min(NINES_MAX, round(-math.log10(1 - share), 6) + 0.0)


def lower_bound(*, good: int, total: int, z: float = Z_95) -> float:
    """The least share that `good` of `total` still allows, by Wilson's score interval."""
    share = good / total
    middle = share + z * z / (2 * total)
    margin = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (middle - margin) / (1 + z * z / total))


def events_to_prove(count: int) -> int:
    """How many events without one failure prove so many nines at 95 %: Wilson's bound solved for the total."""
    return math.ceil(Z_95 * Z_95 * (10.0**count - 1))
