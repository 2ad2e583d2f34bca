"""Patroni as it runs here: the reader in C, and a look at the server four times a second."""

import time
from importlib.util import find_spec

import pytest
import yaml

from deploy.local import patroni

pytestmark = pytest.mark.skipif(
    find_spec("patroni") is None, reason="needs the extra `ha`: `TIER=replicated make up` installs it"
)


def test_it_reads_yaml_in_c() -> None:
    assert not yaml.__with_libyaml__ or yaml.SafeLoader.__name__ == "CSafeLoader"
    assert yaml.safe_load("a: [1, x]") == {"a": [1, "x"]}


def test_it_looks_more_often_at_what_its_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from patroni import postgresql, utils

    waited: list[float] = []
    monkeypatch.setattr(postgresql, "polling_loop", utils.polling_loop)  # puts back what hasten() takes
    monkeypatch.setattr(time, "sleep", waited.append)
    looks = postgresql.polling_loop(60)
    assert [next(looks), next(looks)] == [0, 1]
    assert waited == [1.0]  # what Patroni does by itself
    patroni.hasten()
    looks = postgresql.polling_loop(60)
    assert [next(looks), next(looks)] == [0, 1]
    assert waited == [1.0, patroni.LOOK_SECONDS]
