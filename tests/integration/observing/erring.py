"""A process of ours that meets errors: run by test_errors.py with a DSN of its own, or none."""

import asyncio
import gc
import os
import sys
import threading

import django


def main() -> None:
    """Meet one cause three times and another once, inside a span; say what is loaded and what headers would have."""
    number, words = sys.argv[1:3]
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


def uncaught() -> None:
    """Meet errors that nobody catches: in a thread, in a loop's callback, and in a task that nobody awaits."""
    number, words = sys.argv[1:3]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from config import telemetry

    loop = asyncio.new_event_loop()
    threads = [
        threading.Thread(target=_fail, args=(number, words), name="drain"),
        threading.Thread(target=sys.exit, name="ends"),
    ]
    for thread in threads:
        thread.start()
        thread.join(timeout=60)  # one after the other, so that no two lines of the log become one
    runs = threading.Thread(target=loop.run_forever, name="carrier")
    runs.start()

    async def begin() -> None:
        loop.call_soon(loop.create_task, _never_awaited(number))
        loop.call_soon(_fail, number, words)

    asyncio.run_coroutine_threadsafe(begin(), loop).result(timeout=60)
    loop.call_soon_threadsafe(loop.call_later, 0.1, loop.stop)
    runs.join(timeout=60)
    gc.collect()
    loop.close()
    print("lives on")
    telemetry.flush()


async def _never_awaited(number: str) -> None:
    raise KeyError(number)


def _fail(number: str, words: str) -> None:
    secret = f"{number} wrote {words}"
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        raise ValueError(f"DETAIL: Key (number)=({number}) already exists: {words}") from error


if __name__ == "__main__":
    uncaught() if "uncaught" in sys.argv else main()
