"""What is let in: an allowance for each name, and places for a class."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.admission import Allowances, Places, Verdict, block_of

ADMITTED, TOLD, SILENT = Verdict.ADMITTED, Verdict.TOLD, Verdict.SILENT
NAME: Final = "+12025550101"


def _take(allowances: Allowances, times: int, *, at: float = 0.0, name: str = NAME) -> list[Verdict]:
    return [allowances.take(name=name, monotonic=at) for _ in range(times)]


def test_it_admits_an_allowance_tells_once_and_is_silent_then() -> None:
    allowances = Allowances(per_minute=3, names_max=10)
    assert _take(allowances, 6) == [ADMITTED] * 3 + [TOLD, SILENT, SILENT]
    assert _take(allowances, 1, name="+12025550102") == [ADMITTED]


def test_it_refills_by_the_minute_and_tells_again_after_a_pause_only() -> None:
    allowances = Allowances(per_minute=60, names_max=10)
    assert _take(allowances, 62)[-2:] == [TOLD, SILENT]
    assert _take(allowances, 2, at=1) == [ADMITTED, SILENT], "still in the same flood"
    assert _take(allowances, 62, at=100) == [ADMITTED] * 60 + [TOLD, SILENT]


def test_it_bounds_nothing_at_zero() -> None:
    assert set(_take(Allowances(per_minute=0, names_max=10), 1000)) == {ADMITTED}


def test_it_remembers_so_many_names() -> None:
    allowances = Allowances(per_minute=1, names_max=2)
    for name in ("a", "b", "c"):
        _take(allowances, 1, name=name)
    assert len(allowances._buckets) == 2
    assert _take(allowances, 1, name="c") == [TOLD]
    assert _take(allowances, 1, name="a") == [ADMITTED], "forgotten"


@settings(deadline=None)
@given(st.floats(1, 100), st.lists(st.floats(0, 30), max_size=200))
def test_it_never_admits_more_than_an_allowance_and_what_was_refilled(per_minute: float, pauses: list[float]) -> None:
    allowances, now, admitted = Allowances(per_minute=per_minute, names_max=5), 0.0, 0
    for pause in pauses:
        now += pause
        admitted += allowances.take(name=NAME, monotonic=now) is ADMITTED
        assert admitted <= per_minute + now * per_minute / 60 + 1e-6


def test_it_gives_so_many_places() -> None:
    places = Places(places_max=2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert [places.take() for _ in range(2)] == [True, False]


def test_it_takes_ten_thousand_numbers_for_a_block() -> None:
    assert block_of("+12025550101") == block_of("+12025559999") == "+1202555"
    assert block_of("+12025560101") != block_of("+12025550101")
