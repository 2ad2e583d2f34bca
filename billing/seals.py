"""The hash chain over the ledger's past days: what a superuser changed behind the triggers shows.

A day's hash covers the hash of the day before it and every transaction and entry that was recorded on that
day. It is computed by a closing job, not at the insert, so no charge waits for another. It detects and does
not prevent; and whoever rewrites the seals too is found only by a hash that was kept elsewhere: the closing
job logs each hash, and `verify_seals(witness=…)` takes one back.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction

from billing.ledger import statements

GENESIS: Final = "0" * 64
# No transaction of ours lives as long, so none can still be recorded on a day that ended this long ago.
SETTLED_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """One sealed day of the ledger."""

    day_date: date
    transactions: int
    previous_hash: str
    hash: str


def seal(*, until: datetime) -> list[Seal]:
    """Seal every unsealed UTC day that ended by `until`, oldest first; the new seals.

    A day waits until it has been over for an hour by the database's clock, whatever `until` says.
    """
    made: list[Seal] = []
    with transaction.atomic():
        for day_date, previous_hash in _unsealed(until):
            one = _compute(day_date, made[-1].hash if made else previous_hash)
            _write(one)
            made.append(one)
    return made


def verify_seals(*, witness: str | None = None) -> tuple[int, list[dict[str, Any]]]:
    """How many days were checked, and each that differs; `witness` is a hash that was kept elsewhere."""
    with transaction.atomic():
        seals = [
            Seal(day_date=day, transactions=count, previous_hash=previous, hash=digest)
            for day, count, previous, digest in statements.run("read_seals", {}).fetchall()
        ]
        found = [one for number in range(len(seals)) for one in _differences(seals, number)]
        found += _before_first(seals)
    if witness is not None and witness not in {one.hash for one in seals}:
        found.append({"kind": "witness_missing", "subject": ("seal", witness[:12]), "detail": {}})
    return len(seals), found


def _differences(seals: list[Seal], number: int) -> Iterator[dict[str, Any]]:
    kept = seals[number]
    before = seals[number - 1] if number else None
    if kept.previous_hash != (before.hash if before else GENESIS):
        yield _break("seal_chain_broken", kept)
    if before and kept.day_date != before.day_date + timedelta(days=1):
        yield _break("seal_missing", kept)
    computed = _compute(kept.day_date, kept.previous_hash)
    if computed != kept:
        yield _break("seal_differs", kept, transactions_now=computed.transactions)


def _before_first(seals: list[Seal]) -> list[dict[str, Any]]:
    first = _first_day()
    if seals and first and first < seals[0].day_date:
        return [_break("recorded_before_first_seal", seals[0], first_day=first.isoformat())]
    return []


def _break(kind: str, kept: Seal, **detail: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": ("seal", kept.day_date.isoformat()),
        "detail": {"transactions": kept.transactions, **detail},
    }


def _unsealed(until: datetime) -> Iterator[tuple[date, str]]:
    rows = statements.run("read_seals", {}).fetchall()
    last = rows[-1] if rows else None
    day_date = last[0] + timedelta(days=1) if last else _first_day()
    end = _settled(until)
    while day_date is not None and _start(day_date + timedelta(days=1)) <= end:
        yield day_date, last[3] if last else GENESIS
        day_date += timedelta(days=1)


def _settled(until: datetime) -> datetime:
    row = statements.run("read_settled", {"until": until, "settled_after": SETTLED_AFTER}).fetchone()
    return row[0] if row else until


def _first_day() -> date | None:
    row = statements.run("read_first_recorded", {}).fetchone()
    return row[0].astimezone(UTC).date() if row and row[0] else None


def _compute(day_date: date, previous_hash: str) -> Seal:
    digest = hashlib.sha256(previous_hash.encode())
    transactions = 0
    span = {"since": _start(day_date), "until": _start(day_date + timedelta(days=1))}
    for (line,) in statements.stream("read_sealed_lines", span):
        digest.update(line.encode() + b"\n")
        transactions += 1
    return Seal(day_date=day_date, transactions=transactions, previous_hash=previous_hash, hash=digest.hexdigest())


def _write(one: Seal) -> None:
    statements.run(
        "write_seal",
        {
            "day_date": one.day_date,
            "transactions": one.transactions,
            "previous_hash": one.previous_hash,
            "hash": one.hash,
        },
    )


def _start(day_date: date) -> datetime:
    return datetime.combine(day_date, time(), tzinfo=UTC)
