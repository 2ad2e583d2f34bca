"""Cost of looking: processor time of the web for one text, with each part of looking switched on alone, and with all.

Alone: `make bench ARGS="looking"`. The same webhooks as `intake`, to web processes that differ in their settings only
and stand side by side on one system; each round asks one after the other, every second round in the opposite order. A
side that counts is scraped once a round; spans go to the embedded receiver, a process of its own that is counted apart.
Compared within a round, so that the machine's mood is the same.
"""

import contextlib
import http.client
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Final

from deploy.lab.bench import load, seeding, texts
from deploy.lab.bench.figures import ratios, spread
from deploy.lab.bench.processes import load_average, usage
from deploy.lab.bench.results import Options, Results, say
from deploy.lab.bench.system import System, plain
from deploy.local.home import REPOSITORY

NAME: Final = "looking"
NOTHING: Final = "nothing"
EVERYTHING: Final = "everything"
TARGET: Final = 1.5
_OFF: Final[Mapping[str, str]] = {
    "RINGBACK_METRICS": "0",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "SENTRY_DSN": "",
    "RINGBACK_WEB_CONNECTIONS": "5",  # of each side, so that all of them fit into the server's
    "RINGBACK_TRACE_RATIO": "0.1",
    "OTEL_BSP_SCHEDULE_DELAY": "500",  # milliseconds: what a round made is sent before its end is read
}
_METRICS: Final[Mapping[str, str]] = {"RINGBACK_METRICS": "1"}
_ERRORS: Final[Mapping[str, str]] = {"SENTRY_DSN": "http://public@127.0.0.1:1/1"}
_CONNECTIONS: Final = 32
_KNOWN: Final = 20_000
_REQUESTS_PER_SECOND_MAX: Final = 1_500
_FIRST_PORT: Final = 50
_RECEIVER_PORT: Final = 49
_SENT_SECONDS: Final = 1.0
_START_SECONDS: Final = 60.0


def measure(system: System, options: Options, results: Results) -> None:
    """Interleaved rounds of every side."""
    with system.connect("owner") as owner:
        seeding.people(owner, count=_KNOWN)
    with contextlib.ExitStack() as running:
        receiver = running.enter_context(_receiver(system))
        sides = _sides(system.port + _RECEIVER_PORT)
        webs = {
            name: running.enter_context(_web(system, system.port + _FIRST_PORT + place, {**_OFF, **settings}))
            for place, (name, settings) in enumerate(sides.items())
        }
        for port, _ in webs.values():
            load.closed(targets=[("127.0.0.1", port)], requests=_requests(system, 400), connections=8, seconds=1)
        costs, failed, n, loads, received_us = _rounds(system, options, webs, receiver)
    results.add(
        NAME,
        processes=options.processes,
        n=n,
        failed=failed,
        cpu_us={name: spread(several) for name, several in costs.items()},
        ratios={name: ratios(several, costs[NOTHING]) for name, several in costs.items() if name != NOTHING},
        receiver_us=received_us,
        load=spread(loads),
    )


def _sides(receiver_port: int) -> dict[str, Mapping[str, str]]:
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver_port}"}
    return {
        NOTHING: {},
        "metrics": _METRICS,
        "traces": traces,
        "traces, a span for each statement": {**traces, "RINGBACK_TRACE_STATEMENTS": "1"},
        "errors": _ERRORS,
        EVERYTHING: {**_METRICS, **traces, **_ERRORS},
    }


def _rounds(
    system: System, options: Options, webs: Mapping[str, tuple[int, int]], receiver: int
) -> tuple[dict[str, list[float]], int, int, list[float], int]:
    """Each side's µs per text by round; how many failed and were answered; the load; the receiver's µs per text."""
    costs: dict[str, list[float]] = {name: [] for name in webs}
    loads: list[float] = []
    failed = n = traced = 0
    spent = usage(receiver).cpu_seconds
    for round_ in range(options.rounds):
        loads.append(load_average())
        for name, (port, pid) in list(webs.items())[:: -1 if round_ % 2 else 1]:
            with system.connect("owner") as owner:
                seeding.clear_timers(owner)
            requests = _requests(system, round(options.seconds * _REQUESTS_PER_SECOND_MAX))
            before = usage(pid).cpu_seconds
            run = load.closed(
                targets=[("127.0.0.1", port)], requests=requests, connections=_CONNECTIONS, seconds=options.seconds
            )
            _scrape(port)
            time.sleep(_SENT_SECONDS)
            costs[name].append((usage(pid).cpu_seconds - before) / max(1, run.good) * 1e6)
            failed, n = failed + run.failed, n + run.sent
            traced += run.good if "traces" in name or name == EVERYTHING else 0
        told = ", ".join(f"{name} {several[-1]:.0f}" for name, several in costs.items())
        say(f"looking {round_ + 1}: µs of the web per text: {told}")
    return costs, failed, n, loads, round((usage(receiver).cpu_seconds - spent) / max(1, traced) * 1e6)


_new: Final = itertools.count(1_000_000, 10_000)  # numbers never seen, of which one batch takes some hundreds


def _requests(system: System, count: int) -> list[bytes]:
    found = system.interface
    return texts.webhooks(
        count=count,
        known=_KNOWN,
        new_from=next(_new),
        base=found["public_base"],
        host=f"127.0.0.1:{system.port}",
        account_sid=found["account_sid"],
        auth_token=found["auth_token"],
        service_number=found["service_number"],
        seed=time.time_ns(),
    )


def _scrape(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    connection.getresponse().read()
    connection.close()


@contextlib.contextmanager
def _web(system: System, port: int, settings: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """A web process with these settings besides the system's own: its port and pid."""
    environment = {"PORT": str(port), "RINGBACK_INSTANCE": f"web-{port}", **settings}
    with _program(system, ["-m", "deploy.local.web"], environment) as pid:
        _await_listener(port, "/livez")
        yield port, pid


@contextlib.contextmanager
def _receiver(system: System) -> Iterator[int]:
    """The embedded trace store's receiver: its pid."""
    port = system.port + _RECEIVER_PORT
    place = system.home / "bench-traces" / "spans.sqlite"
    environment = {"RINGBACK_TRACE_STORE": str(place), "RINGBACK_TRACE_PORT": str(port)}
    with _program(system, ["-m", "config.observing.receiver"], environment) as pid:
        _await_listener(port, "/livez")
        yield pid


@contextlib.contextmanager
def _program(system: System, words: list[str], settings: Mapping[str, str]) -> Iterator[int]:
    environment = {**plain(), "RINGBACK_HOME": str(system.home), **settings}
    with (system.home / "bench-looking.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=REPOSITORY, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait(5)


def _await_listener(port: int, path: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        connection.close()
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers on {port}")
