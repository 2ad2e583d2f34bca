"""What the processes of a system are told: the tier's settings, the addresses, the secrets.

What the person has set in their own environment wins; all of it is written to run/env, so that a command in
a second terminal reads the same.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from deploy.local import etcd, haproxy, installed, links, postgres, prometheus, redis, replicated
from deploy.local.carrier import WAITING_PATH
from deploy.local.decisions import Decisions
from deploy.local.etcd import Etcd
from deploy.local.home import REPOSITORY, Home, write_environment, write_private
from deploy.local.ports import HOST, Ports
from deploy.local.problems import CannotStartError
from deploy.local.raft import Raft
from deploy.local.tiers import Tier

SERVICE_NUMBER: Final = "+12025550100"
SECOND_NUMBER: Final = "+12025550101"  # of the second carrier account
STAFF: Final = "staff"
_OURS: Final = ("RINGBACK_", "SENTRY_", "OTEL_")
_NOT_KEPT: Final = ("RINGBACK_INSTANCE", "RINGBACK_METRICS_PORT")


@dataclass(frozen=True, kw_only=True)
class System:
    """One system to run: its tier, its data directory, its ports, and where its rows and doorbells live."""

    tier: Tier
    home: Home
    ports: Ports
    settings: Mapping[str, str]
    embeds_postgres: bool
    embeds_redis: bool
    embeds_prometheus: bool = False  # and Alertmanager
    embeds_haproxy: bool = False  # where a proxy of ours would stand
    decisions: Decisions = field(default_factory=Raft)

    @property
    def is_replicated(self) -> bool:
        """Whether its database is several nodes of ours."""
        return self.embeds_postgres and self.tier.count("postgres") > 1


def system(*, tier: Tier, home: Home, ports: Ports, environ: Mapping[str, str]) -> System:
    """Put the settings together; secrets that do not exist yet are made."""
    theirs = {name: value for name, value in environ.items() if _is_kept(name)}
    second = _second_account(home, ports) if tier.count("carrier") > 1 else {}
    traced = _trace_store(home, ports) if tier.count("traces") else {}
    nodes = _nodes(home, ports) if tier.count("postgres") > 1 and not environ.get("DATABASE_URL") else {}
    looks = _prometheus_looks(tier, environ)
    asked = {"RINGBACK_ALERTMANAGER_URL": f"http://{HOST}:{ports.alertmanager}"} if looks else {}
    settings = {**_addresses(home, ports), **nodes, **_secrets(home), **second, **traced, **asked}
    settings |= {**tier.settings, **theirs}
    settings |= {"RINGBACK_HOME": str(home.root), "RINGBACK_TIER": tier.name}
    settings.setdefault("RINGBACK_VERSION", _version())
    for name in ("DATABASE_URL", "REDIS_URL"):
        if environ.get(name):
            settings[name] = environ[name]
    if environ.get("DATABASE_URL"):
        settings["RINGBACK_OWNER_DATABASE_URL"] = environ.get("RINGBACK_OWNER_DATABASE_URL") or environ["DATABASE_URL"]
    if settings.get("RINGBACK_LAB") == "1":  # the carrier signs the address that it posts to: its link
        settings["RINGBACK_PUBLIC_BASE"] = f"http://127.0.0.1:{ports.web + links.FIRST}"
    return System(
        tier=tier,
        home=home,
        ports=ports,
        settings=settings,
        embeds_postgres=not environ.get("DATABASE_URL"),
        embeds_redis=not environ.get("REDIS_URL"),
        embeds_prometheus=looks,
        embeds_haproxy=bool(tier.count("proxy")) and _is_wanted(haproxy.SETTING, settings, haproxy.lack),
        decisions=_decisions(home, settings) if nodes else Raft(),
    )


def passwords(home: Home) -> postgres.Passwords:
    """The database's passwords, made where there are none."""
    return postgres.Passwords(
        superuser=home.secret("postgres_superuser_password", made=secrets.token_hex(16)),
        owner=home.secret("postgres_owner_password", made=secrets.token_hex(16)),
        app=home.secret("postgres_app_password", made=secrets.token_hex(16)),
        replication=home.secret("postgres_replication_password", made=secrets.token_hex(16)),
    )


