"""From what an event spoilt in a trial to what a year of events spoils: seconds' worth of texts and of rings. Pure.

Each bad one that was counted stands for so many seconds of a year (its weight): how often the event comes, times how
much of an event one in the sample is. The sum is what was seen. What it may be all the same, with 95 % confidence, is
the upper limit for a weighted sum of Poisson counts by Fay and Feuer (1997, Statistics in Medicine 16): where nothing
bad was counted, three times the largest weight. The chi-square's quantile is Wilson's and Hilferty's (1931).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

from config.observing.nines import Z_95, nines
from deploy.lab.ladder.events import Event, Year
from deploy.lab.ladder.tally import Share, Tally

YEAR_SECONDS: Final = 365.25 * 86_400


@dataclass(frozen=True, kw_only=True)
class Term:
    """`count` bad ones, each worth `weight` seconds of a year."""

    count: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """Seconds of a year, as they were seen, and at most (95 %); and the nines that both are."""

    seen_seconds: float
    most_seconds: float

    @property
    def nines_seen(self) -> float:
        """Where nothing bad was seen: config.observing.nines.NINES_MAX."""
        return nines(1 - min(1.0, self.seen_seconds / YEAR_SECONDS))

    @property
    def nines_proved(self) -> float:
        """What is left of them when the sample's size is thought of."""
        return nines(1 - min(1.0, self.most_seconds / YEAR_SECONDS))


def answered(*, event: Event, tally: Tally, per_second: float) -> list[Term]:
    """What texts that were not answered 2xx come to."""
    return [
        _term(tally.answered, event.per_year * tally.answered.of / (per_second * tally.trials)),
        _term(tally.still_answered, event.per_year * event.longer_seconds),
    ]


def kept(*, event: Event, tally: Tally, year: Year, freshness_seconds: float) -> list[Term]:
    """What reminders that did not ring, rang late, twice, or at the wrong price come to.

    What was accepted and is forgotten is forgotten for everybody who waits: `year.lead_seconds` of texts. What waits
    for the event's end is late if it was due more than the freshness before it.
    """
    late = max(0.0, event.lasts_seconds - max(event.seconds, freshness_seconds))
    return [
        _term(tally.kept, event.per_year * tally.kept.of / (year.load.per_second * tally.trials)),
        _term(tally.pending, event.per_year * year.lead_seconds),
        _term(tally.still_taken, event.per_year * event.longer_seconds),
        _term(tally.still_rung, event.per_year * late),
    ]


def spoilt(terms: Iterable[Term]) -> Spoilt:
    """The sum, and its upper limit."""
    wanted = [term for term in terms if term.weight > 0]
    seen = sum(term.count * term.weight for term in wanted)
    return Spoilt(seen_seconds=seen, most_seconds=max(seen, _upper_limit(wanted, seen)))


def of_year(*, year: Year, tallies: Mapping[str, Tally], freshness_seconds: float) -> tuple[Spoilt, Spoilt]:
    """A tier's year: texts not answered, reminders not kept. An event that cannot happen on a tier has no tally."""
    found: tuple[list[Term], list[Term]] = ([], [])
    for event in year.events:
        if event.name in tallies:
            tally = tallies[event.name]
            found[0].extend(answered(event=event, tally=tally, per_second=year.load.per_second))
            found[1].extend(kept(event=event, tally=tally, year=year, freshness_seconds=freshness_seconds))
    return spoilt(found[0]), spoilt(found[1])


def has_sample(event: Event, tally: Tally) -> bool:
    """Whether somebody was there to see all that the event may have spoilt."""
    needed = [tally.answered, tally.kept, tally.pending]
    needed += [tally.still_answered, tally.still_taken, tally.still_rung] if event.lasts_seconds else []
    return all(share.of for share in needed)


def _term(share: Share, seconds_of_all: float) -> Term:
    """One bad of the share is worth its part of what all of them are worth."""
    if not share.of and seconds_of_all > 0:
        raise ValueError("nobody was there to see what the event spoilt: without a sample there is no figure")
    return Term(count=share.bad, weight=seconds_of_all / share.of if share.of else 0.0)


def _upper_limit(terms: list[Term], seen: float) -> float:
    if not terms:
        return 0.0
    largest = max(term.weight for term in terms)
    mean, variance = seen + largest, sum(term.count * term.weight**2 for term in terms) + largest**2
    return variance / (2 * mean) * _chi_square_95(2 * mean**2 / variance)


def _chi_square_95(freedom: float) -> float:
    return freedom * (1 - 2 / (9 * freedom) + Z_95 * sqrt(2 / (9 * freedom))) ** 3
