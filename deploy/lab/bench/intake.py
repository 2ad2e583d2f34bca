"""Intake: full webhooks over HTTP, as fast as 32 connections can, against bare endpoints that do one INSERT.

Alone: `make bench ARGS="intake"`; faster: `ARGS="intake --quick"`; two web processes: `ARGS="intake --processes 2"`.

Ours does everything: signature, dedupe, understanding, message, reminder, occurrence, timers, charge, event, reply,
metrics. New texts each time from 20,000 known numbers and one in ten from a number never seen. All sides: the same
load generator, 32 keep-alive connections, the same server with fsync on, the same number of web processes. Every
answer other than 200 is counted as failed. Half-rate latency is an open model: it counts from the scheduled instant.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

from deploy.lab.bench import load, seeding, texts
from deploy.lab.bench.figures import latency, ratios, spread
from deploy.lab.bench.peers import programs
from deploy.lab.bench.processes import load_average, usage
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System

NAME: Final = "intake"
PEERS: Final = ("fastapi", "fastapi, plain uvicorn", "django")
_CONNECTIONS: Final = 32
_KNOWN: Final = 20_000
_REQUESTS_PER_SECOND_MAX: Final = 6_000
_PEER_PORT: Final = 50


class _Ours:
    """Makes the requests of one round and sends them; new texts and new numbers each time."""

    def __init__(self, system: System, processes: int) -> None:
        self._system = system
        self._new_from = 1_000_000
        self.targets = [("127.0.0.1", system.port + number) for number in range(processes)]

    def requests(self, count: int) -> list[bytes]:
        found = self._system.interface
        self._new_from += count
        return texts.webhooks(
            count=count,
            known=_KNOWN,
            new_from=self._new_from,
            base=found["public_base"],
            host=f"127.0.0.1:{self._system.port}",
            account_sid=found["account_sid"],
            auth_token=found["auth_token"],
            service_number=found["service_number"],
            seed=time.time_ns(),
        )

    def quiet(self) -> None:
        """The look-ups of replies that nobody confirmed would be the next round's load."""
        with self._system.connect("owner") as owner:
            seeding.clear_timers(owner)


def measure(system: System, options: Options, results: Results) -> None:
    """Interleaved rounds of every side, then half of the top rate in an open model."""
    programs.prepare(system)
    with system.connect("owner") as owner:
        seeding.people(owner, count=_KNOWN)
    ours = _Ours(system, options.processes)
    load.closed(targets=ours.targets, requests=ours.requests(1_500), connections=_CONNECTIONS, seconds=3)
    found: dict[str, list[float]] = {name: [] for name in ("ours", *PEERS, "pgbench")}
    loads: list[float] = []
    failed = requests = 0
    cpu: list[dict[str, int]] = []
    peers_us: dict[str, list[int]] = {peer: [] for peer in PEERS}
    for round_ in range(options.rounds):
        loads.append(load_average())
        ours.quiet()
        run, costs = _our_round(system, ours, options.seconds)
        failed, requests = failed + run.failed, requests + run.sent
        found["ours"].append(run.per_second)
        cpu.append(costs)
        for peer in PEERS:
            rate, peer_us = _peer_round(system, peer, options)
            found[peer].append(rate)
            peers_us[peer].append(peer_us)
        programs.empty(system)
        # Two processes of everything leave fewer of the server's connections.
        clients = _CONNECTIONS // options.processes
        found["pgbench"].append(programs.pgbench(system, clients=clients, seconds=options.seconds))
        say(f"intake {round_ + 1}: " + ", ".join(f"{name} {rates[-1]:.0f}/s" for name, rates in found.items()))
        say(f"  processor µs per request: {costs}; failed {run.failed}")
    top = spread(found["ours"]).median
    results.add(
        NAME,
        processes=options.processes,
        n=requests,
        failed=failed,
        sides={name: spread(rates) for name, rates in found.items()},
        ratios={name: ratios(found["ours"], rates) for name, rates in found.items() if name != "ours"},
        half=_half(ours, top / 2, options),
        cpu_us={name: round(sum(one.get(name, 0) for one in cpu) / len(cpu)) for name in cpu[0]},
        peers_us={peer: round(sum(costs) / len(costs)) for peer, costs in peers_us.items()},
        load=spread(loads),
    )
    ours.quiet()


def _our_round(system: System, ours: _Ours, seconds: float) -> tuple[load.Run, dict[str, int]]:
    requests = ours.requests(round(seconds * _REQUESTS_PER_SECOND_MAX / 2))
    before = system.usage()
    run = load.closed(targets=ours.targets, requests=requests, connections=_CONNECTIONS, seconds=seconds)
    after = system.usage()
    costs = {
        name: round((after[name].cpu_seconds - before[name].cpu_seconds) / max(1, run.good) * 1e6)
        for name in after
        if name in before and name not in ("carrier", "supervisor")
    }
    return run, costs


def _peer_round(system: System, peer: str, options: Options) -> tuple[float, int]:
    """Its requests a second, and the processor time of one, Postgres's included."""
    programs.empty(system)
    first = system.port + _PEER_PORT
    with programs.serving(system, peer, processes=options.processes, first_port=first) as pids:
        targets = [("127.0.0.1", first + number) for number in range(options.processes)]
        requests = texts.rows(
            count=round(options.seconds * _REQUESTS_PER_SECOND_MAX), host=f"127.0.0.1:{first}", seed=time.time_ns()
        )
        load.closed(targets=targets, requests=requests[:500], connections=_CONNECTIONS, seconds=1)
        served = [*pids, system.pid("postgres-1")]
        before = sum(usage(pid).cpu_seconds for pid in served)
        run = load.closed(targets=targets, requests=requests[500:], connections=_CONNECTIONS, seconds=options.seconds)
        spent = sum(usage(pid).cpu_seconds for pid in served) - before
        if run.failed:
            say(f"  {peer}: {run.failed} of {run.sent} failed {dict(run.statuses)}")
        return run.per_second, round(spent / max(1, run.good) * 1e6)


def _half(ours: _Ours, rate: float, options: Options) -> dict[str, Any]:
    """Latency at half of the top rate, from each request's scheduled instant."""
    ours.quiet()
    requests: Sequence[bytes] = ours.requests(round(rate * options.seconds * 2))
    run = load.scheduled(targets=ours.targets, requests=requests, connections=_CONNECTIONS, rate=rate)
    found = latency(run.latencies)
    say(f"intake at {rate:.0f}/s: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms, failed {run.failed}")
    return {
        "rate": rate,
        "n": found.n,
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "max_ms": found.max_ms,
        "failed": run.failed,
    }
