"""What counts as recovered after a kill."""

from pathlib import Path
from typing import Any

import pytest

from deploy.lab.bench import results
from deploy.lab.bench.report import tables

RECOVERED: dict[str, Any] = {
    "victim": "worker-1",
    "n": 100,
    "posted_before": 40,
    "lost": 0,
    "twice": 0,
    "not_intended": 50,
    "resumed_seconds": 25.0,
    "open_intents": 10,
    "resolved_seconds": 20.0,
    "settled_seconds": 26.0,
    "unsettled": 0,
    "load": 1.0,
}


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, True),
        ({"not_intended": 0, "resumed_seconds": None, "open_intents": 0, "resolved_seconds": None}, True),
        ({"lost": 1}, False),
        ({"twice": 1}, False),
        ({"unsettled": 1, "settled_seconds": None}, False),
        ({"resumed_seconds": 25.1}, False),
        ({"resolved_seconds": 20.1}, False),
        ({"resolved_seconds": 50.0, "victim": "web-1"}, True),
    ],
)
def test_a_kill_is_survived_only_within_its_bounds(change: dict[str, Any], met: bool, tmp_path: Path) -> None:
    kept = results.Results(place=tmp_path / "results.json")
    kept.add("kill-x", processes=1, **(RECOVERED | change))
    row = next(line for line in tables(kept).splitlines() if line.startswith(("| worker-1", "| web-1")))
    assert ("| met |" in row) is met
    assert ("**missed**" in row) is not met
