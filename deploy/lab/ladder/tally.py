"""What one trial of an event spoilt, counted person by person. Pure.

Two questions, as a person asks them. *Answered*: was my text answered 2xx? *Kept*: did my phone ring, once, within the
freshness of the due time, at the right price? A text that was not answered but was fetched afterwards is kept: in
earnest its reminder is due hours later. One that was accepted is kept only if it rang in the trial.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from deploy.lab.load import ACCEPTED, Promise
from deploy.lab.oracle import Judgement
from deploy.lab.trial import Band

_LAST_PART: Final = 2 / 3  # of the event's time in the lab: what is bad from then on has not been mended


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many bad of so many."""

    bad: int = 0
    of: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(bad=self.bad + other.bad, of=self.of + other.of)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The counts of one trial, or of several added up.

    `pending`: accepted before the event and due after it began; bad are those that never rang rightly. `still_*`: of
    the last third of an event that lasts, what it still spoilt then.
    """

    trials: int = 1
    answered: Share = Share()
    kept: Share = Share()
    pending: Share = Share()
    still_answered: Share = Share()
    still_taken: Share = Share()
    still_rung: Share = Share()
    lost: int = 0
    twice: int = 0
    mischarged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Tally)})

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def parsed(found: dict[str, Any]) -> Tally:
    """A tally from its plain form."""
    words: dict[str, Any] = {
        name: Share(**value) if isinstance(value, dict) else value for name, value in found.items()
    }
    return Tally(**words)


def counted(
    *,
    promises: Collection[Promise],
    judgement: Judgement,
    taken: Collection[str],
    band: Band | None,
    freshness_seconds: float,
) -> Tally:
    """Count a trial. `taken`: the message ids that the service has in the end; `band`: the event, None at rest."""
    during = [one for one in promises if one.phase == "during"]
    seen = _Seen(judgement, frozenset(taken), freshness_seconds)
    before = [one for one in during if band and _sent(one) < band.began_at <= one.due_at and one.answer == ACCEPTED]
    forgotten = [one for one in before if seen.is_forgotten(one)]
    numbers = {one.number for one in during}
    counts: dict[str, Any] = {
        kind: sum(one.kind == kind and one.number in numbers for one in judgement.findings)
        for kind in ("lost", "twice", "mischarged")
    }
    return Tally(
        answered=Share(bad=sum(one.answer != ACCEPTED for one in during), of=len(during)),
        # Who was forgotten is weighed by how long reminders wait, and must not be counted twice.
        kept=Share(bad=sum(not seen.is_kept(one) for one in during) - len(forgotten), of=len(during)),
        pending=Share(bad=len(forgotten), of=len(before)),
        **counts,
        **(_still(during, seen, band) if band and _lasted(band) else {}),
    )


class _Seen:
    """What became of each promise."""

    def __init__(self, judgement: Judgement, taken: frozenset[str], freshness_seconds: float) -> None:
        self._rings = {ring.number: ring for ring in judgement.rings}
        self._wronged = {finding.number for finding in judgement.findings}
        self._taken = taken
        self._freshness_seconds = freshness_seconds

    def is_taken(self, promise: Promise) -> bool:
        return promise.answer == ACCEPTED or promise.sid in self._taken

    def is_kept(self, promise: Promise) -> bool:
        if promise.answer != ACCEPTED:
            return self.is_taken(promise)
        ring = self._rings.get(promise.number)
        in_time = ring is not None and ring.lateness_seconds <= self._freshness_seconds
        return in_time and promise.number not in self._wronged

    def is_forgotten(self, promise: Promise) -> bool:
        return promise.number not in self._rings or promise.number in self._wronged

    def rang_by(self, promise: Promise, moment: float) -> bool:
        ring = self._rings.get(promise.number)
        return ring is not None and ring.ringing_at <= moment


def _still(during: Collection[Promise], seen: _Seen, band: Band) -> dict[str, Any]:
    assert band.ended_at is not None
    since = band.began_at + _LAST_PART * (band.ended_at - band.began_at)
    sent = [one for one in during if since <= _sent(one) < band.ended_at]
    # What was due a moment before the end had no time to ring.
    due = [one for one in during if one.answer == ACCEPTED and since <= one.due_at < band.ended_at - 1.0]
    return {
        "still_answered": Share(bad=sum(one.answer != ACCEPTED for one in sent), of=len(sent)),
        "still_taken": Share(bad=sum(not seen.is_taken(one) for one in sent), of=len(sent)),
        "still_rung": Share(bad=sum(not seen.rang_by(one, band.ended_at) for one in due), of=len(due)),
    }


def _lasted(band: Band) -> bool:
    return band.ended_at is not None and band.ended_at - band.began_at > 5.0


def _sent(promise: Promise) -> float:
    return promise.sent_at or promise.scheduled_at
