"""`up`: resolve the tier, make what is missing, run everything in the foreground until told to stop."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy.local import links, plan, postgres, prometheus, records, replicated, settings, tiers
from deploy.local.home import REPOSITORY, Home, home, write_private
from deploy.local.lines import Lines
from deploy.local.ports import ports, refuse_taken
from deploy.local.problems import CannotStartError
from deploy.local.settings import System
from deploy.local.supervisor import Supervisor

_MIGRATED_APPS: Final = ("billing", "reminders", "config/observing")


def up(*, tier: str, port: str, environ: Mapping[str, str]) -> int:
    """Run the system of a tier; the exit code. Raises CannotStartError with what to do about it."""
    place, chosen, numbers = home(), tiers.read(tier), ports(port)
    place.make()
    lock = records.take_lock(place)
    if lock is None:
        return _already_runs(place)
    with lock:
        lines = Lines()
        try:
            system = settings.system(tier=chosen, home=place, ports=numbers, environ=environ)
            return _run(system, lines)
        finally:
            lines.close()


def _run(system: System, lines: Lines) -> int:
    lines.say(f"tier {system.tier.name}: {system.tier.adds}")
    lines.say(f"data in {system.home.root}")
    left = records.end_leftovers(system.home)
    if left:
        lines.say(f"ended what the last run left behind: {', '.join(left)}")
    records.forget(system.home)
    records.forget_lab(system.home)
    for name, port in plan.listening(system).items():
        refuse_taken(port, name)
    if system.embeds_postgres:
        if system.is_replicated:
            replicated.refuse_absent()
        _refuse_other_layout(system)
        _make_cluster(system, lines)
    stamp = _stamp(system)
    programs = plan.plan(system, migrates=not _is_migrated(system, stamp))
    settings.write(system)
    write_private(system.home.run / "listeners.json", json.dumps(plan.listeners(system), indent=1) + "\n")
    write_private(system.home.run / "targets.json", json.dumps(plan.targets(system), indent=1) + "\n")
    write_private(system.home.run / "links.json", links.written(plan.linked(system)))

    def ready(seconds: float) -> None:
        if any(program.name == "migrations" for program in programs):  # the naive tier makes its own tables
            write_private(system.home.migrated, stamp)
        lines.show(_welcome(system, lines, seconds))

    return Supervisor(programs, home=system.home, lines=lines, on_ready=ready).run()


def _refuse_other_layout(system: System) -> None:
    """One of three nodes alone may lack what was accepted last: no other tier may start from it."""
    if system.home.replicated.exists() and not system.is_replicated:
        raise CannotStartError(
            f"The data in {system.home.root} belongs to three Postgres nodes: TIER=replicated make up, "
            "or choose another place with RINGBACK_HOME."
        )


def _make_cluster(system: System, lines: Lines) -> None:
    """The first cluster; where three nodes shall share it, each clones it from the one that leads."""
    home = system.home
    if not home.replicated.exists():
        _make_first_cluster(system, lines)
        if system.is_replicated:
            postgres.let_replicate(home.postgres, password=settings.passwords(home).replication)
            write_private(home.replicated, "three nodes\n")


def _make_first_cluster(system: System, lines: Lines) -> None:
    if postgres.is_cluster(system.home.postgres):
        return
    began = time.monotonic()
    system.home.migrated.unlink(missing_ok=True)
    lines.say("postgres-1: making the database …")
    postgres.create(system.home.postgres, passwords=settings.passwords(system.home))
    lines.say(f"postgres-1: made ({time.monotonic() - began:.1f} s)")


def _is_migrated(system: System, stamp: str) -> bool:
    try:
        return system.embeds_postgres and system.home.migrated.read_text() == stamp
    except OSError:
        return False


def _stamp(system: System) -> str:
    """Which migrations, in which cluster: another file, Django or cluster is another stamp."""
    clusters = sorted(system.home.root.glob("postgres-*/data/global/pg_control")) if system.embeds_postgres else []
    words = hashlib.sha256(clusters[0].read_bytes()[:8] if clusters else b"")
    for file in _what_migrates():
        words.update(f"{file.name}\0".encode() + (file.read_bytes() if file.exists() else b""))
    return words.hexdigest() + "\n"


def _what_migrates() -> Iterator[Path]:
    yield REPOSITORY / "requirements.lock"
    for app in _MIGRATED_APPS:
        for pattern in ("*.py", "*.sql"):
            yield from sorted((REPOSITORY / app / "migrations").glob(pattern))
    yield Path(__file__).parent / "management" / "commands" / "prepare.py"


def _already_runs(place: Home) -> int:
    """Say what runs; nothing is started twice."""
    print(f"Ringback already runs here (data in {place.root}):")
    for name, process in sorted(records.read(place).items()):
        print(f"  {name:<12} pid {process.pid}{'' if process.lives() else '  (died, restarts)'}")
    addresses = settings.interface(place)
    if addresses:
        print(f"The phone: {addresses['carrier']}/  The web: {addresses['web']}")
    print("Stop it with `make down`, or start another one: make up PORT=8100 RINGBACK_HOME=/tmp/other")
    return 0


def _welcome(system: System, lines: Lines, seconds: float) -> str:
    bold = lines.bold
    web, carrier = f"http://127.0.0.1:{system.ports.web}", f"http://127.0.0.1:{system.ports.carrier}"
    worker = system.home.run / "worker-1.pid"
    if any(kind.name == "web" and kind.command for kind in system.tier.kinds):
        return _naive_welcome(bold, carrier, worker, seconds)
    return f"""
{bold(f"Ringback runs ({seconds:.1f} s). Ctrl-C stops it.")}

  {bold("The phone")}   {bold(carrier + "/")}
  Staff       {web}/admin/   {settings.STAFF} / {system.home.secret("staff_password")}
  The nines   {web}/status/   (figures for Prometheus: {web}/metrics)
  Who looks   {_who_looks(system)}

  Three things to try:
    1. Open the phone and send  Remind in 10 seconds about tea
    2. Kill the worker while it rings; it comes back, and nobody is rung twice:
         kill -9 "$(cat {_short(worker)})"
    3. See everything that happened to that person, and what they owe:
         ./manage.py trace +12025550123
         ./manage.py statement +12025550123
