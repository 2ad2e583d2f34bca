"""A process of ours that meets errors: run by test_errors.py with a DSN of its own, or none."""

import os
import sys

import django


def main() -> None:
    """Meet one cause three times and another once, inside a span; say what is loaded and what headers would have."""
    number, words = sys.argv[1:]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    import logging

    import structlog
    from opentelemetry import propagate

    from config import telemetry
    from reminders import tracing

    log = structlog.get_logger()
    with tracing.span("intake") as trace_context:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        for _ in range(3):
            try:
                _fail(number, words)
            except ValueError:
                log.exception("webhook.failed", path="/carriers/twilio/sms", attempt="the attempt", sender=number)
        try:
            raise KeyError(number)
        except KeyError:
            logging.getLogger("django.request").exception("Internal Server Error: %s", f"/trace/{number}")
        log.error("alert.fires", alert="RedisAway")
        log.warning("database.away", sender=words)
    print(trace_context, sorted(headers), "sentry_sdk" in sys.modules)
    telemetry.flush()


def _fail(number: str, words: str) -> None:
    secret = f"{number} wrote {words}"
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        raise ValueError(f"DETAIL: Key (number)=({number}) already exists: {words}") from error


if __name__ == "__main__":
    main()
