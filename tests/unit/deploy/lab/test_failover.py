"""What a row of failovers is judged by, and what is said of it."""

import subprocess
import sys
import time
from dataclasses import asdict
from math import inf
from typing import Any

import pytest

from deploy.lab.commands import failover as command
from deploy.lab.failover import Blow, Death, Found, Writer


def report(**changed: Any) -> dict[str, Any]:
    blows = [
        Blow(killed="postgres-1", follows="postgres-2", writes_back_seconds=back, rejoined_seconds=rejoined)
        for back, rejoined in ((0.5, 4.0), (0.75, 6.0), (3.5, 12.0))
    ]
    found = Found(tier="isolated", per_second=100, blows=blows, written=300, acknowledged=280, texted=20, accepted=20)
    return {**asdict(found), **found.figures(), "load": [2.0], **changed}


def test_it_tells_the_distribution() -> None:
    assert command.missed(report()) == []
    assert command.told(report()).splitlines() == [
        "3 failovers on isolated under 100 writes a second, load 2 at the end",
        "writes back after 0.75 s (median), 3.5 s (worst)",
        "the old primary followed after 6 s (median), 12 s (worst)",
        "280 of 300 writes acknowledged, 0 of them lost",
        "20 of 20 texts accepted, 0 refused, 0 accepted and lost",
    ]


def test_it_measures_the_longest_silence_from_the_blow_on() -> None:
    writer = Writer(url="", per_second=100)
    writer.acknowledged = {1: 1.0, 2: 9.0, 3: 10.0, 5: 12.5, 4: 10.25, 6: 12.75}
    assert writer.gap_seconds(10.3) == 2.25  # from the last one before it
    assert writer.gap_seconds(9.5) == 2.25
    assert writer.gap_seconds(12.6) == 0.25
    assert writer.gap_seconds(20.0) == inf


def test_it_knows_when_a_process_died() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        death = Death(process.pid)
        before = time.monotonic()
        process.kill()
    assert before <= death.at() <= time.monotonic()


def test_it_takes_who_is_dead_already_for_dead_now() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    before = time.monotonic()
    assert before <= Death(process.pid).at() <= time.monotonic()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("writes_back_median_seconds", 1.01), ("writes_back_max_seconds", 4.01), ("rejoined_max_seconds", 20.1),
        ("lost", 1), ("texts_lost", 1), ("refused", 1),
    ],
)  # fmt: skip
def test_it_names_each_target_that_was_missed(name: str, value: float) -> None:
    (told,) = command.missed(report(**{name: value}))
    assert told.startswith(f"{name} is {value:g}, more than ")


def test_it_lets_a_tier_without_a_spool_refuse() -> None:
    assert command.missed(report(tier="replicated", refused=9)) == []
