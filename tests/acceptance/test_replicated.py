"""Three Postgres nodes: the one that leads is lost with everything on it, and nothing that was accepted."""

import threading
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Final

import pytest

from deploy.local import etcd, platform, replicated
from deploy.local.ports import Ports
from tests.acceptance.system import QUICK, System, Systems
from tests.acceptance.waiting import until

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(
        find_spec("patroni") is None or find_spec("pysyncobj") is None,
        reason="Patroni is not installed: `TIER=replicated make up` installs it",
    ),
]
LEADER_SECONDS: Final = 60.0  # of which a quiet machine takes one
REJOIN_SECONDS: Final = 120.0  # and of these ten
TEXTS_MAX: Final = 4000


@pytest.fixture
def system(systems: Systems) -> System:
    return systems.running("replicated", QUICK, tier="replicated")


BY_ETCD: Final = pytest.param("1", id="by etcd", marks=pytest.mark.skipif(bool(etcd.lack()), reason=etcd.lack()))


def leader(system: System) -> str:
    """The name of the one node that leads, once there is one."""

    def found() -> str:
        leads = [number for number in (1, 2, 3) if replicated.leads(Ports(web=system.port).patroni + number - 1)]
        return f"postgres-{leads[0]}" if len(leads) == 1 else ""

    return until(found, seconds=LEADER_SECONDS, what="one node leads")


def await_all(system: System) -> None:
    ports = [Ports(web=system.port).patroni + number for number in range(3)]
    until(lambda: all(map(replicated.is_ready, ports)), seconds=REJOIN_SECONDS, what="one leads and two stream")


@dataclass
class Texting:
    """People who text, each once, one after the other, while something happens."""

    system: System
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    problem: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> "Texting":
        self._thread = threading.Thread(target=self._text, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join(60)
        assert self.problem == []

    def await_accepted(self, more: int) -> None:
        wanted = len(self.accepted) + more
        until(lambda: len(self.accepted) >= wanted or self.problem, seconds=LEADER_SECONDS, what="texts are accepted")

    def _text(self) -> None:
        carrier = self.system.carrier
        try:
            while not self.over.is_set() and len(self.accepted) < TEXTS_MAX:
                phone = carrier.phone()
                sid = carrier.text(sender=phone.number, body="Remind in 3 hours about tea")
                answers = until(partial(carrier.webhooks, sid), seconds=LEADER_SECONDS, what="the carrier is done")
                (self.accepted if answers[-1]["status"] == 200 else self.refused).append(phone.number)
        except BaseException as problem:
            self.problem.append(problem)
            raise


def test_it_commits_on_two_nodes_before_it_answers(system: System) -> None:
    """What the promise rests on: no standby, no commit."""
    await_all(system)
    led = leader(system)
    others = ",".join(f'"postgres-{number}"' for number in (1, 2, 3) if led != f"postgres-{number}")
    names = "SELECT current_setting('synchronous_standby_names')"
    until(lambda: system.rows(names) == [(f"ANY 1 ({others})",)], seconds=REJOIN_SECONDS, what="one of two confirms")
    kept = "SELECT current_setting(name) FROM unnest(%s::text[]) AS name"
    settings = ["synchronous_commit", "fsync", "data_checksums", "wal_log_hints"]
    assert system.rows(kept, settings) == [("on",)] * len(settings)


def test_it_keeps_its_data_when_the_supervisor_is_killed(system: System) -> None:
    await_all(system)
    phone = system.carrier.phone()
    phone.texts("Remind in 3 hours about tea")
    nodes = until(lambda: [system.pid(f"postgres-{number}") for number in (1, 2, 3)], what="all three have a pid file")
    system.kill_supervisor()
    system.start()
    assert not any(platform.works_in(pid, system.home.root) for pid in nodes)
    made = "SELECT count(*) FROM reminders_subscriber WHERE number = %s"
    until(lambda: system.rows(made, phone.number) == [(1,)], seconds=LEADER_SECONDS, what="the row is there")


# Last: the system of the other tests is stopped for it.
@pytest.mark.parametrize("by_etcd", [pytest.param("0", id="by raft"), BY_ETCD])
def test_it_loses_nothing_that_was_accepted_with_the_node_that_led(systems: Systems, by_etcd: str) -> None:
    name = "replicated" if by_etcd == "0" else "replicated by etcd"
    system = systems.running(name, {**QUICK, etcd.SETTING: by_etcd}, tier="replicated")
    await_all(system)
    led = leader(system)
    with Texting(system) as texting:
        texting.await_accepted(10)
        killed = system.kill(led)
        texting.await_accepted(20)
    assert leader(system) != led
    made = "SELECT s.number, count(*) FROM reminders_subscriber s JOIN reminders_reminder r ON r.subscriber_id = s.id" \
        " WHERE s.number = ANY(%s) GROUP BY 1"  # fmt: skip
    counted = dict(system.rows(made, [*texting.accepted, *texting.refused]))
    assert {number: counted.get(number) for number in texting.accepted} == dict.fromkeys(texting.accepted, 1)
    assert set(counted.values()) == {1}  # a text that was answered 503 and kept all the same is kept once
    assert platform.started(killed) is None
    await_all(system)
    system.await_back(led, killed)  # Patroni says so some tenths before the supervisor has looked
    became = [line.partition("│ ")[2] for line in system.said().splitlines() if line.startswith("ringback   │")]
    asked = [line for line in became if line.startswith((f"{led} led; its key is deleted", f"{led} did not lead"))]
    assert len(asked) == 1, "the leader key was looked at once all of the node was reaped"
    system.oracle.judge([])
