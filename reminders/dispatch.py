"""Dispatch: what is due is claimed (SKIP LOCKED, lease, fencing token) and its ids are handed on as doorbells.

The Postgres row is the queue. A claim is a lease: a doorbell that gets lost costs the rest of the lease, and a row
that nobody could ring for (Redis away) is given back without a mark. Oldest due first, within the carrier's pace.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.database import Statements, named, uuid7
from reminders import limits, poison
from reminders.spending import Watch
from reminders.states import Kind

statements: Final = Statements("reminders")

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pacing:
    """What one carrier account takes: calls per second (0: no limit) and open calls."""

    account: str
    calls_per_second: float
    concurrent_calls: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Doorbell:
    """Ids to hand on: of one kind, of one claim, at most limits.BATCH_MAX."""

    kind: Kind
    ids: tuple[UUID, ...]
    token: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """One claimed timer."""

    id: UUID
    kind: Kind
    claims: int
    strikes: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """What one look at the timers saw, by the database's clock. None where there is nothing of it."""

    now: datetime
    due: int  # how many may ring, limits.CLAIM_MAX at most
    oldest_due_seconds: float | None
    oldest_ring: datetime | None  # the wake time of the oldest that is there, leased or not
    first_ring: datetime | None  # and of the oldest that may be claimed
    oldest_other: datetime | None
    first_other: datetime | None


class Claimer:
    """Claims what is due, and remembers the low-water marks from which it looks: one per dispatcher.

    A mark never passes a row that is there, so that a lease that ends is seen at the next look, whosever it was. Where
    none is there it stays a margin behind now, for what commits late; a look begins at the very start once a minute.
    """

    def __init__(self, *, pacing: Pacing, lease_seconds: float, spending: Watch | None = None) -> None:
        self.pacing = pacing
        self._spending = spending
        self.spent = False  # whether the bounds of spending hold rings back
        self.lease_seconds = lease_seconds
        self._low_water: dict[str, datetime] = {"rings": EPOCH, "others": EPOCH}
        self._full_scan_due = 0.0
        self.paced = False
        self._open_calls = 0
        self._count_due = 0.0
        self.oldest_due_seconds: float | None = None
        self.looked_at = EPOCH  # the database's clock at the last look

    def claim(self, *, monotonic: float) -> tuple[UUID, list[Claimed]]:
        """One claim of both kinds: the fencing token and the rows, oldest first. Empty where nothing is due."""
        if monotonic >= self._full_scan_due:
            self._full_scan_due = monotonic + limits.FULL_SCAN_SECONDS
            self._low_water = {"rings": EPOCH, "others": EPOCH}
        token = uuid7()
        look = self._look()
        claimed: list[Claimed] = []
        allowed = self._allowed(look.due, monotonic)
        if allowed and look.first_ring:
            claimed += self._claim("rings", token, allowed, since=look.first_ring)
        if look.first_other:
            claimed += self._claim("others", token, limits.CLAIM_MAX, since=look.first_other)
        return token, sorted(claimed, key=lambda row: row.due_at)

    def _look(self) -> _Look:
        marks = {"rings_since": self._low_water["rings"], "others_since": self._low_water["others"]}
        (row,) = named(statements.run("peek_timers", {**marks, "limit": limits.CLAIM_MAX}))
        look = _Look(**row)
        self.looked_at = look.now
        self.oldest_due_seconds = look.oldest_due_seconds
        settled = look.now - timedelta(seconds=limits.LOW_WATER_MARGIN_SECONDS)
        self._low_water = {
            "rings": min(look.oldest_ring or settled, settled),
            "others": min(look.oldest_other or settled, settled),
        }
        return look

    def _allowed(self, due: int, monotonic: float) -> int:
        """How many of those that are due may ring now."""
        if not due:
            return 0
        allowed = max(0, min(due, self.pacing.concurrent_calls - self._open(monotonic)))
        allowed = self._affordable(allowed, monotonic)
        if allowed and self.pacing.calls_per_second:
            allowed = self._take_pace(allowed)
        if self._spending is not None:
            self._spending.let_go(calls=allowed)
        self.paced = allowed < due
        self._open_calls += allowed
        return allowed

    def _affordable(self, wanted: int, monotonic: float) -> int:
        left = self._spending.left(monotonic=monotonic) if self._spending is not None else None
        self.spent = left is not None and left < wanted
        return wanted if left is None else min(wanted, left)

    def _open(self, monotonic: float) -> int:
        """Open calls: counted once a poll, since the count reads every dead row that a snapshot holds; between, those
        that were let go are added."""
        if monotonic >= self._count_due:
            self._count_due = monotonic + limits.POLL_SECONDS
            counted = statements.run("count_open_calls", {"limit": self.pacing.concurrent_calls}).fetchone()
            self._open_calls = int(counted[0]) if counted else 0
        return self._open_calls

    def _take_pace(self, wanted: int) -> int:
        params = {
            "account": self.pacing.account,
            "wanted": wanted,
            "calls_per_second": self.pacing.calls_per_second,
        }
        taken = statements.run("take_pace", params).fetchone()
        return int(taken[0]) if taken else 0

    def _claim(self, name: str, token: UUID, limit: int, *, since: datetime) -> list[Claimed]:
        rows = statements.run(
            f"claim_{name}",
            {
                "since": since,
                "limit": limit,
                "token": token,
                "lease_seconds": self.lease_seconds,
                "cause": "pacing" if self.paced else "backlog",
            },
        ).fetchall()
        return [Claimed(id=row[0], kind=Kind(row[1]), claims=row[2], strikes=row[3], due_at=row[4]) for row in rows]


