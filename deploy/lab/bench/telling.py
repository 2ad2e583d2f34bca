"""Times the queries of `trace`: `python -m deploy.lab.bench.telling NUMBER …`, one line of JSON.

Run in the environment of the measured system. The first is asked for on a new connection, whose server process knows no
table yet, as for the command; then everybody once, and once more, as for a page: seconds from the number to the whole
history, in a snapshot of its own.
"""

import gc
import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main() -> None:
    """Say how long each took, what processor time one cost, and how many events the shortest history has."""
    import django

    django.setup()
    from django.db import connection

    gc.freeze()  # as the web and the commands do

    from deploy.lab.bench.processes import usage

    connection.ensure_connection()
    server = connection.connection.info.backend_pid
    events: list[int] = []
    newcomer, *others = sys.argv[1:]
    new = [_told(newcomer, events)]
    spent = usage(server, alone=True).cpu_seconds, time.process_time()
    first, again = ([_told(number, events) for number in others] for _ in range(2))
    asked = 2 * len(others)
    cpu_ms = {
        "server": round((usage(server, alone=True).cpu_seconds - spent[0]) / asked * 1000, 1),
        "command": round((time.process_time() - spent[1]) / asked * 1000, 1),
    }
    print(json.dumps({"new": new, "first": first, "again": again, "events": min(events), "cpu_ms": cpu_ms}))


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
