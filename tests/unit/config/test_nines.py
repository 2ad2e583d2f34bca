"""How many nines a share proves, and what is left of a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.observing.nines import NINES_MAX, events_to_prove, lower_bound, nines, reached


@pytest.mark.parametrize(
    ("share", "count"), [(0.9, 1), (0.99, 2), (0.999, 3), (0.5, 0.30103), (1.0, NINES_MAX), (0, 0)]
)
def test_it_counts_nines(share: float, count: float) -> None:
    assert nines(share) == pytest.approx(count)


@pytest.mark.parametrize(("count", "events"), [(1, 25), (2, 268), (3, 2703), (4, 27053)])
def test_a_nine_needs_about_three_times_its_size_in_events(count: int, events: int) -> None:
    """The rule of three, by Wilson's bound: with that many events and no failure it is proved, with fewer it is not."""
    assert events_to_prove(count) == events
    assert nines(lower_bound(good=events, total=events)) >= count
    assert nines(lower_bound(good=events - 1, total=events - 1)) < count


def test_nothing_seen_proves_nothing() -> None:
    told = reached(good=0, total=0, target=0.999)
    assert (told.share, told.nines, told.nines_proved, told.burn_rate, told.is_met) == (None, None, None, None, None)


def test_it_says_what_is_left_of_the_budget() -> None:
    told = reached(good=9_995, total=10_000, target=0.999)
    assert told.budget_events == pytest.approx(10)
    assert told.budget_left == pytest.approx(0.5)
    assert told.burn_rate == pytest.approx(0.5)
    assert told.is_met


def test_a_budget_can_be_overspent() -> None:
    told = reached(good=97, total=100, target=0.99)
    assert told.budget_left == pytest.approx(-2)
    assert told.is_met is False


@given(total=st.integers(1, 10**7), bad=st.integers(0, 10**7))
def test_what_is_proved_is_never_more_than_what_was_seen(total: int, bad: int) -> None:
    good = total - min(bad, total)
    told = reached(good=good, total=total, target=0.999)
    assert told.nines is not None
    assert told.nines_proved is not None
    assert 0 <= told.nines_proved <= told.nines


@pytest.mark.parametrize(("good", "total", "target"), [(2, 1, 0.9), (-1, 1, 0.9), (1, 1, 1.0), (1, 1, 0.0)])
def test_it_refuses_what_cannot_be(good: int, total: int, target: float) -> None:
    with pytest.raises(ValueError, match="objective"):
        reached(good=good, total=total, target=target)
