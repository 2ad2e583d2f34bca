"""What the edges hand to the stages: the carrier, the policy and the clock, from the settings."""

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings

from reminders import grammar, metrics, phone
from reminders.carriers.account import Account
from reminders.carriers.base import Carrier
from reminders.carriers.twilio import NAME, Twilio
from reminders.clock import Looker
from reminders.dispatch import Pacing
from reminders.quiet import Misfire
from reminders.retry import Policy
from reminders.spending import Bounds

log = structlog.get_logger()

SECOND: Final = "twilio-2"


@cache
def policy() -> Policy:
    return Policy(
        attempts=settings.RINGBACK_CALL_ATTEMPTS,
        retry_seconds=settings.RINGBACK_RETRY_SECONDS,
        snooze_seconds=settings.RINGBACK_SNOOZE_SECONDS,
        ring_timeout_seconds=settings.RINGBACK_RING_TIMEOUT_SECONDS,
        lookup_horizon_seconds=settings.RINGBACK_LOOKUP_HORIZON_SECONDS,
        freshness_seconds=settings.RINGBACK_FRESHNESS_SECONDS,
        lease_seconds=settings.RINGBACK_LEASE_SECONDS,
        detect_machines=settings.RINGBACK_MACHINE_DETECTION,
        misfire=Misfire(
            quiet=settings.RINGBACK_QUIET_HOURS,
            grace_seconds=settings.RINGBACK_QUIET_GRACE_SECONDS,
            misfire_seconds=settings.RINGBACK_MISFIRE_SECONDS,
        ),
    )


@cache
def carrier() -> Carrier:
    return Twilio(
        base=settings.RINGBACK_TWILIO_BASE,
        account_sid=settings.RINGBACK_TWILIO_ACCOUNT_SID,
        auth_token=settings.RINGBACK_TWILIO_AUTH_TOKEN,
        service_number=settings.RINGBACK_SERVICE_NUMBER,
        public_base=settings.RINGBACK_PUBLIC_BASE,
        waiting=settings.RINGBACK_TWILIO_WAITING,
    )


def carriers() -> tuple[Carrier, ...]:
    """Every account, the preferred one first."""
    return accounts() or (carrier(),)


@cache
def accounts() -> tuple[Account, ...]:
    """The accounts, where there are two; empty where there is one."""
    if not settings.RINGBACK_TWILIO_2_ACCOUNT_SID:
        return ()
    second = Twilio(
        name=SECOND,
        base=settings.RINGBACK_TWILIO_2_BASE,
        account_sid=settings.RINGBACK_TWILIO_2_ACCOUNT_SID,
        auth_token=settings.RINGBACK_TWILIO_2_AUTH_TOKEN,
        service_number=settings.RINGBACK_SERVICE_NUMBER_2,
        public_base=settings.RINGBACK_PUBLIC_BASE,
        waiting=settings.RINGBACK_TWILIO_2_WAITING,
    )
    return tuple(Account(carrier=one, tell=_tell_breaker) for one in (carrier(), second))


def carrier_named(name: str) -> Carrier:
    """The account that was asked; the first where it is gone."""
    return next((one for one in carriers() if one.name == name), carriers()[0])


def signer(account_sid: str) -> tuple[str, str]:
    """The account that a webhook says it is from: its name, and the token that it must be signed with."""
    if account_sid and account_sid == settings.RINGBACK_TWILIO_2_ACCOUNT_SID:
        return SECOND, settings.RINGBACK_TWILIO_2_AUTH_TOKEN
    return NAME, settings.RINGBACK_TWILIO_AUTH_TOKEN


def _tell_breaker(name: str, *, is_open: bool) -> None:
    metrics.CARRIER_BREAKER_OPEN.labels(name).set(is_open)
    if is_open:
        log.warning("carrier.breaker_opened", account=name)


@cache
def pacing() -> Pacing:
    return Pacing(
        account=settings.RINGBACK_TWILIO_ACCOUNT_SID,
        calls_per_second=settings.RINGBACK_CALLS_PER_SECOND,
        concurrent_calls=settings.RINGBACK_CONCURRENT_CALLS,
    )


@cache
def bounds() -> Bounds:
    return Bounds(
        calls_per_hour=settings.RINGBACK_CALLS_PER_HOUR,
        minor_per_day=settings.RINGBACK_SPEND_MINOR_PER_DAY,
        call_cost_minor=settings.RINGBACK_CALL_COST_MINOR,
    )


def warm_up() -> None:
    """Load the tables of the reader and of the numbers, so that no first message waits for them (0.2 s)."""
    grammar.understand("Remind in 1 minute about tea", datetime.now(tz=UTC), "UTC")
    phone.parse(settings.RINGBACK_SERVICE_NUMBER)


def looker() -> Looker:
    """This machine's boot and its monotonic clock, now."""
    return Looker(boot=_boot(), monotonic_ms=time.monotonic_ns() // 1_000_000)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # macOS: its monotonic clock starts at boot, so the boot's minute names it
        return f"boot-{int((time.time() - time.monotonic()) // 60)}"
