"""The arithmetic of a measurement."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.bench import figures

NUMBERS = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=200)


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert figures.percentile(values, 0.50) == 50.0
    assert figures.percentile(values, 0.99) == 99.0
    assert figures.percentile(values, 1.0) == 100.0
    assert figures.percentile(values, 0.0) == 1.0


def test_percentile_of_few_values_is_never_better_than_what_was_seen() -> None:
    assert figures.percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert figures.percentile([7.0], 0.5) == 7.0


@given(NUMBERS, st.floats(min_value=0, max_value=1))
def test_percentile_is_one_of_the_values_and_covers_its_share(values: list[float], share: float) -> None:
    found = figures.percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_percentile_refuses_what_is_no_share(share: float) -> None:
    with pytest.raises(ValueError, match="not a share"):
        figures.percentile([1.0], share)


def test_nothing_measured_is_an_error_and_not_a_nought() -> None:
    with pytest.raises(ValueError, match="no values"):
        figures.percentile([], 0.5)
    with pytest.raises(ValueError, match="no rounds"):
        figures.spread([])


def test_spread_keeps_the_worst_and_the_best_round() -> None:
    found = figures.spread([3.0, 1.0, 2.0, 10.0])
    assert (found.rounds, found.median, found.least, found.most) == (4, 2.5, 1.0, 10.0)


def test_ratios_are_taken_within_a_round() -> None:
    # The machine was twice as slow in the second round, for both.
    found = figures.ratios([100.0, 50.0], [200.0, 100.0])
    assert (found.median, found.least, found.most) == (0.5, 0.5, 0.5)


def test_ratios_need_pairs() -> None:
    with pytest.raises(ValueError, match="pairs"):
        figures.ratios([1.0], [1.0, 2.0])


def test_a_ratio_to_nothing_is_without_end() -> None:
    assert math.isinf(figures.ratios([1.0], [0.0]).median)


def test_latency_is_told_in_milliseconds() -> None:
    found = figures.latency([0.001, 0.002, 0.003])
    assert (found.n, found.p50_ms, found.p99_ms, found.max_ms) == (3, 2.0, 3.0, 3.0)


def test_a_rate_without_time_is_nought() -> None:
    assert figures.rate(10, 2.0) == 5.0
    assert figures.rate(10, 0.0) == 0.0


@given(st.lists(st.sampled_from(["a", "b", "c"])))
def test_repeated_counts_each_time_too_many(keys: list[str]) -> None:
    assert figures.repeated(keys) == sum(max(0, keys.count(key) - 1) for key in set(keys))


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.123, "0.12"), (9.999, "10.00"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346"), (math.inf, "—")],
)
def test_numbers_are_shown_with_the_digits_that_mean_something(value: float, told: str) -> None:
    assert figures.shown(value) == told


def test_a_spread_is_shown_with_its_range() -> None:
    assert figures.shown_spread(figures.spread([1.0, 2.0, 3.0])) == "2.00 (1.00–3.00)"
