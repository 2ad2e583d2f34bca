"""An exchange of the data that was stopped half way is undone, and nothing is left of its copies."""

from pathlib import Path

import pytest

from deploy.lab.injection import deeds, swapped
from deploy.local.home import Home


@pytest.mark.parametrize("stopped", ["before", "between", "after"])
def test_the_data_is_never_missing(tmp_path: Path, stopped: str) -> None:
    home = Home(root=tmp_path)
    data, newer = tmp_path / "data", tmp_path / "data.newer"
    for place in {"before": (data,), "between": (newer,), "after": (data, newer)}[stopped]:
        place.mkdir()
        (place / "is").write_text(place.name)
    for _ in range(2):  # any number of times
        deeds.undo(home, "data-back", {"data": str(data), "newer": str(newer)})
    assert (data / "is").read_text() == {"before": "data", "between": "data.newer", "after": "data"}[stopped]
    deeds.undo(home, "removed", {"paths": [str(newer)]})
    assert [place.name for place in tmp_path.iterdir()] == ["data"]


def test_a_system_that_does_not_run_is_not_opened(tmp_path: Path) -> None:
    deeds.undo(Home(root=tmp_path), "opened", {"name": "postgres-1"})
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_is_not_struck_and_a_server_that_is_alone_is(tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    home.run.mkdir()
    (home.run / "listeners.json").write_text('{"postgres-1": 1, "postgres-2": 2, "redis": 3}')
    assert swapped.alone(home, ["postgres-1", "postgres-2"]) == []
    (home.run / "listeners.json").write_text('{"postgres-1": 1, "redis": 3}')
    assert swapped.alone(home, ["postgres-1"]) == ["postgres-1"]
