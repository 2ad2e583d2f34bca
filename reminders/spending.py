"""The spend breaker: how many calls an hour and a day may cost. Over a bound nothing is dialled; texts are accepted.

Attempts are counted where they stand, so that no process's memory is trusted. As the window moves on, rings go on by
themselves, late; a person may lift the bounds for a while.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing.database import Statements
from reminders import limits

statements: Final = Statements("reminders")
LIFTED: Final = "spend:lifted"  # in the table of paces: until when


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Calls an hour, and money a day (at what one call costs us); 0: no bound."""

    calls_per_hour: int
    minor_per_day: int
    call_cost_minor: int

    @property
    def calls_per_day(self) -> int:
        return self.minor_per_day // self.call_cost_minor if self.minor_per_day else 0

    @property
    def bound(self) -> bool:
        return bool(self.calls_per_hour or self.minor_per_day)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What was dialled: `left` is how many more may be, None for any number."""

    hour: int
    day: int
    lifted_until: datetime | None
    left: int | None


class Watch:
    """One dispatcher's view: counted once a poll; between, what it let go is taken off."""

    def __init__(self, *, bounds: Bounds) -> None:
        self.bounds = bounds
        self._left: int | None = None
        self._count_due = float("-inf")

    def left(self, *, monotonic: float) -> int | None:
        """How many calls may be let go now; None: no bound."""
        if not self.bounds.bound:
            return None
        if monotonic >= self._count_due:
            self._count_due = monotonic + limits.POLL_SECONDS
            self._left = spent(bounds=self.bounds).left
        return self._left

    def let_go(self, *, calls: int) -> None:
        """Take off what was claimed."""
        if self._left is not None:
            self._left = max(0, self._left - calls)


def spent(*, bounds: Bounds) -> Spent:
    """What was dialled in the last hour and day, counted as far as a bound needs it."""
    row = statements.run(
        "count_dialled",
        {
            "hour_max": bounds.calls_per_hour or limits.DIALLED_COUNTED_MAX,
            "day_max": bounds.calls_per_day or limits.DIALLED_COUNTED_MAX,
            "lifted": LIFTED,
        },
    ).fetchone()
    hour, day, lifted_until = row or (0, 0, None)
    lefts = [most - count for most, count in ((bounds.calls_per_hour, hour), (bounds.calls_per_day, day)) if most]
    if bounds.minor_per_day and not bounds.calls_per_day:
        lefts.append(0)  # a bound below the cost of one call
    left = None if lifted_until is not None or not lefts else max(0, min(lefts))
    return Spent(hour=hour, day=day, lifted_until=lifted_until, left=left)


def lift(*, until: datetime, now: datetime) -> None:
    """Dial whatever it costs until then; `until` in the past ends that. Raises ValueError over a day."""
    if until - now > timedelta(seconds=limits.LIFTED_SECONDS_MAX):
        raise ValueError("longer than a day")
    statements.run("pace_new", {"account": LIFTED})
    statements.run("lift_spending", {"account": LIFTED, "until": until})