"""


def _who_looks(system: System) -> str:
    """Who decides what fires, as the page of nines and `./manage.py alerts` show it."""
    if system.embeds_prometheus:
        return f"Prometheus (http://127.0.0.1:{system.ports.prometheus}/), and the watch alone while that is away"
    theirs = system.settings.get("RINGBACK_ALERTMANAGER_URL")
    if theirs:
        return f"the Prometheus that sends to {theirs}, and the watch alone while that is away"
    return f"the watch alone: {prometheus.lack() or f'{prometheus.SETTING}=0'}"


def _naive_welcome(bold: Callable[[str], str], carrier: str, worker: Path, seconds: float) -> str:
    """For a tier whose web is another program: it has no staff pages and no commands of ours."""
    return f"""
{bold(f"Ringback runs ({seconds:.1f} s), as a beginner would build it. Ctrl-C stops it.")}

  {bold("The phone")}   {bold(carrier + "/")}

  Three things to try:
    1. Open the phone and send  Remind in 10 seconds about tea
    2. Send  Remind in 20 seconds about coffee, kill the worker, and wait for coffee:
         kill -9 "$(cat {_short(worker)})"
    3. Read what else is wrong with it: deploy/naive/README.md
"""


def _short(place: Path) -> str:
    """The path as one would type it here."""
    try:
        shown = str(place.relative_to(Path.cwd()))
    except ValueError:
        shown = str(place)
    return f'"{shown}"' if " " in shown else shown
