"""Times the queries of `trace`: `python -m deploy.lab.bench.telling NUMBER …`, one line of JSON.

Run in the environment of the measured system. Everybody is asked for once, then once more: seconds from the number to
the whole history, in a snapshot of its own as the command takes it.
"""

import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main() -> None:
    """Say how long each took, and how many events the shortest history has."""
    import django

    django.setup()
    from django.db import connection

    connection.ensure_connection()
    events: list[int] = []
    first, again = ([_told(number, events) for number in sys.argv[1:]] for _ in range(2))
    print(json.dumps({"first": first, "again": again, "events": min(events)}))


def _told(number: str, events: list[int]) -> float:
    from reminders import history, limits

    began = time.perf_counter()
    with history.lately(seconds=limits.AUDIT_SECONDS):
        person = history.person(number=number)
        assert person is not None
        found = history.trace(person=person, at=None)
    took = time.perf_counter() - began
    events.append(len(found.events))
    return took


if __name__ == "__main__":
    main()
