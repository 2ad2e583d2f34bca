"""Housekeeping by timers: partitions ahead, the carrier's records against ours, the ledger's seals.

Recurring work is timers too, so that no scheduler process is a single point of failure.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from billing import seals
from billing.database import Statements
from reminders import limits, reconcile
from reminders.carriers.base import Carrier
from reminders.retry import Policy
from reminders.states import Kind

statements: Final = Statements("reminders")

EVERY_SECONDS: Final = {Kind.RECONCILE: 60.0, Kind.PARTITIONS: 6 * 3600.0, Kind.SEAL: 3600.0}


def plan() -> None:
    """Make the timers of recurring work where they are missing."""
    for kind in EVERY_SECONDS:
        statements.run("recurring_new", {"kind": kind.value, "key": key_of(kind)})


def key_of(kind: Kind) -> UUID:
    """The fixed key of a recurring kind."""
    return uuid5(NAMESPACE_URL, f"ringback:{kind.value}")


def attend(*, kind: Kind, carrier: Carrier, policy: Policy, now: datetime) -> float:
    """Do one kind's work; seconds until it comes again."""
    if kind is Kind.PARTITIONS:
        statements.run("make_partitions", {"since": now, "months": limits.PARTITIONS_AHEAD})
    elif kind is Kind.SEAL:
        seals.seal(until=now - timedelta(hours=1))
    elif kind is Kind.RECONCILE:
        reconcile.backfill(carrier=carrier, policy=policy, now=now)
        since = now - timedelta(seconds=limits.RECONCILE_SECONDS)
        reconcile.compare_calls(carrier=carrier, policy=policy, since=since, now=now)
    return EVERY_SECONDS[kind]
