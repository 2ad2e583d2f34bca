"""By what three nodes agree: etcd where it is installed, and never another than the one that they began with."""

import base64
import time
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local import etcd, leader_key, plan, ports, settings, tiers
from deploy.local.home import Home
from deploy.local.problems import CannotStartError
from deploy.local.program import Program

PATH: Final = "/ringback/ringback/leader"


def system(root: Path, *, tier: str = "replicated", **environ: str) -> settings.System:
    home = Home(root=root / "home")
    home.make()
    told = {"RINGBACK_PROMETHEUS": "0", **environ}
    return settings.system(tier=tiers.read(tier), home=home, ports=ports.ports("18100"), environ=told)


def planned(chosen: settings.System) -> dict[str, Program]:
    return {one.name: one for one in plan.plan(chosen, migrates=False)}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcd, "lack", lambda: "")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcd, "lack", lambda: "etcd is not installed")


@pytest.mark.usefixtures("installed")
def test_they_agree_by_etcd_where_it_is_installed_and_wait_until_it_asks_for_the_password(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    found = planned(chosen)
    members = {"etcd-1", "etcd-2", "etcd-3"}
    assert {name for name in found if name.startswith(("etcd", "raft"))} == {*members, "etcd-password"}
    assert set(found["etcd-password"].needs) == members
    for name in ("leader-key", "postgres-1", "postgres-2", "postgres-3"):
        assert "etcd-password" in found[name].needs
    assert {plan.listening(chosen)[f"etcd-{number}"] for number in (1, 2, 3)} == {18126, 18127, 18128}
    assert (chosen.home.root / "etcd").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("installed")
def test_no_command_shows_the_password(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    found = planned(chosen)
    password = chosen.home.secret(etcd.SECRET)
    told = [word for one in found.values() for word in (*one.command, *one.environment.values())]
    assert [word for word in told if password in word] == []
    assert password in (chosen.home.root / "postgres-1" / "patroni.json").read_text()


@pytest.mark.usefixtures("installed")
def test_it_goes_on_with_what_the_nodes_began_with(tmp_path: Path) -> None:
    planned(system(tmp_path, RINGBACK_ETCD="0"))
    assert system(tmp_path).decisions.kind == "raft"
    with pytest.raises(CannotStartError, match="agree by raft, and RINGBACK_ETCD=1"):
        system(tmp_path, RINGBACK_ETCD="1")


@pytest.mark.usefixtures("installed")
def test_it_does_not_begin_anew_beside_what_etcd_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(system(tmp_path))
    with pytest.raises(CannotStartError, match="agree by etcd, and RINGBACK_ETCD=0"):
        system(tmp_path, RINGBACK_ETCD="0")
    monkeypatch.setattr(etcd, "lack", lambda: "etcd is not installed")
    with pytest.raises(CannotStartError, match="agree by etcd, and etcd is not installed"):
        system(tmp_path)


@pytest.mark.usefixtures("absent")
def test_they_agree_by_raft_where_etcd_is_not_installed(tmp_path: Path) -> None:
    assert system(tmp_path).decisions.kind == "raft"
    with pytest.raises(CannotStartError, match="RINGBACK_ETCD=1, but etcd is not installed"):
        system(tmp_path / "other", RINGBACK_ETCD="1")


@pytest.mark.usefixtures("installed")
def test_one_node_alone_needs_nobody_to_agree_with(tmp_path: Path) -> None:
    assert [name for name in planned(system(tmp_path, tier="durable")) if name.startswith(("etcd", "raft"))] == []


class Store:
    """The key as etcd keeps it; `moves` is what becomes of it between the look and the deletion."""

    leader_path: Final = PATH

    def __init__(self, node: str | None, *, revision: int = 7, moves: tuple[str, int] | None = None) -> None:
        self.node, self.revision, self.moves = node, revision, moves
        self._client = self
        self.fails = 0

    def range(self, path: str, *, serializable: bool) -> dict[str, Any]:
        assert (path, serializable) == (PATH, False)  # of a majority: one that lags may show a key that is gone
        if self.fails:
            self.fails -= 1
            raise TimeoutError
        if self.node is None:
            return {"header": {}}
        value = base64.b64encode(self.node.encode()).decode()
        return {"header": {}, "kvs": [{"value": value, "mod_revision": str(self.revision)}]}

    def deleterange(self, path: str, *, mod_revision: str) -> dict[str, Any]:
        assert path == PATH
        if self.moves:
            (self.node, self.revision), self.moves = self.moves, None
        if mod_revision != str(self.revision):
            return {}
        self.node = None
        return {"succeeded": True}


def deleted(store: Store, *, seconds: float = 10) -> str:
    return leader_key.delete(leader_key.EtcdKey(store), node="postgres-1", until=time.monotonic() + seconds)


def test_it_deletes_the_key_of_a_dead_leader() -> None:
    store = Store("postgres-1")
    assert deleted(store) == "led; its key is deleted"
    assert store.node is None


def test_it_touches_no_key_of_another_node() -> None:
    for store in (Store("postgres-2"), Store(None), Store("postgres-1", moves=("postgres-2", 8))):
        before = store.moves[0] if store.moves else store.node
        assert deleted(store) == "did not lead"
        assert store.node == before


def test_it_asks_again_where_nobody_answered_and_gives_up_in_time() -> None:
    store = Store("postgres-1")
    store.fails = 2
    assert deleted(store) == "led; its key is deleted"
    assert deleted(Store("postgres-1"), seconds=-1).startswith("may still lead")
