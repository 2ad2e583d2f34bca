"""Every check by promise: the statement `audit_<promise>_<break>.sql` returns what contradicts it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from billing.database import Statements
from reminders import arrival, limits, outcomes
from reminders.audit.books import Books
from reminders.carriers.twilio_webhooks import CALL_SID, MESSAGE_SID
from reminders.retry import Policy
from reminders.states import REMINDER_TRANSITIONS

statements: Final = Statements("reminders")

# How often housekeeping fetches what no webhook brought.
RECONCILED_SECONDS: Final = 60.0

CHECKS: Final[Mapping[str, tuple[str, ...]]] = {
    "P1": (
        "message_lost",
        "message_without_key",
        "outcome_differs",
        "reminder_missing",
        "reminder_without_message",
        "outcome_unproved",
        "refusal_untold",
        "reply_missing",
        "reply_forgotten",
        "reply_without_reason",
    ),
    "P2": (
        "ring_missing",
        "ring_stray",
        "ringing_without_attempt",
        "look_up_missing",
        "look_up_too_far",
        "attempt_open_too_long",
        "open_call_missing",
        "open_call_stray",
        "timer_overdue",
        "missed_untold",
        "occurrence_wrong",
        "open_after_stop",
    ),
    "P3": ("attempts_overlap", "key_differs"),
    "P4": (
        "message_charge",
        "charge_without_message",
        "answer_not_charged",
        "charge_without_answer",
        "hold_differs",
    ),
    "P5": ("lateness_missing", "lateness_differs", "late_undecided", "late_differs", "late_charged"),
    "P7": ("trace_invalid", "trace_broken", "of_nobody"),
    "P8": ("versions_broken", "replay_differs", "move_forbidden"),
    "P9": ("number_invalid", "bucket_differs", "over_limit", "too_many_open", "sid_malformed"),
}
# Against the carrier's books.
COMPARISONS: Final[Mapping[str, tuple[str, ...]]] = {
    "P3": ("second_call", "calls_overlap"),
    "P6": (
        "message_missed",
        "message_unrecorded",
        "message_differs",
        "reply_unrecorded",
        "reply_differs",
        "call_unknown",
        "call_unrecorded",
        "call_differs",
        "call_end_missed",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """One contradiction: its kind, what it is about, and what was seen."""

    kind: str
    subject: str
    id: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def run(*, books: Books | None, carrier: str, policy: Policy, tell: Callable[[str], None]) -> dict[str, list[Break]]:
    """Every break by promise; without books the comparisons are left out. At most limits.AUDIT_BREAKS_MAX a check.

    Inside a transaction, whose settings it changes.
    """
    params = {**_bounds(policy), "carrier": carrier}
    found: dict[str, list[Break]] = {promise: [] for promise in CHECKS}
    # A check reads whole tables: whatever the statistics of a day's new rows say, each is read once and hashed.
    _plan(work_mem=f"{limits.AUDIT_MEMORY_MB}MB", jit="off", enable_nestloop="off")
    for promise, kind in _listed(CHECKS):
        tell(f"{promise}: {kind}")
        found[promise] += _check(promise, kind, params)
    if books is not None:
        params |= books.params()
        _plan(enable_nestloop="on")  # from a few records of the carrier to ours, by their keys
        for promise, kind in _listed(COMPARISONS):
            tell(f"{promise}: {kind}, against the carrier's books")
            found.setdefault(promise, []).extend(_check(promise, kind, params))
    for promise, kind, subject, id_, detail in statements.run("audit_open_breaks", params).fetchall():
        own = found.setdefault(promise, [])
        if (kind, id_) not in {(one.kind, one.id) for one in own}:  # what reconciling named, and a check sees too
            own.append(Break(kind=kind, subject=subject, id=id_, detail=detail))
    return found


def _listed(table: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((promise, kind) for promise, kinds in table.items() for kind in kinds)


def _plan(**settings: str) -> None:
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def sizes() -> dict[str, int]:
    """How many rows of ours each promise is checked on."""
    return dict(statements.run("audit_sizes", {}).fetchall())


def _check(promise: str, kind: str, params: Mapping[str, Any]) -> list[Break]:
    rows = statements.run(f"audit_{promise.lower()}_{kind}", params).fetchall()
    return [Break(kind=kind, subject=subject, id=id_, detail=detail) for subject, id_, detail in rows]


def _of_any_length(pattern: re.Pattern[str]) -> str:
    """The pattern without its count, which the statement asks for by itself."""
    return "^" + pattern.pattern.replace("{32}", "+") + "$"


def _bounds(policy: Policy) -> dict[str, Any]:
    horizon = policy.lookup_horizon_seconds
    look_up_seconds_max = max(limits.CALL_SECONDS_MAX, outcomes.watch_seconds(policy))
    return {
        "rows_max": limits.AUDIT_BREAKS_MAX,
        "overdue_seconds": limits.OVERDUE_SECONDS,
        "horizon_seconds": horizon,
        "freshness_seconds": policy.freshness_seconds,
        "look_up_seconds_max": look_up_seconds_max,
        "open_seconds_max": limits.CARRIER_QUEUE_SECONDS + policy.ring_timeout_seconds + look_up_seconds_max,
        "fetched_seconds": limits.WEBHOOK_SECONDS + RECONCILED_SECONDS,
        "free_kinds": sorted(arrival.FREE),
        "moves": [f"{was}>{to}" for was, following in REMINDER_TRANSITIONS.items() for to in following],
        "text_characters_max": limits.TEXT_CHARACTERS_MAX,
        "subject_characters_max": limits.SUBJECT_CHARACTERS_MAX,
        "attempts_max": limits.ATTEMPTS_MAX,
        "open_reminders_max": limits.OPEN_REMINDERS_MAX,
        "message_sids": _of_any_length(MESSAGE_SID),
        "call_sids_known": _of_any_length(CALL_SID),
        "sid_characters": 34,
    }
