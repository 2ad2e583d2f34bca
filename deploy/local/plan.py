"""From a tier to programs: each instance's command, environment, readiness and place in the stop order."""

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from deploy.local import archive, haproxy, links, ports, postgres, prometheus, redis, replicated, steps
from deploy.local.decisions import MEMBERS
from deploy.local.etcd import Etcd
from deploy.local.home import REPOSITORY
from deploy.local.leader_key import CONNECTED, SETTLED
from deploy.local.place import Place, alone, python
from deploy.local.problems import CannotStartError
from deploy.local.program import LEADER_KEY, Program
from deploy.local.raft import Raft
from deploy.local.settings import System, carrier_account, redis_password

# Stopped in this order: who makes work, who does it, who takes it, who is asked, what it stands on.
_WORK: Final = 0
_WEB: Final = 1
_CARRIER: Final = 2
_REDIS: Final = 3
_POSTGRES: Final = 4
_DECISIONS: Final = 5  # what the Postgres nodes agree by goes last
_MEASURED: Final = ("web", "dispatch", "worker", "watch")
_OF_THE_DATABASE: Final = ("postgres", LEADER_KEY)
_KEEPERS: Final = (Raft.kind, Etcd.kind)  # of the cluster's decisions: one or the other
_WITHOUT_METRICS: Final = (*_KEEPERS, LEADER_KEY, *prometheus.KINDS)
# Of what Patroni and its Postgres say each second, a person wants to read when something moves or is wrong.
_PATRONI_HIDES: Final = (
    r"^(?!.*(promoted self|demot|bootstrapped from|pg_rewind from \S+$|reinitializ|system ID|ERROR|PANIC|No space))"
)


def plan(system: System, *, migrates: bool) -> list[Program]:
    """Every program of the system. `migrates`: the migrations are a step before what serves."""
    places = _places(system)
    programs = [_program(place) for place in places]
    if migrates and any(place.kind.name == "web" and not place.kind.command for place in places):
        programs.append(steps.migrations(system))
    if system.is_replicated:
        programs.append(steps.cluster(system))
        if system.decisions.kind == Etcd.kind:
            programs.append(steps.etcd_password(system))
    if system.settings.get("RINGBACK_LAB") == "1":
        programs = _with_links(system, programs)
    if any((system.home.root / "lab" / "journal").glob("*.json")):
        programs.append(steps.heal(system, needs=tuple(program.name for program in programs)))
    names = {program.name for program in programs}
    return [_without_absent(program, names) for program in programs]


def listening(system: System) -> dict[str, int]:
    """The ports that the system needs for itself, by who listens there."""
    known = {"proxy", *(name for name in _KNOWN if hasattr(system.ports, name))}
    own = {place.name: place.port for place in _places(system) if place.kind.name in known}
    measured = [place for place in _measured(system) if place.name not in own]  # the web shows them where it serves
    return own | {f"{place.name}'s metrics": place.metrics_port for place in measured}


def linked(system: System) -> tuple[links.Link, ...]:
    """The lab's links, where the system runs with the fault proxy."""
    if system.settings.get("RINGBACK_LAB") != "1":
        return ()
    return links.links(listeners=listeners(system), web=system.ports.web)


def _with_links(system: System, programs: list[Program]) -> list[Program]:
    found = linked(system)
    place = alone(system, links.PROXY)
    proxy = Program(
        name=links.PROXY,
        command=python("-m", "deploy.lab.proxy"),
        environment={**place.identity(), "RINGBACK_INSTANCE": links.PROXY, "PYTHONUNBUFFERED": "1"},
        directory=REPOSITORY,
        ready_words="the fault proxy listens",
        hides="the fault proxy listens",
        stop_rank=_POSTGRES,
    )
    return [proxy, *(links.through(program, found) for program in programs)]


def listeners(system: System) -> dict[str, int]:
    """Where each instance answers: its own port, or that of its metrics. One of a command of its own may have none."""
    places = [one for one in _places(system) if not one.kind.command or hasattr(system.ports, one.kind.name)]
    return {place.name: place.answers_at for place in places}


def targets(system: System) -> list[dict[str, object]]:
    """Where each instance of ours shows its metrics, as Prometheus' file discovery reads it (run/targets.json).

    No label that a metric of ours has: Prometheus would put the target's in its place.
    """
    return [
        {
            "targets": [f"127.0.0.1:{place.port if place.kind.name == 'web' else place.metrics_port}"],
            "labels": {"job": "ringback", "process": place.kind.name, "instance": place.name},
        }
        for place in _measured(system)
    ]


def _measured(system: System) -> list[Place]:
    """The instances of ours that show metrics."""
    return [place for place in _places(system) if place.kind.name in _MEASURED and not place.kind.command]


