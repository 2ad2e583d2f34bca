"""Settings that could lose or repeat work are refused at start.

Django runs these before every command; granian and Celery run none, so `wsgi.py` and `celery_app.py` call `refuse()`.
"""

import os
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from reminders import limits, wiring


@register()
def lease_outlives_the_work(**_: Any) -> Iterable[CheckMessage]:
    """A lease that ends while its batch is still being sent would let a second worker begin the same rows."""
    policy = wiring.policy()
    needed = policy.send_within_seconds + policy.request_seconds + limits.SETTLE_SECONDS
    if needed > settings.RINGBACK_LEASE_SECONDS:
        yield Error(
            f"RINGBACK_LEASE_SECONDS is {settings.RINGBACK_LEASE_SECONDS:g}; it must be at least {needed:g}, "
            "the time in which a claimed batch may still be sent and settled.",
            id="ringback.E001",
        )


@register()
def nothing_is_redelivered_behind_our_back(**_: Any) -> Iterable[CheckMessage]:
    """The lease is the only redelivery: Celery's own ways to repeat or delay work are refused."""
    for name in ("CELERY_RESULT_BACKEND", "CELERY_ACKS_LATE", "CELERY_TASK_ACKS_LATE"):
        if os.environ.get(name):
            yield Error(f"{name} is set; unset it: the lease is the only redelivery.", id="ringback.E002")


@register()
def autocommit_is_on(**_: Any) -> Iterable[CheckMessage]:
    """Each statement outside a transaction must commit by itself."""
    database = settings.DATABASES["default"]
    if not database.get("AUTOCOMMIT", True) or database.get("ATOMIC_REQUESTS"):
        yield Error(
            "AUTOCOMMIT must stay on and ATOMIC_REQUESTS off: each stage owns its transaction.",
            id="ringback.E003",
        )


@register()
def secrets_are_set_where_people_are_served(**_: Any) -> Iterable[CheckMessage]:
    """A web instance without the carrier's token would believe anybody, or nobody."""
    if settings.RINGBACK_INSTANCE and not settings.RINGBACK_TWILIO_AUTH_TOKEN:
        yield Error("RINGBACK_TWILIO_AUTH_TOKEN is empty; set it to the carrier account's token.", id="ringback.E004")
    if settings.RINGBACK_TWILIO_2_ACCOUNT_SID and not (
        settings.RINGBACK_TWILIO_2_AUTH_TOKEN
        and settings.RINGBACK_TWILIO_2_BASE
        and settings.RINGBACK_SERVICE_NUMBER_2
        and settings.RINGBACK_TWILIO_2_ACCOUNT_SID != settings.RINGBACK_TWILIO_ACCOUNT_SID
    ):
        yield Error(
            "RINGBACK_TWILIO_2_ACCOUNT_SID is set; set RINGBACK_TWILIO_2_BASE, RINGBACK_TWILIO_2_AUTH_TOKEN and "
            "RINGBACK_SERVICE_NUMBER_2 too, and let the account be another than the first.",
            id="ringback.E006",
        )
    if settings.RINGBACK_INSTANCE and settings.SECRET_KEY.startswith("not-secret"):
        yield Error("RINGBACK_SECRET_KEY is not set; give it a long random value.", id="ringback.E005")


def refuse() -> None:
    """Run every check of ours; exit with its sentences where one fails."""
    checks = (
        lease_outlives_the_work,
        nothing_is_redelivered_behind_our_back,
        autocommit_is_on,
        secrets_are_set_where_people_are_served,
    )
    errors = [message for check in checks for message in check()]
    if errors:
        raise SystemExit("Ringback does not start:\n" + "\n".join(f"  {error.id}: {error.msg}" for error in errors))
