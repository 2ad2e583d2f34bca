"""A text at the door: whether it is let in, and which way it goes. The edge that intake, spool and admission share.

What is let in ends in the database or in the spool. What is not was either refused for good (too many texts of one
number: kept by its key, told once, free) or sent away for now, which a carrier repeats or keeps in its list.
"""

import time
from functools import cache
from typing import Final

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError

from billing import breaker
from billing.deadline import within
from reminders import admission, drainer, grammar, intake, languages, limits, metrics, replies
from reminders.admission import Allowances, Places, Verdict
from reminders.intake import Answer
from reminders.spool import Spooled

# What says that the database is away, or too slow for all that a person texts, and not that a text is odd.
AWAY: Final = (OperationalError, InterfaceError, InternalError, intake.Contended)


class Busy(Exception):
    """Every place that texts may have is taken, and there is no spool: later."""


def take_in(*, text: Spooled) -> Answer | None:
    """Accept or refuse one text; None where it went to the spool, which answers later.

    Raises Busy, and what intake and the spool raise (Conflict, Contended, Full, the database's errors).
    """
    verdict, why = _allowance(text.sender)
    if verdict is not Verdict.ADMITTED and not _stops(text):
        metrics.SHED.labels(why).inc()
        intake.refuse(message=text.message, received_at=text.received_at)
        body = replies.too_fast(language="en") if verdict is Verdict.TOLD else None
        return Answer(body=body, outcome="refused")
    places = _places()
    if places.take():
        try:
            return _by_its_way(text)
        finally:
            places.give_back()
    if _stops(text):  # never waits for a place
        return _by_its_way(text)
    metrics.SHED.labels("busy").inc()
    if drainer.spool() is None:
        raise Busy
    drainer.keep(text=text, why="busy")
    return None


def _allowance(sender: str) -> tuple[Verdict, str]:
    now = time.monotonic()
    numbers, blocks = _allowances()
    verdict = numbers.take(name=sender, monotonic=now)
    if verdict is not Verdict.ADMITTED:
        return verdict, "number"
    verdict = blocks.take(name=admission.block_of(sender), monotonic=now)
    # Whoever shares a block with a pump is told each time: they did nothing wrong.
    return (verdict if verdict is Verdict.ADMITTED else Verdict.TOLD), "block"


def _stops(text: Spooled) -> bool:
    if text.message.opt_out == "STOP":
        return True
    body = text.message.body
    return any(
        grammar.understand(body, text.received_at, "UTC", True, language).kind == "stop"
        for language in languages.codes()
    )


def _by_its_way(text: Spooled) -> Answer | None:
    spool = drainer.spool()
    if spool is None:
        return _take(text)
    if spool.holds(sender=text.sender):
        drainer.keep(text=text, why="behind")
        return None
    if breaker.is_open():
        drainer.keep(text=text, why="breaker")
        return None
    try:
        with within(seconds=settings.RINGBACK_ACCEPT_SECONDS):
            return _take(text)
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