def doorbells(*, claimed: Sequence[Claimed], token: UUID) -> Iterator[Doorbell]:
    """Batches of one kind. A row that was opened before travels alone: it may have killed its worker."""
    batches: dict[Kind, list[UUID]] = {}
    for row in claimed:
        if row.claims >= limits.CLAIMS_SHARED_MAX:
            yield Doorbell(kind=row.kind, ids=(row.id,), token=token)
            continue
        batch = batches.setdefault(row.kind, [])
        batch.append(row.id)
        if len(batch) == limits.BATCH_MAX:
            yield Doorbell(kind=row.kind, ids=tuple(batches.pop(row.kind)), token=token)
    for kind, ids in batches.items():
        yield Doorbell(kind=kind, ids=tuple(ids), token=token)


def bury(*, claimed: Sequence[Claimed], token: UUID, now: datetime) -> frozenset[UUID]:
    """Make dead letters of the rings that are poison, limits.BURIED_MAX an hour at most; the timers of those buried."""
    found = [row.id for row in claimed if row.kind is Kind.RING and _is_poison(row)]
    if not found or not (room := room_for_dead()):
        return frozenset()
    with transaction.atomic():
        params = {"ids": found[:room], "token": token, "at": now, "cause": "poison"}
        return frozenset(row[0] for row in statements.run("bury", params).fetchall())


def room_for_dead() -> int:
    """How many more may be buried as poison within this hour."""
    row = statements.run("buried_lately", {"rows_max": limits.BURIED_MAX}).fetchone()
    return limits.BURIED_MAX - (int(row[0]) if row else 0)


def ring(*, bells: Sequence[Doorbell], send: Callable[[Doorbell], None], failed: type[Exception]) -> int:
    """Hand the doorbells on. Where that fails, this and the rest are given back; how many were sent."""
    for position, bell in enumerate(bells):
        try:
            send(bell)
        except failed:
            for unsent in bells[position:]:
                release(bell=unsent)
            return position
    return len(bells)


def release(*, bell: Doorbell) -> None:
    """Give a claim back: claimable again in a moment, without a mark."""
    params = {"ids": list(bell.ids), "token": bell.token, "seconds": limits.PUBLISH_RETRY_SECONDS}
    statements.run("release_claim", params)


def failed(*, bell: Doorbell) -> None:
    """A batch of rings ended in an error: each comes again alone, later each time, and its count stays."""
    params = {"ids": list(bell.ids), "token": bell.token, "seconds_max": limits.FAILED_SECONDS_MAX}
    statements.run("ring_failed", params)


def next_wake_seconds(*, claimer: Claimer) -> float:
    """How long a dispatcher may sleep: until the next timer that its last look did not see, or the pace has refilled.

    At most limits.POLL_SECONDS.
    """
    within = {"looked_at": claimer.looked_at, "poll_seconds": limits.POLL_SECONDS}
    row = statements.run("next_wake", within).fetchone()
    waits = row[0] if row and row[0] is not None else limits.POLL_SECONDS
    return min(limits.PACED_SECONDS if claimer.paced else limits.POLL_SECONDS, max(0.0, float(waits)))


def open_account(*, account: str) -> None:
    """Make the row that an account's pace is taken from."""
    statements.run("pace_new", {"account": account})


def needs_notice(*, due_at: datetime, now: datetime) -> bool:
    """Whether a new timer may be nearer than the dispatchers' next wake, which is at most a poll away."""
    return due_at - now < timedelta(seconds=limits.POLL_SECONDS)


def notify() -> None:
    """Wake the dispatchers, after the commit, in a statement of its own. It may be lost: they poll."""
    statements.run("notify", {})


def _is_poison(row: Claimed) -> bool:
    return poison.is_poison(claims=row.claims, strikes=row.strikes)
