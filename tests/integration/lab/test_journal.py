"""The undo journal: on disk before the deed, replayed after the death of whoever wrote it, healed once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from deploy.lab.faults import FaultError
from deploy.lab.injection import engine, journal, machine, processes
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene
from deploy.local import platform, records
from deploy.local.home import REPOSITORY, Home, write_private

SECONDS: Final = 30.0


@dataclass
class Victim:
    """A running system of one instance, as the records say: a process that does nothing."""

    home: Home
    process: subprocess.Popen[bytes]

    @property
    def recorded(self) -> records.Process:
        return records.read(self.home)["worker-1"]

    def is_stopped(self) -> bool:
        return processes.is_stopped(self.process.pid)


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Victim]:
    home = Home(root=tmp_path / "home")
    home.make()
    process = subprocess.Popen(["sleep", "600"])
    started = platform.started(process.pid)
    assert started is not None
    records.write(home, {"worker-1": records.Process(pid=process.pid, started=started)})
    write_private(home.run / "listeners.json", json.dumps({"worker-1": 1}))
    lock = records.take_lock(home)
    assert lock is not None
    monkeypatch.setattr("deploy.lab.injection.measures.answers", lambda *_, **__: True)
    yield Victim(home, process)
    lock.close()
    process.kill()
    process.wait()


def freeze(scene: Scene) -> None:
    from deploy.lab.injection import struck

    struck.freeze(scene)


def a_fault(inject: object = freeze, name: str = "test-frozen") -> Fault:
    return Fault(
        name=name,
        imitates="a test",
        fault_class="process",
        blast_radius="a sleeping process",
        shows="nothing",
        undone="SIGCONT",
        targets=("worker-*",),
        ways=(Way(name="stop", how="SIGSTOP", inject=inject),),  # type: ignore[arg-type]
        bites=lambda _: Bite(bites=False, measured=""),
        options={"colour": "red"},
    )


def begun(home: Home, fault: Fault, *, kept: bool = True, seconds: float | None = None) -> str:
    return engine.begin(home, fault, target=None, seconds=seconds, way=None, kept=kept, options={}).id


def files(home: Home) -> list[Path]:
    return list((home.root / "lab" / "journal").glob("*"))


def test_it_writes_how_a_step_is_undone_before_the_step(victim: Victim) -> None:
    seen: list[dict[str, object]] = []

    def look(scene: Scene) -> None:
        scene.will("thaw", name="worker-1", pids=[])
        seen.extend(json.loads(place.read_text()) for place in files(victim.home))

    begun(victim.home, a_fault(look))
    assert [one["undo"] for one in seen] == [[{"deed": "thaw", "facts": {"name": "worker-1", "pids": []}}]]
    assert seen[0]["state"] == "injecting"


def test_it_undoes_everything_once(victim: Victim) -> None:
    begun(victim.home, a_fault())
    assert victim.is_stopped()
    assert engine.heal(victim.home) == ["test-frozen at worker-1"]
    assert not victim.is_stopped()
    assert engine.heal(victim.home) == []
    assert files(victim.home) == []
    (line,) = (victim.home.root / "lab" / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["fault"] == "test-frozen"


def test_it_wakes_what_was_frozen_in_several_passes(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that was born while its parent was stopped woke first, and waited for its parent to serve."""
    child = subprocess.Popen(["sleep", "600"])
    try:
        started = platform.started(child.pid)
        assert started is not None
        seen: list[int] = []

        def tree(*_: object) -> list[processes.Named]:
            seen.append(1)
            parent = (victim.recorded.pid, victim.recorded.started)
            return [parent, (child.pid, started)] if len(seen) > 1 else [parent]

        monkeypatch.setattr(processes, "tree", tree)
        monkeypatch.setattr(processes, "SERVES_SECONDS", 1.0)
        monkeypatch.setattr("deploy.lab.injection.measures.answers", lambda *_, **__: not victim.is_stopped())
        begun(victim.home, a_fault())
        assert victim.is_stopped() and processes.is_stopped(child.pid)
        engine.heal(victim.home)
        assert not victim.is_stopped() and not processes.is_stopped(child.pid)
        assert files(victim.home) == []
    finally:
        child.kill()
        child.wait()


def test_it_undoes_what_it_had_begun_where_the_injection_fails(victim: Victim) -> None:
    def half(scene: Scene) -> None:
        freeze(scene)
        raise FaultError("the second half cannot be done")

    with pytest.raises(FaultError, match="second half"):
        begun(victim.home, a_fault(half))
    assert not victim.is_stopped()
    assert files(victim.home) == []


