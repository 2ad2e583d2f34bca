"""Patroni as it runs here: the reader in C, and a look at the server four times a second."""

from collections.abc import Iterator
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

    asked: list[float] = []

    def looks(timeout: float, interval: float = 1) -> Iterator[int]:
        asked.append(interval)
        return iter(range(round(timeout)))

    assert postgresql.polling_loop is utils.polling_loop, "the name that is replaced"
    monkeypatch.setattr(utils, "polling_loop", looks)
    monkeypatch.setattr(postgresql, "polling_loop", looks)  # puts back what hasten() takes
    assert list(postgresql.polling_loop(2)) == [0, 1]
    patroni.hasten()
    assert list(postgresql.polling_loop(2)) == [0, 1]
    assert asked == [1, patroni.LOOK_SECONDS]
