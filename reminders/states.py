"""The states of what moves, and every move that is allowed, as data.

A state moves by one guarded UPDATE that names the old state; the tables below say which moves exist.
Tests hold them against the CHECK constraints and against each other: total, and out of an end only as written.
"""

from enum import StrEnum
from typing import Final


class ReminderState(StrEnum):
    """Where a reminder is. `scheduled` and `ringing` are open; the others are ends."""

    SCHEDULED = "scheduled"  # a ring timer exists for its present occurrence
    RINGING = "ringing"  # an attempt is open, or its outcome is not known yet
    ANSWERED = "answered"  # its last occurrence was picked up
    MISSED = "missed"  # every attempt was made; the person is told by SMS
    CANCELLED = "cancelled"  # by the person: DELETE, STOP, or key 9
    DEAD = "dead"  # we could not: an alert fires, and it can be replayed by hand


class AttemptState(StrEnum):
    """Where one attempt to ring is. `unknown` asks the carrier; nothing dials again before it answers."""

    INTENDED = "intended"  # committed before the request
    PLACED = "placed"  # the carrier took it and gave it an id
    IN_CALL = "in_call"  # picked up
    UNKNOWN = "unknown"  # the request's outcome is not known
    ENDED = "ended"
    NOT_SENT = "not_sent"  # the request never left us, or was refused before a call existed
    NOT_PLACED = "not_placed"  # looked up for the whole horizon and not found


class Outcome(StrEnum):
    """How an ended attempt ended."""

    ANSWERED = "answered"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"  # hung up by us: STOP, or superseded


class ReplyState(StrEnum):
    """Where an SMS of ours is."""

    INTENDED = "intended"
    HANDED_OVER = "handed_over"  # in the webhook's answer, or in a request whose reply we may have lost
    SENT = "sent"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a timer does when it is due."""

    RING = "ring"  # key: the reminder
    LOOK_UP = "look_up"  # key: the attempt; resolves what the carrier did, ends what rang too long
    REPLY = "reply"  # key: the reply; looks it up, sends it where it is absent
    HANG_UP = "hang_up"  # key: the attempt; cancels the call at the carrier
    RECONCILE = "reconcile"  # key: a fixed id; the carrier's records against ours
    PARTITIONS = "partitions"  # key: a fixed id; makes and cuts partitions
    SEAL = "seal"  # key: a fixed id; seals the ledger's closed days


REMINDER_TRANSITIONS: Final[dict[ReminderState, tuple[ReminderState, ...]]] = {
    ReminderState.SCHEDULED: (
        ReminderState.SCHEDULED,  # moved, skipped once, or its subject edited
        ReminderState.RINGING,
        ReminderState.MISSED,  # too late to ring after an outage; the person is told
        ReminderState.ANSWERED,  # an answer proved late, while the next attempt was still to come
        ReminderState.CANCELLED,
        ReminderState.DEAD,
    ),
    ReminderState.RINGING: (
        ReminderState.SCHEDULED,
        ReminderState.ANSWERED,
        ReminderState.MISSED,
        ReminderState.CANCELLED,
        ReminderState.DEAD,
    ),
    ReminderState.ANSWERED: (ReminderState.SCHEDULED,),  # a snooze that came after the call
    ReminderState.MISSED: (
        ReminderState.SCHEDULED,  # snoozed by text
        ReminderState.ANSWERED,  # a proof that came late
    ),
    ReminderState.CANCELLED: (ReminderState.SCHEDULED,),  # undone by the person
    ReminderState.DEAD: (ReminderState.SCHEDULED,),  # replayed by hand
}

ATTEMPT_TRANSITIONS: Final[dict[AttemptState, tuple[AttemptState, ...]]] = {
    AttemptState.INTENDED: (
        AttemptState.PLACED,
        AttemptState.IN_CALL,  # the callback overtook the reply to the request
        AttemptState.ENDED,
        AttemptState.NOT_SENT,
        AttemptState.UNKNOWN,
    ),
    AttemptState.PLACED: (AttemptState.IN_CALL, AttemptState.ENDED, AttemptState.UNKNOWN),
    AttemptState.IN_CALL: (AttemptState.ENDED, AttemptState.UNKNOWN),
    AttemptState.UNKNOWN: (
        AttemptState.PLACED,
        AttemptState.IN_CALL,
        AttemptState.ENDED,
        AttemptState.NOT_PLACED,
    ),
    AttemptState.ENDED: (),
    AttemptState.NOT_SENT: (),
    AttemptState.NOT_PLACED: (AttemptState.ENDED,),  # a proof that came late
}

REPLY_TRANSITIONS: Final[dict[ReplyState, tuple[ReplyState, ...]]] = {
    ReplyState.INTENDED: (ReplyState.HANDED_OVER, ReplyState.UNDELIVERED),
    ReplyState.HANDED_OVER: (
        ReplyState.SENT,
        ReplyState.UNDELIVERED,
        ReplyState.UNKNOWN,
        ReplyState.INTENDED,  # our set-up was refused: nothing left, and it waits until that is mended
    ),
    ReplyState.UNKNOWN: (ReplyState.SENT, ReplyState.UNDELIVERED, ReplyState.HANDED_OVER),
    ReplyState.SENT: (ReplyState.UNDELIVERED,),
    ReplyState.UNDELIVERED: (),
}

OPEN_REMINDER: Final = (ReminderState.SCHEDULED, ReminderState.RINGING)
OPEN_ATTEMPT: Final = (
    AttemptState.INTENDED,
    AttemptState.PLACED,
    AttemptState.IN_CALL,
    AttemptState.UNKNOWN,
)
GONE_ATTEMPT: Final = (AttemptState.NOT_SENT, AttemptState.NOT_PLACED)  # there is no call, as far as is known
