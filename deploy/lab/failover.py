"""Failovers in a row, measured: writes at a rate, the primary's whole node killed again and again, every row counted.

The writes are an open model: each begins at its time whatever became of the ones before. A write that was acknowledged
has to be there at the end. People text meanwhile, so that what is refused is seen as well.
"""

import contextlib
import os
import select
import threading
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any, Final, TypeVar

import psycopg

from deploy.lab import load
from deploy.lab.breaking import Catalogue
from deploy.lab.experiment import Load, Planned
from deploy.lab.injection.scene import listeners
from deploy.lab.injection.targets import postgres_nodes, superuser_url
from deploy.lab.load import ACCEPTED, ANSWER_SECONDS, REFUSED, Player
from deploy.lab.subject import Subject
from deploy.local.home import Home

FAULT: Final = "postgres-primary-killed"
NODES: Final = 3
WRITERS: Final = 10  # each with a connection of its own, and the time of a tenth of the rate
WHOLE_SECONDS: Final = 150.0
_LOOK_SECONDS: Final = 0.1
_LEADS_SECONDS: Final = 0.5  # who leads is asked of each node on a connection of its own: not more often than this
_CONNECT_SECONDS: Final = 2
_AGAIN_SECONDS: Final = 0.05
_RESTS_SECONDS: Final = 2.0  # writes that are seen before each blow
_TABLE: Final = "CREATE TABLE public.lab_failover (n bigint PRIMARY KEY)"
_WRITE: Final = "INSERT INTO public.lab_failover VALUES (%s)"
_KEPT: Final = "SELECT n FROM public.lab_failover"
_FOLLOWERS: Final = (
    "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('quorum', 'sync')"
)
T = TypeVar("T")
_STANDING: Final = "SELECT carrier_sid FROM reminders_messagekey WHERE carrier_sid = ANY (%s)"


class NotWhole(Exception):
    """The nodes were not all in their places in time; the text says which were missing."""


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One failover, in seconds: the longest time without an acknowledged write from the old primary's death on, until
    it followed the new one; and when that was, from its death."""

    killed: str
    follows: str
    writes_back_seconds: float
    rejoined_seconds: float


@dataclass(kw_only=True)
class Found:
    """Everything that was measured."""

    tier: str
    per_second: float
    blows: list[Blow] = field(default_factory=list)
    written: int = 0
    acknowledged: int = 0
    lost: int = 0
    texted: int = 0
    accepted: int = 0
    refused: int = 0
    texts_lost: int = 0

    def figures(self) -> dict[str, Any]:
        """The distribution."""
        back = [one.writes_back_seconds for one in self.blows]
        rejoined = [one.rejoined_seconds for one in self.blows]
        return {
            "writes_back_median_seconds": round(median(back), 2),
            "writes_back_max_seconds": round(max(back), 2),
            "rejoined_median_seconds": round(median(rejoined), 1),
            "rejoined_max_seconds": round(max(rejoined), 1),
        }


class Writer:
    """Rows at their times, from threads that each have one connection; what was acknowledged, and when it had begun.

    While no server takes writes one of them asks for all, as a process of the application does: each try makes
    the nodes that are about to be promoted check a password.
    """

    def __init__(self, *, url: str, per_second: float) -> None:
        self._url = url
        self._pause = WRITERS / per_second
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._scout = threading.Lock()
        self._began = time.monotonic() + 0.2
        self.written = 0
        self.acknowledged: dict[int, float] = {}  # row → when
        self._threads = [threading.Thread(target=self._write, args=(nth,), daemon=True) for nth in range(WRITERS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more; waits for the last answer."""
        self._over.set()
        for thread in self._threads:
            thread.join(30.0)

    def gap_seconds(self, since: float) -> float:
        """The longest time without an acknowledgement, from the last one before this moment on."""
        with self._lock:
            done = sorted(self.acknowledged.values())
        first = max(0, bisect(done, since) - 1)
        return max((later - earlier for earlier, later in pairwise(done[first:])), default=inf)

    def _connect(self) -> psycopg.Connection[Any]:
        with self._scout:
            try:
                return psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
            except psycopg.Error:
                self._over.wait(_AGAIN_SECONDS)
                raise

    def _write(self, nth: int) -> None:
        connection: psycopg.Connection[Any] | None = None
        turn = 0
        while not self._over.is_set():
            at = self._began + (turn + nth / WRITERS) * self._pause
            turn += 1
            late = time.monotonic() - at
            if late > self._pause:
                continue  # its time has passed while the one before waited: never sent, never acknowledged
            self._over.wait(max(0.0, -late))
            row = turn * WRITERS + nth
            with self._lock:
                self.written += 1
            try:
                connection = connection or self._connect()
                connection.execute(_WRITE, [row])
            except psycopg.Error:
                if connection is not None:
                    connection.close()
                connection = None
                continue
            with self._lock:
                self.acknowledged[row] = time.monotonic()
        if connection is not None:
            connection.close()