def _places(system: System) -> list[Place]:
    embedded = dict.fromkeys(_OF_THE_DATABASE, system.embeds_postgres) | {"redis": system.embeds_redis}
    embedded |= dict.fromkeys(prometheus.KINDS, system.embeds_prometheus)
    embedded |= {kind: system.is_replicated and kind == system.decisions.kind for kind in _KEEPERS}
    places: list[Place] = []
    port = system.ports.metrics
    for kind in system.tier.kinds:
        if embedded.get(kind.name, True):
            for number in range(1, kind.count + 1):
                metrics_port = 0 if kind.name in _WITHOUT_METRICS else port
                port += bool(metrics_port)
                places.append(Place(system=system, kind=kind, number=number, metrics_port=metrics_port))
    return places


def _program(place: Place) -> Program:
    if place.kind.command:
        return _named(place)
    try:
        return _KNOWN[place.kind.name](place)
    except KeyError:
        raise CannotStartError(
            f"The tier {place.system.tier.name} wants {place.kind.name!r}, which has no command.", code=2
        ) from None


def _named(place: Place) -> Program:
    words = {"python": sys.executable, "port": str(place.port), "name": place.name}
    return Program(
        name=place.name,
        command=tuple(word.format(**words) for word in place.kind.command),
        environment=place.environment({"PORT": str(place.port)}),
        directory=REPOSITORY,
        needs=place.kind.needs,
        ready_words=place.kind.ready_words,
    )


def _postgres(place: Place) -> Program:
    if place.system.is_replicated:
        return _node(place)
    data = place.system.home.postgres
    return Program(
        name=place.name,
        command=tuple(
            postgres.server(
                data, port=place.port, dies_with_parent=signal.SIGQUIT, **archive.settings(place.system.home.archive)
            )
        ),
        environment={**place.identity(), "LC_ALL": "C"},
        directory=data,
        ready=partial(_postgres_ready, place),
        ready_seconds=120,  # after a crash it replays what it had not written
        stop_rank=_POSTGRES,
        stop_signal=signal.SIGINT,
        stop_seconds=3,
        uid=postgres.identity().uid,
        gid=postgres.identity().gid,
        hides="^LOG:  ",
    )


def _postgres_ready(place: Place, pid: int) -> bool:
    return postgres.is_ready(place.system.home.postgres, pid=pid)


def _node(place: Place) -> Program:
    """Patroni and its Postgres. The first founds the cluster; the others wait for it the first time."""
    home, port = place.system.home, place.system.ports.patroni + place.number - 1
    is_first, is_new = place.number == 1, not replicated.data(home, place.number).exists()
    return Program(
        name=place.name,
        command=tuple(
            replicated.node(
                home, place.number, ports=place.system.ports, decisions=place.system.decisions, makes=is_first
            )
        ),
        environment={**place.identity(), "LC_ALL": "C", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY)},
        directory=replicated.directory(home, place.number),
        needs=(*_keepers(place.system), LEADER_KEY, *(("postgres-1",) if is_new and not is_first else ())),
        ready=lambda _: replicated.is_ready(port),
        ready_seconds=120,
        awaited=False,  # one that leads and one that streams are enough: the step `cluster`
        stop_rank=_POSTGRES,
        stop_seconds=4,
        uid=postgres.identity().uid,
        gid=postgres.identity().gid,
        node=replicated.directory(home, place.number),
        hides=_PATRONI_HIDES,
    )


def _decisions(place: Place) -> Program:
    decisions = place.system.decisions
    return Program(
        name=place.name,
        command=tuple(decisions.member(place.system.home, place.number, ports=place.system.ports)),
        environment={**place.identity(), "PYTHONUNBUFFERED": "1"},
        directory=decisions.directory(place.system.home),
        ready=lambda _: decisions.is_ready(place.port),
        stop_rank=_DECISIONS,
    )


def _keepers(system: System) -> tuple[str, ...]:
    """Who has to be there before anybody asks for the cluster's decisions."""
    members = tuple(f"{system.decisions.kind}-{number}" for number in range(1, MEMBERS + 1))
    return (*members, steps.PASSWORD) if system.decisions.kind == Etcd.kind else members


def _leader_key(place: Place) -> Program:
    return Program(
        name=place.name,
        command=tuple(
            replicated.leader_key(place.system.home, ports=place.system.ports, decisions=place.system.decisions)
        ),
        environment={**place.identity(), "PYTHONUNBUFFERED": "1"},
        directory=REPOSITORY,
        needs=_keepers(place.system),
        hears=True,
        ready_words=CONNECTED,
        ready_seconds=60,
        stop_rank=_DECISIONS,
        hides=f"^({CONNECTED}|{SETTLED}) ?",
    )


def _redis(place: Place) -> Program:
    password = redis_password(place.system.home)
    settings = redis.write_settings(place.system.home.redis, port=place.port, password=password)
    return Program(
        name=place.name,
        command=tuple(redis.server(settings, dies_with_parent=signal.SIGTERM)),
        environment=place.identity(),
        directory=place.system.home.redis,
        ready=lambda _: redis.answers(port=place.port, password=password),
        hides="oO0OoO0|Redis version=|Configuration loaded|Server initialized|Memory overcommit|SIGTERM"
        "|User requested|ready to exit|Ready to accept",
        stop_rank=_REDIS,
    )


