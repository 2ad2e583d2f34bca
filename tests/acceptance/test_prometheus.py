"""Prometheus and Alertmanager beside the system: what they find is shown, and the watch takes over from them."""

import json
import re
from typing import Any

import pytest

from deploy.local import prometheus
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import until

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(bool(prometheus.lack()), reason=prometheus.lack()),
]

PLANTED = """
INSERT INTO billing_break (id, promise, kind, subject_kind, subject_id, detail, opened_at)
VALUES (gen_random_uuid(), 'P6', 'planted', 'test', 'one', '{}', now())
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One that Prometheus looks at, each second."""
    wanted = {**QUICK, "RINGBACK_PROMETHEUS": "1", "RINGBACK_WATCH_SECONDS": "1"}
    return systems.running("prometheus", wanted)


def told(system: System) -> dict[str, Any]:
    """What the watch told last."""
    found: dict[str, Any] = json.loads((system.home.run / "alerts.json").read_text())
    return found


def decided(system: System, by: str) -> set[str] | None:
    """What fires, once it is decided by whom it should be."""
    found = told(system)
    return {one["name"] for one in found["alerts"]} if found["by"] == by else None


def test_what_prometheus_finds_is_what_is_shown_and_the_watch_takes_over(system: System) -> None:
    assert "Who looks   Prometheus (http://127.0.0.1:" in system.said()
    until(lambda: told(system)["by"] == "prometheus", what="Prometheus decides what fires")
    system.plant(PLANTED)
    until(lambda: "BreaksOpen" in (decided(system, "prometheus") or ()), what="what Prometheus found is shown")
    with system.frozen("alertmanager"):
        until(lambda: "BreaksOpen" in (decided(system, "watch") or ()), what="the watch takes over, and says the same")
    until(lambda: "BreaksOpen" in (decided(system, "prometheus") or ()), what="it hands back")
    said = re.findall(r"(alert\.\w+) +alert=BreaksOpen", system.said())
    assert said == ["alert.fires"]  # one cause, one page, whoever decides
    killed = system.kill("prometheus")
    system.await_back("prometheus", killed)
