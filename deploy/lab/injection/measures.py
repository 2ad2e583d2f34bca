"""What shows a fault's effect: round trips to an instance or through a link, each bounded in time."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import listeners
from deploy.lab.injection.targets import Link, links, superuser_url
from deploy.local import records
from deploy.local.home import Home, read_environment

ROUND_TRIP_SECONDS: Final = 1.0


def answers(home: Home, name: str, *, seconds: float = ROUND_TRIP_SECONDS) -> bool:
    """Whether an instance answers a question that only a working one can; if it listens nowhere, whether it lives."""
    if name not in listeners(home):
        process = records.read(home).get(name)
        return process is not None and process.lives()
    return round_trip_ms(home, name, seconds=seconds) is not None


def round_trip_ms(home: Home, name: str, *, seconds: float = ROUND_TRIP_SECONDS) -> float | None:
    """How long the instance took to answer; None where it did not in time, or was not there."""
    port = listeners(home).get(name)
    return None if port is None else _timed(home, _kind(name), port, seconds)


def through_ms(home: Home, link: Link, *, seconds: float = ROUND_TRIP_SECONDS) -> float | None:
    """How long the server behind a link took to answer through it, by a connection of its own."""
    return _timed(home, _kind(link.name.rpartition("→")[2]), link.port, seconds)


def link(home: Home, name: str) -> Link:
    """The link of that name. FaultError where there is none."""
    for one in links(home):
        if one.name == name:
            return one
    raise FaultError(f"There is no link {name}.")


def told(milliseconds: float | None, *, seconds: float = ROUND_TRIP_SECONDS) -> str:
    """A round trip in words."""
    return f"no answer within {seconds:g} s" if milliseconds is None else f"{milliseconds:.1f} ms"


def http_get(port: int, path: str, *, seconds: float = ROUND_TRIP_SECONDS) -> tuple[int, str, dict[str, str]]:
    """One GET on the loopback: status, body, headers in small letters. OSError where there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read(1 << 20).decode("utf-8", "replace")
        return reply.status, body, {name.lower(): value for name, value in reply.getheaders()}
    except http.client.HTTPException as problem:
        raise OSError(str(problem)) from problem
    finally:
        connection.close()


def readyz(home: Home, name: str = "web-1", *, seconds: float = ROUND_TRIP_SECONDS) -> tuple[int, Any]:
    """What /readyz of a web instance says: its status, and which way is open. (0, None) without an answer."""
    with suppress(OSError, ValueError):
        status, body, _ = http_get(listeners(home)[name], "/readyz", seconds=seconds)
        return status, json.loads(body)["accept"]
    return 0, None


def sql(home: Home, statement: str, *, node: str = "postgres-1", seconds: float = 5) -> list[tuple[Any, ...]]:
    """What a database says to the superuser, to the last of the statements. FaultError where it does not answer."""
    timeout = f"-c statement_timeout={int(seconds * 1000)}"
    try:
        with psycopg.connect(
            superuser_url(home, listeners(home)[node]), autocommit=True, connect_timeout=2, options=timeout
        ) as connection:
            cursor = connection.execute(statement)
            while cursor.nextset():  # the last of several statements speaks for all
                pass
            return cursor.fetchall()
    except psycopg.Error as problem:
        raise FaultError(f"{node}: {problem}") from None


def commit_seconds(home: Home, node: str) -> float:
    """How long a commit takes that must be on the disk before it is answered. FaultError where there is none."""
    began = time.monotonic()
    sql(home, "SELECT pg_logical_emit_message(true, 'lab', 'x')", node=node)
    return time.monotonic() - began


def redis(home: Home, *words: str, seconds: float = ROUND_TRIP_SECONDS) -> str:
    """Redis's answer to one command, as it came. FaultError where it does not answer."""
    try:
        return _redis_said(home, listeners(home)["redis"], seconds, *words)
    except OSError as problem:
        raise FaultError(f"Redis does not answer ({problem}).") from None


def counter(home: Home, name: str, metric: str) -> float:
    """The sum of a metric's samples at an instance; 0 where it shows none."""
    with suppress(OSError):
        _, text, _ = http_get(listeners(home)[name], "/metrics", seconds=2)
        samples = [line for line in text.splitlines() if line.startswith((metric + "{", metric + " "))]
        return sum(float(line.rpartition(" ")[2]) for line in samples)
    return 0.0


def redis_echo(home: Home, port: int, size: int, *, seconds: float) -> None:
    """Send so many bytes to a Redis and have them back."""
    password = urlsplit(read_environment(home.run / "env")["REDIS_URL"]).password or ""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        said = f"*2\r\n$4\r\nAUTH\r\n${len(password)}\r\n{password}\r\n*2\r\n$4\r\nECHO\r\n${size}\r\n"
        connection.sendall(said.encode() + b"x" * size + b"\r\n")
        got = 0
        while got < size:
            piece = connection.recv(1 << 16)
            if not piece:
                raise OSError("it hung up")
            got += len(piece)


def _kind(name: str) -> str:
    return name.rpartition("-")[0] if name.rpartition("-")[2].isdigit() else name


def _timed(home: Home, kind: str, port: int, seconds: float) -> float | None:
    began = time.monotonic()
    with suppress(OSError, psycopg.Error):
        if kind == "postgres":
            _select_one(home, port, seconds)
        elif kind == "redis":
            if _redis_said(home, port, seconds, "PING") != "+PONG":
                return None
        elif http_get(port, _PATHS.get(kind, "/metrics"), seconds=seconds)[0] >= 400:
            return None
        return (time.monotonic() - began) * 1000
    return None


_PATHS: Final = {"web": "/livez", "proxy": "/livez", "carrier": "/sim/behaviour"}


def _select_one(home: Home, port: int, seconds: float) -> None:
    """The connection and one statement, in `seconds`, also where the server accepts and never speaks."""
    watched = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    with watched:
        # A startup packet asks for TLS, which is answered with one byte by a server that works: nothing to read
        # means that libpq would wait for longer than its least timeout of 2 s.
        watched.settimeout(seconds)
        watched.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        if not watched.recv(1):
            raise OSError("it hung up")
    with psycopg.connect(superuser_url(home, port), autocommit=True, connect_timeout=2) as connection:
        connection.execute("SELECT 1")


def _redis_said(home: Home, port: int, seconds: float, *words: str) -> str:
    password = urlsplit(read_environment(home.run / "env")["REDIS_URL"]).password or ""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        for command in (("AUTH", password), words):
            said = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in command)
            connection.sendall(f"*{len(command)}\r\n{said}".encode())
            answer = connection.recv(1 << 16).decode("utf-8", "replace")
            if not answer:
                raise OSError("it hung up")
    return answer.strip()