def _carrier(place: Place) -> Program:
    """Each carrier is an account of its own, with a number, phones and a journal of its own."""
    return Program(
        name=place.name,
        command=python("-m", "deploy.local.carrier"),
        environment=place.environment(carrier_account(place.system, place.number)),
        directory=REPOSITORY,
        ready=lambda _: ports.listens(place.port),
        stop_rank=_CARRIER,
    )


def _proxy(place: Place) -> Program:
    webs = [f"{ports.HOST}:{one.port}" for one in _places(place.system) if one.kind.name == "web"]
    if place.system.embeds_haproxy:
        return _haproxy(place, webs)
    return Program(
        name=place.name,
        command=python("-m", "deploy.local.proxy"),
        environment=place.environment({"PORT": str(place.port), "RINGBACK_PROXY_BACKENDS": ",".join(webs)}),
        directory=REPOSITORY,
        ready=lambda _: ports.is_alive(place.port, "/livez"),
        ready_seconds=60,  # it answers once a web instance does
        stop_rank=_WEB,
        stop_seconds=2,
    )


def _haproxy(place: Place, webs: list[str]) -> Program:
    named = {haproxy.BACKEND.format(number): web for number, web in enumerate(webs, start=1)}
    words = haproxy.command(place.system.home, port=place.port, metrics_port=place.metrics_port, webs=len(webs))
    return Program(
        name=place.name,
        command=tuple(words),
        environment=place.identity() | named,
        directory=REPOSITORY,
        ready=lambda _: ports.is_alive(place.port, "/livez"),
        ready_seconds=60,
        stop_rank=_WEB,
        stop_signal=signal.SIGUSR1,  # it takes no more, and ends what it has begun
        stop_seconds=2,
        hides=r"^\[(NOTICE|WARNING)\]|has no server available",  # who is down, the supervisor says
    )


def _web(place: Place) -> Program:
    return Program(
        name=place.name,
        command=python("-m", "deploy.local.web"),
        environment=place.environment({"PORT": str(place.port)}),
        directory=REPOSITORY,
        needs=(*steps.DATABASE, "redis", "migrations"),
        ready=lambda _: ports.is_alive(place.port, "/livez"),
        stop_rank=_WEB,
        stop_seconds=2,
    )


def _dispatch(place: Place) -> Program:
    return _working(place, "manage.py", "dispatch")


def _worker(place: Place) -> Program:
    threads = place.kind.settings.get("RINGBACK_WORKER_THREADS", "4")
    words = ["-m", "celery", "--quiet", "-A", "config.celery_app", "worker", "--pool", "threads", "-c", threads]
    words += ["--without-gossip", "--without-mingle", "--without-heartbeat", "-n", f"{place.name}@ringback"]
    hides = "SecurityWarning|absolutely not recommended|different user using|User information: |_warn_or_raise"
    return replace(_working(place, *words), hides=hides)


def _watch(place: Place) -> Program:
    return _working(place, "manage.py", "watch")


def _working(place: Place, *words: str) -> Program:
    """What serves nobody: it is there once it shows its metrics, and ends what it has begun when it is stopped."""
    return Program(
        name=place.name,
        command=python(*words),
        environment=place.environment(),
        directory=REPOSITORY,
        needs=(*steps.DATABASE, "redis", "migrations"),
        ready=lambda _: ports.listens(place.metrics_port),
        stop_rank=_WORK,
        stop_seconds=6.5,
    )


def _traces(place: Place) -> Program:
    return Program(
        name=place.name,
        command=python("-m", "config.observing.receiver"),
        environment=place.environment(),
        directory=REPOSITORY,
        ready=lambda _: ports.listens(place.port),
        stop_rank=_CARRIER,
        hides="^traces are received$",
    )


def _looking(place: Place) -> Program:
    """Prometheus or Alertmanager. Last, so that nobody waits for it: where it is not there the watch looks alone."""
    system = place.system
    return Program(
        name=place.name,
        command=tuple(prometheus.command(place.name, system.home, ports=system.ports, settings=system.settings)),
        environment={**place.identity(), **prometheus.ENVIRONMENT},
        directory=system.home.root,
        needs=("watch", "web-1", "dispatch-1", "worker-1"),
        ready=lambda _: ports.is_alive(place.port, "/-/ready"),
        ready_seconds=60,
        awaited=False,
        spared=True,
        stop_rank=_CARRIER,
        stop_seconds=3,
    )


def _without_absent(program: Program, names: set[str]) -> Program:
    """What it needs and what there is; where there is a cluster, no single node of it is waited for."""
    unneeded = {"postgres-1"} if "cluster" in names and program.node is None else set()
    return replace(program, needs=tuple(name for name in program.needs if name in names - unneeded))


_KNOWN: Final[Mapping[str, Callable[[Place], Program]]] = {
    "postgres": _postgres,
    **dict.fromkeys(_KEEPERS, _decisions),
    LEADER_KEY: _leader_key,
    "redis": _redis,
    "carrier": _carrier,
    "proxy": _proxy,
    "web": _web,
    "dispatch": _dispatch,
    "worker": _worker,
    "watch": _watch,
    "traces": _traces,
    **dict.fromkeys(prometheus.KINDS, _looking),
}