def test_it_refuses_the_same_fault_twice_at_one_target(victim: Victim) -> None:
    begun(victim.home, a_fault())
    with pytest.raises(FaultError, match="heal it first"):
        begun(victim.home, a_fault())
    assert len(files(victim.home)) == 1
    engine.heal(victim.home)


def test_it_leaves_a_kept_fault_in_force_when_its_process_ends(victim: Victim) -> None:
    entry = journal.Entry(**json.loads((kept := _entry(victim, kept=True)).read_text()))
    assert entry.owner is None
    assert engine.replay(victim.home) == []
    assert kept.exists()
    engine.heal(victim.home)


def _entry(victim: Victim, *, kept: bool) -> Path:
    begun(victim.home, a_fault(), kept=kept)
    (place,) = files(victim.home)
    return place


def test_it_heals_what_a_dead_owner_left(victim: Victim) -> None:
    place = _entry(victim, kept=False)
    assert engine.replay(victim.home) == []  # we live
    entry = json.loads(place.read_text())
    entry["owner"]["started"] = "another process of that pid"
    place.write_text(json.dumps(entry))
    assert engine.replay(victim.home) == ["test-frozen at worker-1"]
    assert not victim.is_stopped()


def test_it_heals_what_has_had_its_time(victim: Victim) -> None:
    place = _entry(victim, kept=True)
    entry = json.loads(place.read_text())
    entry["heals_at"] = entry["at"]
    place.write_text(json.dumps(entry))
    assert engine.replay(victim.home) == ["test-frozen at worker-1"]


# A lab that is killed in the middle: it stops the victim, tells, and waits to be killed.
LAB: Final = """
import sys, threading
from pathlib import Path
from deploy.lab.injection import engine, struck
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.local.home import Home

def freeze(scene):
    struck.freeze(scene)
    print("frozen", flush=True)
    threading.Event().wait()

fault = Fault(name="test-killed", imitates="", fault_class="process", blast_radius="", shows="", undone="",
    targets=("worker-*",), ways=(Way(name="stop", how="", inject=freeze),),
    bites=lambda _: Bite(bites=True, measured=""))
engine.begin(Home(root=Path(sys.argv[1])), fault, target=None, seconds=None, way=None, kept=True, options={})
"""


def test_it_heals_after_the_lab_itself_was_killed_in_the_middle(victim: Victim) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAB, str(victim.home.root)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == b"frozen\n"
        os.kill(lab.pid, signal.SIGKILL)
        lab.wait(SECONDS)
    assert victim.is_stopped()
    assert [entry.state for entry in journal.entries(victim.home)] == ["injecting"]
    assert engine.replay(victim.home) == ["test-killed at worker-1"]
    assert not victim.is_stopped()


def test_it_never_signals_another_process_that_has_the_pid_now(victim: Victim) -> None:
    stranger = (victim.process.pid, "when another one started")
    assert processes.send([stranger], signal.SIGSTOP) == 0
    assert not victim.is_stopped()


def test_negative_control_it_signals_the_process_that_it_knows(victim: Victim) -> None:
    recorded = victim.recorded
    assert processes.send([(recorded.pid, recorded.started)], signal.SIGSTOP) == 1
    processes.await_that(victim.is_stopped, seconds=SECONDS, what="it stands still")


def test_it_refuses_an_option_that_the_fault_does_not_have(victim: Victim) -> None:
    with pytest.raises(FaultError, match="no option 'size'; its options: colour"):
        engine.begin(victim.home, a_fault(), target=None, seconds=None, way=None, kept=True, options={"size": 1})
    assert files(victim.home) == []


def test_it_refuses_a_target_that_does_not_run(victim: Victim) -> None:
    with pytest.raises(FaultError, match="choose one of worker-1"):
        engine.begin(victim.home, a_fault(), target="worker-9", seconds=None, way=None, kept=True, options={})


def test_it_says_what_this_machine_lacks(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine._OF_THE_MACHINE, "gcc", lambda: "no gcc here")
    fault = a_fault()
    way = Way(name="shim", how="", inject=freeze, needs=("gcc",))
    object.__setattr__(fault, "ways", (way,))
    with pytest.raises(FaultError, match=r"cannot be injected here: no gcc here \(way shim\)"):
        begun(victim.home, fault)
