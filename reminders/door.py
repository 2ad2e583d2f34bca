"""A text at the door: whether it is let in, and which way it goes. The edge that intake, spool and admission share.

What is let in ends in the database or in the spool. What is not was either refused for good (too many texts of one
number: kept by its key, told once, free) or sent away for now, which a carrier repeats or keeps in its list.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import cache
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from billing import breaker, database
from billing.deadline import within
from reminders import admission, arrival, dispatch, drainer, grammar, intake, languages, limits, metrics, replies
from reminders.admission import Allowances, Places, Verdict
from reminders.arrival import Arrival
from reminders.intake import Answer
from reminders.spool import Spooled

# What says that the database is away, or too slow for all that a person texts, and not that a text is odd.
AWAY: Final = (*database.AWAY, intake.Contended)

Judged = tuple[Verdict, str]  # and whose allowance said it


class Busy(Exception):
    """Every place that texts may have is taken, and there is no spool: later."""


def take_in(*, text: Spooled, judged: Judged | None = None) -> Answer | None:
    """Accept or refuse one text; None where it went to the spool, which answers later.

    `judged` is what `judge` said, where it was asked already. Raises Busy, and what intake and the spool raise
    (Conflict, Contended, Full, the database's errors).
    """
    verdict, why = judged or judge(text=text)
    if verdict is not Verdict.ADMITTED and not _stops(text):
        metrics.SHED.labels(why).inc()
        intake.refuse(message=text.message, received_at=text.received_at)
        body = replies.too_fast(language="en") if verdict is Verdict.TOLD else None
        return Answer(body=body, outcome="refused")
    return _in_its_place(text, lambda: _take(text))


def judge(*, text: Spooled) -> Judged:
    """Take a text from the allowance of its number, and of its block."""
    now = time.monotonic()
    sender = text.sender
    numbers, blocks = _allowances()
    verdict = numbers.take(name=sender, monotonic=now)
    if verdict is not Verdict.ADMITTED:
        return verdict, "number"
    verdict = blocks.take(name=admission.block_of(sender), monotonic=now)
    # Whoever shares a block with a pump is told each time: they did nothing wrong.
    return (verdict if verdict is Verdict.ADMITTED else Verdict.TOLD), "block"


def may_go_with_others(*, text: Spooled) -> bool:
    """Whether its way is to the database, as far as is known: nothing of its number waits in the spool."""
    spool = drainer.spool()
    return spool is None or not (breaker.is_open() or spool.holds(sender=text.sender))


def take_in_together(texts: Sequence[Spooled]) -> list[Answer | Arrival | Exception]:
    """Accept texts of different numbers that were let in: the answer of each, or what is to go alone, or its error.

    Waits for the database, for all of them as long as for one.
    """
    found: list[Answer | Arrival | Exception] = [_read(text) for text in texts]
    plain = {at: one for at, one in enumerate(found) if isinstance(one, Arrival) and one.plain}
    if not plain:
        return found
    try:
        with within(seconds=settings.RINGBACK_ACCEPT_SECONDS) if drainer.spool() else nullcontext():
            answers = intake.accept_together(list(plain.values()))
            taken = {at: answer for at, answer in zip(plain, answers, strict=True) if answer is not None}
            tell_dispatchers(due=[(answer.due_at, texts[at].received_at) for at, answer in taken.items()])
    except DatabaseError as error:  # whether they were written is not known
        return [error if at in plain else one for at, one in enumerate(found)]
    finally:
        close_old_connections()
    return [taken.get(at, one) for at, one in enumerate(found)]


def take_in_alone(*, text: Spooled, arrived: Arrival) -> Answer | None:
    """`take_in`, of what came out of a batch and has its number's turn."""
    return _in_its_place(text, lambda: intake.accept_alone(arrived=arrived))


def tell_dispatchers(*, due: Sequence[tuple[datetime | None, datetime]]) -> None:
    """Where one of these new timers (when it is due, when it was asked for) is near; after their commit.

    It may be lost: the dispatchers poll.
    """
    if any(due_at is not None and dispatch.needs_notice(due_at=due_at, now=asked_at) for due_at, asked_at in due):
        with suppress(DatabaseError):
            dispatch.notify()


def _read(text: Spooled) -> Arrival | Exception:
    try:
        return arrival.read(
            message=text.message,
            received_at=text.received_at,
            trace_context=text.trace_context,
            snooze_seconds=settings.RINGBACK_SNOOZE_SECONDS,
            answers=True,
        )
    except Exception as error:  # noqa: BLE001  # the one that cannot be read fails alone
        return error


def _in_its_place(text: Spooled, take: Callable[[], Answer]) -> Answer | None:
    places = _places()
    if places.take():
        try:
            return _by_its_way(text, take)
        finally:
            places.give_back()
    if _stops(text):  # never waits for a place
        return _by_its_way(text, take)
    metrics.SHED.labels("busy").inc()
    if drainer.spool() is None:
        raise Busy
    drainer.keep(text=text, why="busy")
    return None


def _stops(text: Spooled) -> bool:
    if text.message.opt_out == "STOP":
        return True
    body = text.message.body
    return any(
        grammar.understand(body, text.received_at, "UTC", True, language).kind == "stop"
        for language in languages.codes()
    )


def _by_its_way(text: Spooled, take: Callable[[], Answer]) -> Answer | None:
    spool = drainer.spool()
    if spool is None:
        return take()
    if spool.holds(sender=text.sender):
        drainer.keep(text=text, why="behind")
        return None
    if breaker.is_open():
        drainer.keep(text=text, why="breaker")
        return None
    try:
        with within(seconds=settings.RINGBACK_ACCEPT_SECONDS):
            return take()
    except AWAY:  # it may have been written all the same: then the drain finds it, and changes nothing
        drainer.keep(text=text, why="failed")
        return None


def _take(text: Spooled) -> Answer:
    return intake.accept(
        message=text.message,
        received_at=text.received_at,
        trace_context=text.trace_context,
        snooze_seconds=settings.RINGBACK_SNOOZE_SECONDS,
    )


@cache
def _allowances() -> tuple[Allowances, Allowances]:
    return (
        Allowances(per_minute=settings.RINGBACK_TEXTS_PER_MINUTE, names_max=limits.ALLOWANCES_MAX),
        Allowances(per_minute=settings.RINGBACK_BLOCK_TEXTS_PER_MINUTE, names_max=limits.ALLOWANCES_MAX),
    )


@cache
def _places() -> Places:
    return Places(places_max=settings.RINGBACK_TEXT_THREADS or settings.RINGBACK_WEB_THREADS)
