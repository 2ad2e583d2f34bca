"""Burst: 20,000 reminders due at one instant, through dispatcher, Redis and Celery worker to the HTTP carrier.

Alone: `make bench ARGS="burst"`; faster: `make bench ARGS="burst --quick"`; two workers: `ARGS="burst --processes 2"`.

A round is over when the last outcome is committed and the carrier has the last call, whichever is later; its rate
is calls over the time since the due instant. The peer is a bare SKIP LOCKED loop (`peers/skip_locked.py`) that posts
to the same carrier with the same client and connections. Before each round the carrier forgets everything, its own
pace is out of the way, and the phones do not ring while the clock runs: ringing is the carrier's work, not ours.
Lost and repeated calls are counted in the carrier's own record.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from deploy.lab.bench import seeding
from deploy.lab.bench.figures import ratios, repeated, spread
from deploy.lab.bench.processes import load_average
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System
from deploy.lab.bench.texts import number

NAME: Final = "burst"
SILENT: Final[Mapping[str, object]] = {
    "calls_per_second": 1_000_000,
    "callbacks": 0.0,
    "answer": "never",
    "ring_after_seconds": 3600,
}
# Every call is picked up, hears its words and presses 1: four callbacks, one request for words, one for the key.
TALKING: Final[Mapping[str, object]] = {
    "calls_per_second": 1_000_000,
    "callbacks": 1.0,
    "answer": "always",
    "answer_after_seconds": 0.2,
    "ring_after_seconds": 0.05,
    "press": "1",
}
_DUE_IN_SECONDS: Final = 1.0
_SEED_SECONDS_PER_ROW: Final = 0.00015
_WAIT_SECONDS: Final = 240.0
_PEER: Final = Path(__file__).parent / "peers" / "skip_locked.py"


def measure(system: System, options: Options, results: Results) -> None:
    """Interleaved rounds of the bare loop and of Ringback, then one round with callbacks on."""
    count = options.burst
    with system.connect("owner") as owner:
        seeding.people(owner, count=count)
    ours: list[float] = []
    bare: list[float] = []
    lost = twice = 0
    loads = []
    for round_ in range(options.rounds):
        loads.append(load_average())
        bare.append(_bare_round(system, count))
        one = _round(system, count, SILENT)
        ours.append(one["rate"])
        lost, twice = lost + one["lost"], twice + one["twice"]
        say(f"burst {round_ + 1}: ours {one['rate']:.0f}/s, bare {bare[-1]:.0f}/s")
        say(f"  lost {one['lost']}, twice {one['twice']}; processor µs per call: {one['cpu']}")
    results.add(
        NAME,
        processes=options.processes,
        n=count,
        ours=spread(ours),
        peer=spread(bare),
        ratio=ratios(ours, bare),
        lost=lost,
        twice=twice,
        cpu_us=one["cpu"],
        load=spread(loads),
    )


def measure_with_callbacks(system: System, options: Options, results: Results) -> None:
    """One round with four callbacks for each call: none may be lost."""
    count = options.burst_talking
    with system.connect("owner") as owner:
        seeding.people(owner, count=count)
    load = load_average()
    one = _round(system, count, TALKING)
    found = _await_answered(system, count, one["due"])
    say(f"burst with callbacks: {one['rate']:.0f} calls/s, all answered after {found['seconds']:.1f} s, {found}")
    results.add(
        "burst_callbacks",
        processes=options.processes,
        n=count,
        calls_per_second=one["rate"],
        ended_per_second=count / found["seconds"],
        seconds=found["seconds"],
        answered=found["answered"],
        callbacks_owed=found["owed"],
        lost=one["lost"],
        twice=one["twice"],
        cpu_us=one["cpu"],
        load=load,
    )
    with system.connect("owner") as owner:
        seeding.clear_timers(owner)


def _round(system: System, count: int, behaviour: Mapping[str, object]) -> dict[str, Any]:
    with system.connect("owner") as owner:
        due = _seeded(system, owner, count, behaviour)
        before = system.usage()
        _await_placed(owner, count)
        settled_at = _settled_at(owner, due)
    calls = system.calls()
    rung = [call["to"] for call in calls]
    arrived_at = max(datetime.fromisoformat(call["created_at"]).timestamp() for call in calls)
    after = system.usage()
    if behaviour is SILENT:
        with system.connect("owner") as owner:
            seeding.clear_timers(owner)
    return {
        "due": due,
        "rate": count / (max(settled_at, arrived_at) - due),
        "lost": count - len(set(rung)),
        "twice": repeated(rung),
        "cpu": {
            name: round((after[name].cpu_seconds - before[name].cpu_seconds) / count * 1e6)
            for name in after
            if name in before and name not in ("carrier", "supervisor")
        },
    }


def _seeded(system: System, owner: Any, count: int, behaviour: Mapping[str, object]) -> float:
    """Make the rows; when they are due. On a busy machine again with more time, until all are there before that."""
    for patience in (1, 3, 10):
        system.fresh_carrier(**behaviour)
        seeding.clear_timers(owner)
        seconds = (_DUE_IN_SECONDS + count * _SEED_SECONDS_PER_ROW) * patience
        due = seeding.reminders(owner, persons=count, due_in_seconds=seconds, apart_seconds=0.0)
        if due > time.time():
            return due
    raise TimeoutError("the rows of the burst could not be made before they were due")


def _await_placed(owner: Any, count: int) -> None:
    """Until nothing waits to ring: what is not settled then is counted as lost by the carrier's record."""
    until = time.monotonic() + _WAIT_SECONDS
    waits = open_ = True
    while (waits or open_) and time.monotonic() < until:
        time.sleep(0.25)
        # By the index alone, since the one who asks is measured too; what is far from due is another measure's.
        (waits,) = owner.execute(
            "SELECT EXISTS (SELECT FROM reminders_timer WHERE kind = 'ring' AND wake_at < now() + interval '1 hour')"
        ).fetchone()
        if not waits:
            (open_,) = owner.execute(
                "SELECT EXISTS (SELECT FROM reminders_opencall o JOIN reminders_attempt a ON a.id = o.attempt_id"
                " WHERE a.state = 'intended')"
            ).fetchone()
    if waits or open_:
        raise TimeoutError(f"some of {count} reminders still wait after {_WAIT_SECONDS:.0f} s")


