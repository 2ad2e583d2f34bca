"""Who is under watch is read by one thread of each process."""

from types import SimpleNamespace

import pytest

from config import telemetry


class Over(Exception):
    """Enough turns."""


def test_its_thread_outlives_whatever_it_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter(range(2))

    def read() -> None:
        raise RuntimeError("a bug")

    def sleep(_: float) -> None:
        if next(turns, None) is None:
            raise Over

    monkeypatch.setattr(telemetry, "read_watched", read)
    monkeypatch.setattr(telemetry, "time", SimpleNamespace(sleep=sleep))
    with pytest.raises(Over):
        telemetry._keep_up()
