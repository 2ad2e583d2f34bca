"""Real etcd as the tier with three nodes runs it: who may ask it, and what deletes the leader key."""

import base64
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local import etcd, etcd_password, leader_key, replicated
from deploy.local.decisions import MEMBERS, addresses
from deploy.local.etcd import Etcd
from deploy.local.home import Home
from deploy.local.ports import Ports
from tests import ports
from tests.acceptance.waiting import until

pytestmark = pytest.mark.skipif(bool(etcd.lack()), reason=etcd.lack())
FOLLOWERS: Final = range(Ports(web=0).etcd, Ports(web=0).etcd + MEMBERS)
STOP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Cluster:
    """Three members that know each other."""

    home: Home
    ports: Ports

    def set_password(self) -> int:
        return etcd_password.main(addresses(self.ports.etcd)[0], str(self.home.secrets / etcd.SECRET))

    def status(self, path: str, body: str) -> int:
        """What somebody is answered who knows no password."""
        connection = HTTPConnection(addresses(self.ports.etcd)[1], timeout=10)
        try:
            connection.request("POST", f"/v3{path}", body)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = Home(root=tmp_path_factory.mktemp("etcd") / "home")
    home.make()
    taken = ports.take(among=ports.DECISIONS, followers=FOLLOWERS)
    numbers = Ports(web=taken.port)
    home.secret(etcd.SECRET)
    decisions = Etcd()
    with ExitStack() as stack:
        stack.callback(taken.close)
        for number in range(1, MEMBERS + 1):
            command = decisions.member(home, number, ports=numbers)
            process = subprocess.Popen(command, cwd=decisions.directory(home), stderr=subprocess.DEVNULL)
            stack.callback(process.wait, timeout=STOP_SECONDS)
            stack.callback(process.kill)
        for number in range(MEMBERS):
            port = numbers.etcd + number
            until(partial(decisions.is_ready, port), what=f"etcd on {port} is one of a majority")
        yield Cluster(home, numbers)


@pytest.fixture
def key(cluster: Cluster) -> Any:
    """The leader key as the process that deletes it sees it, and a way to write it."""
    from patroni.dcs import get_dcs

    assert cluster.set_password() == 0
    place = Path(replicated.leader_key(cluster.home, ports=cluster.ports, decisions=Etcd())[-1])
    return get_dcs(leader_key.settings(place))


def test_it_answers_nobody_without_the_password_once_that_is_set(cluster: Cluster) -> None:
    assert cluster.set_password() == 0
    assert cluster.set_password() == 0  # as at every start
    asked = base64.b64encode(b"/ringback/ringback/leader").decode()
    for path, body in (
        ("/kv/range", f'{{"key": "{asked}"}}'),
        ("/kv/deleterange", f'{{"key": "{asked}"}}'),
        ("/kv/put", f'{{"key": "{asked}", "value": ""}}'),
        ("/auth/disable", "{}"),
        ("/cluster/member/remove", '{"ID": "1"}'),
    ):
        assert cluster.status(path, body) >= 400, path


def test_it_says_so_where_the_password_is_another(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.set_password() == 0
    other = cluster.home.secrets / "other"
    other.write_text("another")
    assert etcd_password.main(addresses(cluster.ports.etcd)[0], str(other)) == 1
    assert "etcd refused" in capsys.readouterr().err


def test_it_deletes_the_key_of_the_dead_and_no_other(key: Any) -> None:
    path = key.leader_path
    seen = leader_key.EtcdKey(key)
    assert seen.held() is None
    key._client.put(path, "postgres-2")
    assert leader_key.delete(seen, node="postgres-1", until=time.monotonic() + 20) == "did not lead"
    node, revision = seen.held() or ("", 0)
    assert node == "postgres-2"
    key._client.put(path, "postgres-2")  # it was taken anew meanwhile
    assert not seen.delete(node="postgres-2", version=revision)
    assert leader_key.delete(seen, node="postgres-2", until=time.monotonic() + 20) == "led; its key is deleted"
    assert seen.held() is None
