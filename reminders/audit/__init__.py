"""Audit: the nine promises on the live data, in one consistent snapshot. Reads only, decides nothing, mends nothing.

The carrier is asked first, since no transaction may span the network; then every check runs in one read-only
snapshot. A check is a named statement `audit_<promise>_<break>.sql` that says what it proves and returns what
contradicts it. A row is a break only where its own timer is overdue by limits.OVERDUE_SECONDS, or where nothing
could ever mend it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from billing import queries as billing_queries
from billing import seals
from reminders import history, limits
from reminders.audit import books, checks
from reminders.audit.books import Books
from reminders.audit.checks import Break
from reminders.carriers.base import Carrier
from reminders.retry import Policy

PROMISES: Final = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9")
# What these promise can only be judged with the carrier's own books.
OF_THE_CARRIER: Final = ("P3", "P6")
NOTHING: Final = "nothing was there to be checked"
NOT_ASKED: Final = "the carrier could not be asked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """One promise: kept, broken, or (None) not checked, with the reason why in `note`."""

    id: str
    ok: bool | None
    checked: int
    breaks: tuple[Break, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Every promise; `ok` is false where one is broken, None where one could not be checked."""

    promises: tuple[Audited, ...]

    @property
    def ok(self) -> bool | None:
        verdicts = [one.ok for one in self.promises]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def beside(self, others: Sequence["Report"]) -> "Report":
        """This report with what the books of other accounts add to it."""
        return Report(
            promises=tuple(
                _joined(one, [other.promises[place] for other in others]) if one.id in OF_THE_CARRIER else one
                for place, one in enumerate(self.promises)
            )
        )


def _say_nothing(_: str) -> None:
    """Nobody looks on."""


def audit(*, carrier: Carrier, policy: Policy, now: datetime, tell: Callable[[str], None] = _say_nothing) -> Report:
    """Check every promise; `tell` hears what is looked at. Raises the database's errors."""
    tell("the carrier's books")
    found = books.ask(carrier=carrier, since=now - timedelta(days=limits.AUDIT_DAYS), now=now)
    with history.snapshot(seconds=limits.AUDIT_SECONDS):
        breaks = checks.run(books=found, carrier=carrier.name, policy=policy, tell=tell)
        checked = checks.sizes()
        tell("P4: the ledger")
        checked["P4"], money = _money(now)
    checked["P3"] += len(found.calls) if found else 0
    checked["P6"] = found.records if found else 0
    breaks["P4"] = [*money, *breaks.get("P4", [])]
    return Report(promises=tuple(_judge(id_, checked, breaks, found) for id_ in PROMISES))


def _judge(id_: str, checked: Mapping[str, int], breaks: Mapping[str, Sequence[Break]], found: Books | None) -> Audited:
    broken = tuple(breaks.get(id_, ()))
    note = ""
    if found is None and id_ in OF_THE_CARRIER:
        note = NOT_ASKED
    elif not checked[id_]:
        note = NOTHING
    ok = False if broken else (None if note else True)
    return Audited(id=id_, ok=ok, checked=checked[id_], breaks=broken, note=note)


def _joined(first: Audited, others: Sequence[Audited]) -> Audited:
    """One promise in several accounts' books; an account that was never used has nothing to add."""
    said = [one for one in (first, *others) if one is first or one.note != NOTHING]
    verdicts = [one.ok for one in said]
    return Audited(
        id=first.id,
        ok=False if False in verdicts else None if None in verdicts else True,
        checked=sum(one.checked for one in said),
        breaks=tuple(found for one in said for found in one.breaks),
        note=next((one.note for one in said if one.note), ""),
    )


def _money(now: datetime) -> tuple[int, list[Break]]:
    rows, found = billing_queries.audit_p4(now=now, reserved_for_max=timedelta(seconds=limits.LATE_PROOF_SECONDS))
    days, differing = seals.verify_seals()
    return rows + days, [_billing(one) for one in [*found, *differing]]


def _billing(one: dict[str, Any]) -> Break:
    subject, id_ = one["subject"]
    return Break(kind=one["kind"], subject=subject, id=id_, detail=one["detail"])
