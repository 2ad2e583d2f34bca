"""What the edges hand to the stages: the carrier, the policy and the clock, from the settings."""

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from reminders import grammar, phone
from reminders.carriers.base import Carrier
from reminders.carriers.twilio import Twilio
from reminders.clock import Looker
from reminders.dispatch import Pacing
from reminders.quiet import Misfire
from reminders.retry import Policy


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
    )


@cache
def pacing() -> Pacing:
    return Pacing(
        account=settings.RINGBACK_TWILIO_ACCOUNT_SID,
        calls_per_second=settings.RINGBACK_CALLS_PER_SECOND,
        concurrent_calls=settings.RINGBACK_CONCURRENT_CALLS,
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
