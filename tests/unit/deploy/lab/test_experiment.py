"""Experiments are files that state a claim; a walk is one that a seed writes; bounds are read as they are written."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.lab import experiment, walk
from deploy.lab.experiment import Experiment, Planned, WrongExperimentError, judged, parsed
from deploy.lab.faults import catalogue
from deploy.local import tiers

KNOWN = {fault.name for fault in catalogue()}
CLAIM: dict[str, Any] = {"title": "t", "claim": "c", "promises": ["P1"]}


@pytest.mark.parametrize("name", experiment.names())
def test_it_states_a_claim_that_can_be_tried_in_under_two_minutes(name: str) -> None:
    found = experiment.read(name)
    assert {*found.promises} <= {f"P{number}" for number in range(1, 10)}
    assert {*found.tiers} <= {"naive", "durable", "redundant", "replicated", "isolated"}
    assert found.not_tested, "what was not tested is part of what was"
    # Who is put back by a minute needs that minute first.
    assert found.seconds <= 60 + found.back_seconds, "load and faults; the steady states and the quiet come on top"
    assert {fault.name for fault in found.faults} <= ({"database-put-back"} if found.back_seconds else KNOWN)
    for tier in found.tiers:
        found.expected(tier)


def test_it_takes_every_tier_that_keeps_promises_by_its_promises() -> None:
    found = parsed("x", {**CLAIM, "expect": {"default": {"refused": 0}, "naive": {"some": ["lost"]}}})
    assert found.expected("durable") == {**experiment.KEPT, "refused": 0}
    assert found.expected("naive") == {"some": ("lost",)} or found.expected("naive") == {"some": ["lost"]}


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ({"lost": 0}, []),
        ({"twice": 0}, ["twice is 2, expected 0"]),
        ({"lateness_max_seconds_max": 5}, []),
        ({"lateness_max_seconds_max": 3}, ["lateness_max_seconds is 4.5, expected at most 3"]),
        ({"refused_min": 1}, ["refused is 0, expected at least 1"]),
        ({"some": ["lost", "twice"]}, []),
        ({"some": ["lost", "refused"]}, ["none of lost, refused: this tier was expected to show at least one"]),
        ({"speed": 1}, ["speed was not measured"]),
    ],
    ids=str,
)
def test_it_bounds_what_was_measured(expected: dict[str, Any], wrong: list[str]) -> None:
    measures = {"lost": 0, "twice": 2, "refused": 0, "lateness_max_seconds": 4.5}
    assert judged(measures, expected) == wrong


@pytest.mark.parametrize(
    "found",
    [
        {**CLAIM, "load": {"per_second": 0}},
        {**CLAIM, "load": {"per_second": 5000}},
        {**CLAIM, "load": {"via": "pigeon"}},
        {**CLAIM, "claim": ""},
    ],
    ids=["no load", "too much load", "an unknown way", "no claim"],
)
def test_it_refuses_what_cannot_be_tried(found: dict[str, Any]) -> None:
    with pytest.raises(WrongExperimentError):
        parsed("x", found)


def test_it_says_which_experiments_there_are_where_one_is_unknown() -> None:
    with pytest.raises(WrongExperimentError, match="worker-killed"):
        experiment.read("no-such-experiment")


# ---- walks -----------------------------------------------------------------------------------------


def drawn(seed: int, tier: str = "durable") -> Experiment:
    return walk.drawn(seed=seed, minutes=3, tier=tier, known=KNOWN, survives="any one process dying")


def test_it_draws_the_same_walk_from_the_same_seed() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1).faults != drawn(2).faults


@pytest.mark.parametrize("tier", ["durable", "redundant", "replicated", "isolated"])
def test_it_walks_within_the_claim_of_a_tier(tier: str) -> None:
    """Known faults only, in order, all over before the load is; one after the other within a lane."""
    lanes = walk._LANES[tier]
    for seed in range(20):
        found = drawn(seed, tier).faults
        assert found
        assert {fault.name for fault in found} <= KNOWN
        for lane in lanes:
            own = [fault for fault in found if fault.name in {name for name, _ in lane}]
            assert all(one.ends < other.at for one, other in pairwise(own))


def test_it_survives_by_the_words_of_the_tiers_file() -> None:
    assert tiers.read("durable").survives in drawn(1).claim


def test_it_writes_a_walk_as_a_file_that_repeats_it(tmp_path: Path) -> None:
    place = walk.kept(drawn(3), directory=tmp_path)
    found = experiment.read(str(place))
    assert (found.faults, found.load, found.steady, found.abort) == (
        drawn(3).faults,
        drawn(3).load,
        drawn(3).steady,
        drawn(3).abort,
    )
    assert found.again == str(place)


def test_it_shrinks_a_walk_to_the_faults_that_still_fail() -> None:
    whole = drawn(5)
    guilty = (whole.faults[2], whole.faults[-1])
    trials: list[tuple[Planned, ...]] = []

    def fails(fewer: Experiment) -> bool:
        trials.append(fewer.faults)
        return all(fault in fewer.faults for fault in guilty)

    found = walk.shrunk(whole, fails=fails)
    assert all(fault in found.faults for fault in guilty)
    assert len(found.faults) < len(whole.faults)
    assert len(trials) <= 12
