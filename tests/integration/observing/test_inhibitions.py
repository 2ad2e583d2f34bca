"""One page a cause, by a real Alertmanager with the file that is generated for it."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests import ports

CONFIG: Final = Path(__file__).resolve().parents[3] / "deploy/alertmanager/alertmanager.yml"
PROGRAM: Final = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
START_SECONDS: Final = 60.0

pytestmark = pytest.mark.skipif(not PROGRAM, reason="install Debian's prometheus-alertmanager")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that nobody else talks to."""
    taken = ports.take(among=ports.PROXIES)
    address = f"127.0.0.1:{taken.port}"
    words = [str(PROGRAM), f"--config.file={CONFIG}", f"--storage.path={tmp_path_factory.mktemp('alertmanager')}"]
    words += [f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=error"]
    process = subprocess.Popen(words)
    try:
        _await_ready(f"http://{address}", process)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()
        taken.close()


def _await_ready(base: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{base}/-/ready", timeout=5).close()
            return
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < until, "Alertmanager is ready"
            time.sleep(0.05)


def silent(base: str, *several: dict[str, str]) -> dict[str, bool]:
    """These fire and nothing else: which of them are inhibited. They end before it returns."""
    now = datetime.now(UTC)
    _send(base, several, now, now + timedelta(minutes=5))
    asked = f"{base}/api/v2/alerts?active=true&inhibited=true&silenced=true&unprocessed=true"
    found = json.loads(urllib.request.urlopen(asked, timeout=30).read())
    _send(base, several, now - timedelta(minutes=1), now)
    assert len(found) == len(several)
    return {
        one["labels"]["alertname"]: bool(one["status"]["inhibitedBy"]) for one in found if "cause" not in one["labels"]
    }


def _send(base: str, several: tuple[dict[str, str], ...], began: datetime, ends: datetime) -> None:
    body: list[Any] = [
        {"labels": labels, "startsAt": began.isoformat(), "endsAt": ends.isoformat()} for labels in several
    ]
    sent = urllib.request.Request(
        f"{base}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(sent, timeout=30).close()


def symptom(name: str) -> dict[str, str]:
    return {"alertname": name, "class": "symptom"}


def lately(cause: str, within: str) -> dict[str, str]:
    return {"alertname": "FiredLately", "class": "echo", "cause": cause, "within": within}


def burning(name: str, over: str) -> dict[str, str]:
    return {"alertname": f"{name}BudgetBurnsFast", "class": "burn", "over": over}


def test_a_frozen_primary_pages_once(base: str) -> None:
    found = silent(base, symptom("DatabaseAway"), symptom("IntakeFailing"), burning("Freshness", "1h"))
    assert found == {"DatabaseAway": False, "IntakeFailing": True, "FreshnessBudgetBurnsFast": True}
    several = [lately("DatabaseAway", within) for within in ("5m", "10m", "35m")]
    found = silent(base, *several, symptom("StandbysMissing"), burning("ReplicaFreshness", "1h"))
    assert found == {"StandbysMissing": True, "ReplicaFreshnessBudgetBurnsFast": True}


def test_what_nothing_paged_for_pages(base: str) -> None:
    assert silent(base, symptom("StandbysMissing")) == {"StandbysMissing": False}
    assert silent(base, burning("ReplicaFreshness", "1h")) == {"ReplicaFreshnessBudgetBurnsFast": False}
    found = silent(base, lately("DatabaseAway", "35m"), symptom("StandbysMissing"))
    assert found == {"StandbysMissing": False}  # its own time is over
    found = silent(base, lately("DatabaseAway", "35m"), burning("ReplicaFreshness", "1h"))
    assert found == {"ReplicaFreshnessBudgetBurnsFast": False}
