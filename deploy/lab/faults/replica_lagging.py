"""A standby receives everything and shows nothing of it."""

import signal
import time

from deploy.lab.injection import measures, processes
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import postgres_nodes, standbys


def inject(scene: Scene) -> None:
    """Not pg_wal_replay_pause(): Patroni resumes what it finds paused."""
    named = processes.replaying(scene.home, scene.target)
    if not named:
        raise FaultError(f"{scene.target} replays nothing: is it a standby?")
    scene.will("thaw", name=scene.target, pids=[list(one) for one in named])
    processes.send(named, signal.SIGSTOP)


def bites(scene: Scene) -> Bite:
    """Something is written on the primary: whether the standby has replayed it two seconds later."""
    primary = next(name for name, role in postgres_nodes(scene.home).items() if role == "primary")
    (lsn,) = measures.sql(scene.home, "SELECT pg_logical_emit_message(true, 'lab', 'x')::text", node=primary)[0]
    until = time.monotonic() + 2
    behind = True
    while behind and time.monotonic() < until:
        query = f"SELECT pg_last_wal_replay_lsn() < '{lsn}'::pg_lsn"
        (behind,) = measures.sql(scene.home, query, node=scene.target)[0]
    return Bite(
        bites=bool(behind), measured=f"{scene.target} has {'not ' if behind else ''}replayed what was written 2 s ago"
    )


FAULT = Fault(
    name="replica-lagging",
    imitates="a standby that is busy with a long report",
    fault_class="freshness",
    blast_radius="reads from that standby: they are old; what is stored is safe",
    shows="replay lag; read-your-writes falls back to the primary",
    undone="SIGCONT.",
    targets=("postgres-*",),
    needs=("standbys",),
    ways=(
        Way(name="stop", how="SIGSTOP of the standby's process that replays; what receives goes on.", inject=inject),
    ),
    bites=bites,
    pick=standbys,
)
