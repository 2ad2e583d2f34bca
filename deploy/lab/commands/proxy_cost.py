"""./manage.py lab proxy-cost: what the fault proxy adds to a round trip, and how much passes through it."""

import json
import socket
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.lab.faults import FaultError
from deploy.lab.injection.fault import UP
from deploy.lab.injection.scene import listeners
from deploy.lab.injection.targets import links
from deploy.local.home import Home, read_environment

HELP = "Measure what the fault proxy adds: Redis is asked directly and through a link, in turn."
_ROUNDS: Final = 20
_PINGS: Final = 200
_BULK_BYTES: Final = 8 << 20


def add_arguments(parser: ArgumentParser) -> None:
    """How to say it."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Ask in turn, so that what else the machine does strikes both alike."""
    link = next((one for one in links(home) if one.name.endswith("→redis")), None)
    if link is None:
        raise FaultError(f"No fault proxy runs: start the system with {UP}.")
    password = urlsplit(read_environment(home.run / "env")["REDIS_URL"]).password or ""
    ways = {"directly": _opened(listeners(home)["redis"], password), "through a link": _opened(link.port, password)}
    trips: dict[str, list[float]] = {name: [] for name in ways}
    bulk: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, connection in ways.items():
            trips[name] += [_timed(connection, "PING", 7) for _ in range(_PINGS)]
            bulk[name].append(_timed(connection, "ECHO " + "x" * _BULK_BYTES, _BULK_BYTES))
    found = {name: _figures(trips[name], bulk[name]) for name in ways}
    if options["json"]:
        print(json.dumps(found, indent=1))
        return 0
    for name, one in found.items():
        print(f"{name:<15} round trip {one['p50_us']} µs (p99 {one['p99_us']} µs), {one['megabytes_per_second']} MB/s")
    print(f"n = {_ROUNDS * _PINGS} round trips of 14 bytes, {_ROUNDS} of {_BULK_BYTES >> 20} MB each way, in turn")
    return 0


def _opened(port: int, password: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _timed(connection, f"AUTH {password}", 5)
    return connection


def _timed(connection: socket.socket, command: str, answer_bytes: int) -> float:
    words = command.split(" ", 1)
    data = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    began = time.perf_counter()
    connection.sendall(data.encode())
    got = 0
    while got < answer_bytes:
        piece = connection.recv(1 << 20)
        if not piece:
            raise FaultError("Redis hung up in the middle of the measurement.")
        got += len(piece)
    seconds = time.perf_counter() - began
    while answer_bytes > 7 and got < answer_bytes + len(str(answer_bytes)) + 5:
        got += len(connection.recv(64))  # the frame around a large answer
    return seconds


def _figures(trips: list[float], bulk: list[float]) -> dict[str, int]:
    return {
        "p50_us": round(statistics.median(trips) * 1e6),
        "p99_us": round(statistics.quantiles(trips, n=100)[98] * 1e6),
        "megabytes_per_second": round(2 * _BULK_BYTES / statistics.median(bulk) / 1e6),
    }
