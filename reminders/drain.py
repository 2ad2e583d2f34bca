"""Drain: what waits in the spool goes through intake, once, in the order in which each sender's texts came.

A text is accepted as of when it was received; its reply is sent by its own timer, since nobody waits for the webhook's
answer. A text that intake knows already changes nothing, so a drain that dies anywhere is simply done again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing import breaks, database
from billing.deadline import within
from reminders import intake, tracing
from reminders.intake import Answer
from reminders.spool import Spool, Spooled

CONFLICT: Final = "conflict"
# What says something about the database, or the moment: the text waits. Anything else is about this text.
TOO_EARLY: Final = (*database.AWAY, intake.Contended)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: a lock, a deadlock, a race, a statement's time-out.
CONTENTION: Final = frozenset({"55P03", "40P01", "40001", "57014"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """What became of one sender's texts, in order; `done` is false where more has come behind them."""

    outcomes: tuple[str, ...]
    damaged: int
    soonest_at: datetime | None
    done: bool


class Stuck(Exception):
    """A text could not be taken for a reason of its own; its sender's texts wait behind it."""

    def __init__(self, text: Spooled) -> None:
        super().__init__("stuck")
        self.text = text


def drain(*, spool: Spool, name: str, snooze_seconds: float, each_seconds: float, now: datetime) -> Drained:
    """Take everything that one sender's file holds, each text within `each_seconds`.

    Raises Stuck, or one of TOO_EARLY; then everything stays queued.
    """
    contents = spool.read(name=name)
    answers = []
    for text in contents.texts:
        with within(seconds=each_seconds):
            answers.append(_take(text, snooze_seconds, now))
    return Drained(
        outcomes=tuple(CONFLICT if one is None else "repeated" if one.repeated else one.outcome for one in answers),
        damaged=len(contents.damaged),
        soonest_at=min((one.due_at for one in answers if one is not None and one.due_at is not None), default=None),
        done=spool.end(name=name, read=contents),
    )


def is_away(error: Exception) -> bool:
    """Whether an error says that the database is away, and not that somebody else holds this sender's row."""
    return isinstance(error, database.AWAY) and getattr(error.__cause__, "sqlstate", None) not in CONTENTION


def _take(text: Spooled, snooze_seconds: float, now: datetime) -> Answer | None:
    try:
        with tracing.span("drain", linked=(text.trace_context,), about=tracing.person(number=text.message.sender)):
            answer = intake.accept(
                message=text.message,
                received_at=text.received_at,
                trace_context=text.trace_context,
                snooze_seconds=snooze_seconds,
                answers=False,
            )
            tracing.note(outcome=answer.outcome, **tracing.ids(reminder=answer.reminder_id))
            return answer
    except intake.Conflict:  # the carrier's id was taken by other words first: those were accepted
        subject = ("message", text.message.carrier_sid)
        breaks.open_break(promise="P6", kind="message_differs", subject=subject, detail={"spool": True}, at=now)
        return None
    except TOO_EARLY:
        raise
    except Exception as error:
        raise Stuck(text) from error