class Death:
    """When a process died. Striking it takes a busy machine seconds, which are no part of what follows."""

    def __init__(self, pid: int) -> None:
        self._at = time.monotonic()
        self._thread = threading.Thread(target=self._wait, args=(pid,), daemon=True)
        self._thread.start()

    def at(self) -> float:
        """The instant (monotonic); waits for it. Where the system cannot tell, when we began to watch."""
        self._thread.join()
        return self._at

    def _wait(self, pid: int) -> None:
        if not hasattr(os, "pidfd_open"):
            return
        with contextlib.suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            try:
                select.select([watched], [], [], WHOLE_SECONDS)
            finally:
                os.close(watched)
        self._at = time.monotonic()


def measured(*, subject: Subject, kills: int, per_second: float, tell: Callable[[str], None]) -> Found:
    """So many failovers on a running system. Raises NotWhole; NotInjected, NotHere and NotHealed of a trial."""
    found = Found(tier=subject.tier, per_second=per_second)
    url = subject.settings["RINGBACK_OWNER_DATABASE_URL"]
    breaker = Catalogue(subject)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_TABLE)  # on a system of the lab's own, which goes with it
    writer = Writer(url=url, per_second=per_second)
    texts = load.texts(
        load=Load(per_second=4, seconds=kills * WHOLE_SECONDS, rings=False), seed=1,
        numbers=load.people(first=3_000_000), phase="during",
    )  # fmt: skip
    player = Player(interface=subject.interface, texts=texts, via="carrier", starts_at=time.time())
    writer.start()
    player.start()
    try:
        for nth in range(kills):
            _await_whole(subject)
            time.sleep(_RESTS_SECONDS)
            found.blows.append(_blow(subject, writer, breaker))
            last = found.blows[-1]
            tell(
                f"{nth + 1}/{kills}: {last.killed} killed, {last.follows} leads: writes back after "
                f"{last.writes_back_seconds:.2f} s, rejoined after {last.rejoined_seconds:.1f} s"
            )
    finally:
        writer.stop()
        player.stop()
        player.join(ANSWER_SECONDS)
        breaker.heal()
    _count(found, subject, writer, player)
    return found


def _blow(subject: Subject, writer: Writer, breaker: Catalogue) -> Blow:
    home = Home(root=subject.home)
    killed = leader(home)
    death = Death(subject.pid(killed))
    breaker.inject(Planned(name=FAULT, target=killed))
    follows = _await(
        lambda: {leader(home)} - {"", killed} or None, what="another node leads", every=_LEADS_SECONDS
    ).pop()
    with psycopg.connect(superuser_url(home, listeners(home)[follows]), autocommit=True) as node:
        _await(lambda: killed in _counted(node) or None, what=f"{killed} follows")
    rejoined = time.monotonic()
    breaker.heal(FAULT)
    at = death.at()
    gap = writer.gap_seconds(at)
    return Blow(killed=killed, follows=follows, writes_back_seconds=gap, rejoined_seconds=rejoined - at)


def _count(found: Found, subject: Subject, writer: Writer, player: Player) -> None:
    _await_whole(subject)
    kept = {n for (n,) in subject.rows(_KEPT)}
    found.written, found.acknowledged = writer.written, len(writer.acknowledged)
    found.lost = len(set(writer.acknowledged) - kept)
    promises = [one for one in player.promises if one.sid]
    found.texted = len(promises)
    accepted = [one.sid for one in promises if one.answer == ACCEPTED]
    found.accepted, found.refused = len(accepted), sum(one.answer == REFUSED for one in promises)
    # What is in the spool is drained first.
    with contextlib.suppress(NotWhole):
        _await(lambda: _texts_lost(subject, accepted) == 0 or None, what="the spool is drained")
    found.texts_lost = _texts_lost(subject, accepted)


def _texts_lost(subject: Subject, accepted: Sequence[str]) -> int:
    return len(set(accepted) - {sid for (sid,) in subject.rows(_STANDING, [list(accepted)])})


def leader(home: Home) -> str:
    """The node that takes writes; empty where none does."""
    return next((name for name, role in postgres_nodes(home).items() if role == "primary"), "")


def followers(home: Home) -> set[str]:
    """The nodes that stream from the one that leads, and that its commits count."""
    leads = leader(home)
    try:
        url = superuser_url(home, listeners(home)[leads])
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as node:
            return _counted(node)
    except (psycopg.Error, KeyError):
        return set()


def _counted(node: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in node.execute(_FOLLOWERS).fetchall()}


def _await_whole(subject: Subject) -> None:
    home = Home(root=subject.home)
    _await(lambda: len(followers(home)) == NODES - 1 or None, what="both standbys stream")


def _await(
    found: Callable[[], T | None], *, what: str, seconds: float = WHOLE_SECONDS, every: float = _LOOK_SECONDS
) -> T:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = found()
        if answer is not None:
            return answer
        time.sleep(every)
    raise NotWhole(f"not in {seconds:.0f} s: {what}")
