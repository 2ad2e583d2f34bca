"""Times the dispatcher's own statements: `python -m deploy.lab.bench.claiming CLAIMS SECONDS`, one line of JSON.

Run in the environment of the measured system. So many claims of 500 are made of rows that are due, each committed as
the dispatcher commits it; with 0 nothing is claimed. Then the idle scan is timed for so many seconds.
"""

import itertools
import json
import os
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reminders.dispatch import Claimer

_SCANS_TO_A_FULL: Final = 9  # a dispatcher makes some hundred: what a full one reads would be a load of its own

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main() -> None:
    """Say what the statements cost."""
    import django

    django.setup()
    from deploy.lab.bench.figures import latency
    from reminders import dispatch

    claims, seconds = int(sys.argv[1]), float(sys.argv[2])
    pacing = dispatch.Pacing(account="bench", calls_per_second=0, concurrent_calls=1_000_000)
    claimer = dispatch.Claimer(pacing=pacing, lease_seconds=15)
    found: dict[str, object] = {}
    if claims:
        times, cpu_ms = _claims(claimer, claims)
        found |= {"claim": asdict(latency(times)), "claim_cpu_ms": cpu_ms}
    full, scan = _scans(claimer, seconds=seconds, pause=0.05)
    print(json.dumps({**found, "full": asdict(latency(full)), "scan": asdict(latency(scan))}))


def _claims(claimer: "Claimer", claims: int) -> tuple[list[float], float]:
    """Seconds of each claim, and the processor time of one: the server's and the dispatcher's own, in milliseconds."""
    from django.db import connection

    from billing.database import uuid7
    from deploy.lab.bench.processes import usage
    from reminders.limits import CLAIM_MAX

    since = claimer._look().first_ring  # noqa: SLF001
    assert since, "nothing was due"  # all of it at one instant: each claim passes what those before have leased
    server = connection.connection.info.backend_pid
    spent = usage(server, alone=True).cpu_seconds, time.process_time()
    times = []
    for _ in range(claims):
        token = uuid7()
        began = time.perf_counter()
        rows = claimer._claim("rings", token, CLAIM_MAX, since=since)  # noqa: SLF001
        times.append(time.perf_counter() - began)
        assert len(rows) == CLAIM_MAX, f"{len(rows)} were due, not {CLAIM_MAX}"
        time.sleep(0.02)
    cpu = usage(server, alone=True).cpu_seconds - spent[0] + time.process_time() - spent[1]
    with connection.cursor() as cursor:
        # Out of the way of the idle scan that follows.
        cursor.execute(
            "UPDATE reminders_timer SET wake_at = now() + interval '1 hour'"
            " WHERE kind = 'ring' AND wake_at <= now() + interval '1 minute'"
        )
    return times, cpu / claims * 1000


def _scan(claimer: "Claimer", *, full: bool) -> None:
    """What the dispatcher asks when nothing is due; `full` begins at the very start, as it does once a minute."""
    from reminders import dispatch

    if full:
        claimer._low_water.update(rings=dispatch.EPOCH, others=dispatch.EPOCH)  # noqa: SLF001
    claimer._allowed(claimer._look().due, time.monotonic())  # noqa: SLF001
    dispatch.next_wake_seconds(claimer=claimer)


def _scans(claimer: "Claimer", *, seconds: float, pause: float) -> tuple[list[float], list[float]]:
    """How long the full scans took, and the others: in turn, for so long."""
    for _ in range(6):
        _scan(claimer, full=True)  # planned and prepared, as in a dispatcher that has run for a while
    times: tuple[list[float], list[float]] = ([], [])
    until = time.monotonic() + seconds
    kinds = itertools.cycle((True, *[False] * _SCANS_TO_A_FULL))
    while time.monotonic() < until or not all(times):
        full = next(kinds)
        began = time.perf_counter()
        _scan(claimer, full=full)
        times[not full].append(time.perf_counter() - began)
        time.sleep(pause)
    return times


if __name__ == "__main__":
    main()
