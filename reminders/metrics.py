"""The SLIs, named once. Labels are bounded, and every series stands at zero from the start."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from reminders.states import Kind

INTAKE: Final = Counter("ringback_intake", "Messages by what became of them", ["outcome"])
INTAKE_SECONDS: Final = Histogram(
    "ringback_intake_seconds",
    "From the webhook's arrival to its durable answer",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15),
)
REFUSED: Final = Counter("ringback_webhooks_refused", "Webhooks refused before any work", ["reason"])
CALLBACKS: Final = Counter("ringback_callbacks", "Status callbacks by what they did", ["result"])
CLAIMED: Final = Counter("ringback_timers_claimed", "Timers claimed by a dispatcher", ["kind"])
DOORBELLS_FAILED: Final = Counter("ringback_doorbells_failed", "Doorbells that Redis did not take")
DOORBELLS_GIVEN_BACK: Final = Counter(
    "ringback_doorbells_given_back", "Doorbells that found every thread taken but the one for rings", ["kind"]
)
ATTEMPTS: Final = Counter("ringback_attempts", "Attempts by what the carrier said", ["state"])
LOOK_UPS: Final = Counter("ringback_look_ups", "Look-ups at the carrier by what they found", ["found"])
REPLIES: Final = Counter("ringback_replies", "Texts of ours that a timer tended, by what came of it", ["found"])
RECONCILED: Final = Counter("ringback_reconciled", "What reconciling with the carrier's records found", ["found"])
DEAD_LETTERS: Final = Counter("ringback_dead_letters", "Reminders that became dead letters by a claim too many")
BATCHES_FAILED: Final = Counter("ringback_batches_failed", "Batches that ended in an error", ["kind"])
START_LATENESS_SECONDS: Final = Histogram(
    "ringback_start_lateness_seconds",
    "From a ring timer's due time to the carrier's answer to its request",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
OLDEST_DUE_SECONDS: Final = Gauge("ringback_oldest_due_seconds", "Age of the oldest claimable ring timer")
DATABASE_BREAKER_OPEN: Final = Gauge("ringback_database_breaker_open", "1 while the database's breaker is open")
DATABASE_BREAKER_TRIPS: Final = Counter("ringback_database_breaker_trips", "Openings of the breaker by reason", ["why"])
UNDER_WATCH: Final = Gauge("ringback_people_under_watch", "People whose every trace this process keeps")
DISPATCH_LOOPS: Final = Counter("ringback_dispatch_loops", "Turns of the dispatcher's loop: its liveness")
CARRIER_BREAKER_OPEN: Final = Gauge(
    "ringback_carrier_breaker_open", "1 while a carrier account is asked no more", ["account"]
)
SHED: Final = Counter("ringback_shed", "Texts that were not let in, by why", ["why"])
SPEND_BREAKER_OPEN: Final = Gauge("ringback_spend_breaker_open", "1 while nothing is dialled, for what it would cost")
SPOOL_REASONS: Final = ("bytes", "age", "sender", "disk")
SPOOLED: Final = Counter("ringback_spooled", "Texts that went to the spool, by why", ["why"])
SPOOL_REFUSED: Final = Counter("ringback_spool_refused", "Texts that the spool did not take", ["reason"])
DRAINED: Final = Counter("ringback_drained", "Texts taken out of the spool, by what became of them", ["outcome"])
SPOOL_DAMAGED: Final = Counter("ringback_spool_damaged", "Frames of the spool that did not read")
SPOOL_STUCK: Final = Counter("ringback_spool_stuck", "Texts that were put aside, since intake did not take them")
SPOOL_FILES: Final = Gauge("ringback_spool_files", "Senders with texts in this host's spool")
SPOOL_BYTES: Final = Gauge("ringback_spool_bytes", "Bytes in this host's spool")
SPOOL_ASIDE: Final = Gauge("ringback_spool_aside", "What was put aside, for a person to look at")
SPOOL_OLDEST_SECONDS: Final = Gauge("ringback_spool_oldest_seconds", "Age of the spool's oldest file")

for _kind in Kind:
    CLAIMED.labels(_kind.value)
    BATCHES_FAILED.labels(_kind.value)
    if _kind is not Kind.RING:
        DOORBELLS_GIVEN_BACK.labels(_kind.value)
for _outcome in ("reminder", "command", "refused", "repeated", "conflict"):
    DRAINED.labels(_outcome)
for _why in ("number", "block", "busy"):
    SHED.labels(_why)
for _why in ("breaker", "failed", "behind", "busy"):
    SPOOLED.labels(_why)
for _reason in SPOOL_REASONS:
    SPOOL_REFUSED.labels(_reason)
for _outcome in ("reminder", "command", "refused", "repeated", "conflict", "unavailable", "spooled"):
    INTAKE.labels(_outcome)
for _reason in ("signature", "too_large", "not_a_form", "malformed", "fields"):
    REFUSED.labels(_reason)
for _result in ("folded", "unknown_call", "nothing"):
    CALLBACKS.labels(_result)
for _state in ("placed", "unknown", "not_sent", "parked"):
    ATTEMPTS.labels(_state)
for _found in ("over", "going_on", "absent", "not_placed", "ambiguous", "failed"):
    LOOK_UPS.labels(_found)
for _found in ("over", "sent", "held", "unknown", "undelivered", "absent", "failed", "going_on"):
    REPLIES.labels(_found)
for _found in ("folded", "unknown", "stuck", "not_finished", "not_asked"):
    RECONCILED.labels(_found)
for _why in ("in_doubt", "silent", "away", "quarantined"):
    DATABASE_BREAKER_TRIPS.labels(_why)


def stop_counting() -> None:
    """Count nothing in this process from now on: what counting costs is measured against it."""
    for kind, name in ((Counter, "inc"), (Gauge, "set"), (Gauge, "inc"), (Histogram, "observe")):
        setattr(kind, name, _nothing)


def _nothing(*_: object, **__: object) -> None:
    pass