def _settled_at(owner: Any, due: float) -> float:
    row = owner.execute(
        "SELECT extract(epoch FROM max(placed_at))::float8"
        " FROM reminders_attempt WHERE intended_at >= to_timestamp(%s)",
        (due,),
    ).fetchone()
    return float(row[0])


def _await_answered(system: System, count: int, due: float) -> dict[str, Any]:
    owner: Any
    until = time.monotonic() + _WAIT_SECONDS
    with system.connect("owner") as owner:
        while True:
            answered, last = owner.execute(
                "SELECT count(*) FILTER (WHERE state = 'ended' AND outcome = 'answered'),"
                " extract(epoch FROM max(ended_at))::float8"
                " FROM reminders_attempt WHERE intended_at >= to_timestamp(%s)",
                (due,),
            ).fetchone()
            if answered >= count or time.monotonic() > until:
                break
            time.sleep(0.5)
        owed = owner.execute(
            "SELECT count(*) FROM reminders_attempt WHERE intended_at >= to_timestamp(%s)"
            " AND (ringing_at IS NULL OR answered_at IS NULL OR call_ended_at IS NULL)",
            (due,),
        ).fetchone()[0]
    return {"answered": answered, "owed": owed, "seconds": (last or time.time()) - due}


def _bare_round(system: System, count: int) -> float:
    system.fresh_carrier(**SILENT)
    address = system.database_url("app", "bench")
    with system.connect("app", "bench") as connection:
        connection.execute("DELETE FROM bench_job")
        connection.execute("DELETE FROM bench_outcome")
        due = time.time() + 2.0
        connection.execute(
            "INSERT INTO bench_job (number, wake_at) SELECT n, to_timestamp(%s) FROM unnest(%s::text[]) AS n",
            (due, [number(position) for position in range(count)]),
        )
        connection.execute("VACUUM (ANALYZE) bench_job, bench_outcome")
    found = system.interface
    environment = {
        **os.environ,
        "BENCH_DATABASE_URL": address,
        "BENCH_ACCOUNT_SID": found["account_sid"],
        "BENCH_AUTH_TOKEN": found["auth_token"],
        "BENCH_SERVICE_NUMBER": found["service_number"],
        "BENCH_WEBHOOKS": f"{found['public_base']}/carriers/twilio",
        "BENCH_CALLS": f"{found['carrier']}/2010-04-01/Accounts/{found['account_sid']}/Calls.json",
    }
    command = [sys.executable, str(_PEER), str(due), str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=_WAIT_SECONDS)
    return count / (float(json.loads(done.stdout)["ended_at"]) - due)
