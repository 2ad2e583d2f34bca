"""The probe's thread is the only one that shuts the breaker."""

import pytest

from billing import breaker
from config.postgres import probe
from config.postgres.connection import Guarded
from config.postgres.servers import Server


def test_it_takes_whatever_it_meets_for_a_refusal_and_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(breaker, "trip", lambda *, why: opened.append(why))

    def connect(_: Server | None) -> Guarded:
        raise RuntimeError("a bug")

    found = probe.Probe(connect)
    for _ in range(2):
        found._ask()
    assert opened == [breaker.AWAY] * 2
    assert not found.accepts()
