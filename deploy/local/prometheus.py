"""Prometheus and Alertmanager of this machine, where both are installed: what they are told, and how they are run.

They evaluate what `deploy/slo` generates, on what the instances show (`run/targets.json`); the watch asks Alertmanager
what fires. Both listen on the loopback only, and keep little: days, and a bounded size.
"""

import json
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local import installed, platform
from deploy.local.home import REPOSITORY, Home, write_private
from deploy.local.ports import HOST, Ports

SETTING: Final = "RINGBACK_PROMETHEUS"
KINDS: Final = ("prometheus", "alertmanager")
PACKAGES: Final = "prometheus prometheus-alertmanager"  # Debian's
_ALERTMANAGERS: Final = ("prometheus-alertmanager", "alertmanager")  # Debian's name, and everybody else's
_VERSION_LEAST: Final = (2, 42)  # the rules say keep_firing_for
_DAYS: Final = 3  # the longest window of a burn rate
_SIZE: Final = "256MB"
_RULES: Final = REPOSITORY / "deploy" / "prometheus" / "rules" / "ringback.yml"
_ALERTS: Final = REPOSITORY / "deploy" / "alertmanager" / "alertmanager.yml"
# One system on a laptop: collected twice as often, it keeps a third less, and no burst of it takes every processor.
ENVIRONMENT: Final[Mapping[str, str]] = {"GOGC": "50", "GOMAXPROCS": "2"}


def lack() -> str:
    """Why they cannot look here; empty where they can."""
    missing = [name for name, found in zip(KINDS, _programs(), strict=True) if found is None]
    if missing:
        return f"{' and '.join(missing)} not installed (Debian: apt install {PACKAGES})"
    found = installed.version(str(_programs()[0]))
    if found < _VERSION_LEAST:
        least = installed.told(_VERSION_LEAST)
        return f"prometheus is {installed.told(found)}, and {least} is the oldest that knows our rules"
    return ""


def command(name: str, home: Home, *, ports: Ports, settings: Mapping[str, str]) -> list[str]:
    """The command of one of KINDS; what it is told is written, and it dies with whoever starts it."""
    place = home.root / name
    place.mkdir(mode=0o700, exist_ok=True)
    every_seconds = float(settings.get("RINGBACK_WATCH_SECONDS", "5"))
    words = (
        _prometheus(place, home, ports=ports, every_seconds=every_seconds)
        if name == "prometheus"
        else _alertmanager(place, ports=ports)
    )
    return platform.launched(words, dies_with_parent=signal.SIGKILL)


def _prometheus(place: Path, home: Home, *, ports: Ports, every_seconds: float) -> list[str]:
    write_private(place / "prometheus.yml", _settings(home, ports=ports, every_seconds=every_seconds))
    return [
        str(_programs()[0]),
        f"--config.file={place / 'prometheus.yml'}",
        f"--storage.tsdb.path={place / 'data'}",
        f"--storage.tsdb.retention.time={_DAYS}d",
        f"--storage.tsdb.retention.size={_SIZE}",
        f"--web.listen-address={HOST}:{ports.prometheus}",
        f"--rules.alert.resend-delay={2 * every_seconds:g}s",  # by which the watch knows that it still looks
        "--log.level=warn",
    ]


def _alertmanager(place: Path, *, ports: Ports) -> list[str]:
    """It gossips with nobody: its own default is to listen for others on every address."""
    return [
        str(_programs()[1]),
        f"--config.file={_ALERTS}",
        f"--storage.path={place}",
        "--data.retention=24h",
        f"--web.listen-address={HOST}:{ports.alertmanager}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def _settings(home: Home, *, ports: Ports, every_seconds: float) -> str:
    """JSON, since that is YAML as well and quotes every path as it should be."""
    told = {
        "global": {"scrape_interval": f"{every_seconds:g}s", "scrape_timeout": f"{min(3, every_seconds):g}s"},
        "rule_files": [str(_RULES)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{ports.alertmanager}"]}]}]},
        "scrape_configs": [
            {
                "job_name": "ringback",
                "file_sd_configs": [{"files": [str(home.run / "targets.json")]}],
                "sample_limit": 20_000,
            }
        ],
    }
    return "# Written by `up`.\n" + json.dumps(told, indent=1) + "\n"


def _programs() -> tuple[str | None, str | None]:
    return shutil.which("prometheus"), next(filter(None, map(shutil.which, _ALERTMANAGERS)), None)