def redis_password(home: Home) -> str:
    """Redis's password, made where there is none."""
    return home.secret("redis_password", made=secrets.token_hex(16))


def write(system: System) -> None:
    """Write run/env and run/interface.json, for commands and for whoever drives the system."""
    settings = system.settings
    write_environment(system.home.run / "env", settings)
    interface = {
        "web": f"http://127.0.0.1:{system.ports.web}",
        "carrier": f"http://127.0.0.1:{system.ports.carrier}",
        "account_sid": settings["RINGBACK_TWILIO_ACCOUNT_SID"],
        "auth_token": settings["RINGBACK_TWILIO_AUTH_TOKEN"],
        "service_number": settings["RINGBACK_SERVICE_NUMBER"],
        "public_base": settings["RINGBACK_PUBLIC_BASE"],
        "database_url": settings["DATABASE_URL"],
        "redis_url": settings["REDIS_URL"],
    }
    write_private(system.home.run / "interface.json", json.dumps(interface, indent=1) + "\n")


def interface(home: Home) -> dict[str, str]:
    """What `write` wrote for the system that runs; empty where none was started."""
    try:
        found: dict[str, str] = json.loads((home.run / "interface.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def carrier_account(system: System, number: int) -> dict[str, str]:
    """What the `number`th simulated carrier is told besides: whose account it is, and where it listens."""
    if number == 1:
        return {}
    settings = system.settings
    return {
        "RINGBACK_CARRIER_PORT": str(system.ports.carrier + number - 1),
        "RINGBACK_TWILIO_ACCOUNT_SID": settings[f"RINGBACK_TWILIO_{number}_ACCOUNT_SID"],
        "RINGBACK_TWILIO_AUTH_TOKEN": settings[f"RINGBACK_TWILIO_{number}_AUTH_TOKEN"],
        "RINGBACK_SERVICE_NUMBER": settings[f"RINGBACK_SERVICE_NUMBER_{number}"],
    }


def inherited() -> dict[str, str]:
    """What a process of ours keeps of the person's environment: nothing of ours, nothing of Python's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((*_OURS, "PYTHON", "DJANGO_", "MAKE", "MFLAGS"))
        and name not in ("DATABASE_URL", "REDIS_URL")
    }


def _addresses(home: Home, ports: Ports) -> dict[str, str]:
    made = passwords(home)
    return {
        "DATABASE_URL": postgres.url(postgres.APPLICATION, made.app, port=ports.postgres),
        "RINGBACK_OWNER_DATABASE_URL": postgres.url(postgres.OWNER, made.owner, port=ports.postgres),
        "REDIS_URL": redis.url(redis_password(home), port=ports.redis),
        "RINGBACK_PUBLIC_BASE": f"http://127.0.0.1:{ports.web}",
        "RINGBACK_TWILIO_BASE": f"http://127.0.0.1:{ports.carrier}",
        "RINGBACK_TWILIO_WAITING": f"http://127.0.0.1:{ports.carrier}{WAITING_PATH}",
        "RINGBACK_CARRIER_PORT": str(ports.carrier),
        "RINGBACK_SERVICE_NUMBER": SERVICE_NUMBER,
        "RINGBACK_LOG_FORMAT": "text",  # the line stream is read by people
    }


def _nodes(home: Home, ports: Ports) -> dict[str, str]:
    """The addresses where the database is three nodes: who writes looks for the one that leads."""
    made = passwords(home)
    leader = partial(replicated.url, ports=ports, target="read-write")
    return {
        "DATABASE_URL": leader(postgres.APPLICATION, made.app),
        "RINGBACK_OWNER_DATABASE_URL": leader(postgres.OWNER, made.owner),
        "RINGBACK_REPLICA_DATABASE_URL": replicated.url(
            postgres.APPLICATION, made.app, ports=ports, target="prefer-standby"
        ),
    }


def _secrets(home: Home) -> dict[str, str]:
    return {
        "RINGBACK_SECRET_KEY": home.secret("secret_key"),
        "RINGBACK_TELEMETRY_KEY": home.secret("telemetry_key"),
        "RINGBACK_TWILIO_ACCOUNT_SID": home.secret("twilio_account_sid", made="AC" + secrets.token_hex(16)),
        "RINGBACK_TWILIO_AUTH_TOKEN": home.secret("twilio_auth_token", made=secrets.token_hex(16)),
    }


def _trace_store(home: Home, ports: Ports) -> dict[str, str]:
    """Where spans go; any other OTLP backend takes its place by OTEL_EXPORTER_OTLP_ENDPOINT."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports.traces}",
        "RINGBACK_TRACE_PORT": str(ports.traces),
        "RINGBACK_TRACE_STORE": str(home.root / "traces" / "spans.sqlite"),
    }


def _decisions(home: Home, settings: Mapping[str, str]) -> Decisions:
    """By what the nodes of this data directory agree. Raises CannotStartError where that cannot be, or not as asked."""
    kept = next((one for one in (Raft(), Etcd()) if one.has_kept(home)), None)
    wanted: Decisions = Etcd() if _is_wanted(etcd.SETTING, settings, etcd.lack) else Raft()
    if kept is None or kept.kind == wanted.kind:
        return wanted
    asked = settings.get(etcd.SETTING, installed.AUTO)
    if asked == installed.AUTO and kept.kind == Raft.kind:
        return kept
    why = etcd.lack() if kept.kind == Etcd.kind and asked == installed.AUTO else f"{etcd.SETTING}={asked}"
    raise CannotStartError(
        f"The nodes in {home.root} agree by {kept.kind}, and {why}: what one keeps the other cannot read. "
        f"Run it as before, or begin anew with `make reset`."
    )


def _prometheus_looks(tier: Tier, environ: Mapping[str, str]) -> bool:
    """Whether Prometheus and Alertmanager run here. An Alertmanager of the person's own takes their place."""
    if not tier.count("prometheus") or environ.get("RINGBACK_ALERTMANAGER_URL"):
        return False
    return _is_wanted(prometheus.SETTING, {**tier.settings, **environ}, prometheus.lack)


def _is_wanted(setting: str, settings: Mapping[str, str], lack: Callable[[], str]) -> bool:
    return installed.is_wanted(setting=setting, asked=settings.get(setting) or installed.AUTO, lack=lack)


def _second_account(home: Home, ports: Ports) -> dict[str, str]:
    """A second carrier account: credentials, a number and an address of its own."""
    return {
        "RINGBACK_TWILIO_2_BASE": f"http://127.0.0.1:{ports.carrier + 1}",
        "RINGBACK_TWILIO_2_WAITING": f"http://127.0.0.1:{ports.carrier + 1}{WAITING_PATH}",
        "RINGBACK_TWILIO_2_ACCOUNT_SID": home.secret("twilio_2_account_sid", made="AC" + secrets.token_hex(16)),
        "RINGBACK_TWILIO_2_AUTH_TOKEN": home.secret("twilio_2_auth_token", made=secrets.token_hex(16)),
        "RINGBACK_SERVICE_NUMBER_2": SECOND_NUMBER,
    }


def _version() -> str:
    """The commit that is checked out; empty where this is no clone, or git is missing."""
    try:
        words = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude", "*"]
        return subprocess.run(words, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _is_kept(name: str) -> bool:
    return name.startswith(_OURS) and name not in _NOT_KEPT and not name.endswith("_FILE")
