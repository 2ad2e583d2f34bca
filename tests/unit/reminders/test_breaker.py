"""The breaker: closed, open, one probe at a time."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.breaker import Breaker

FAILURES: Final = 3


def _breaker() -> Breaker:
    return Breaker(failures_max=FAILURES, open_seconds=1, open_seconds_max=4)


def _opened() -> Breaker:
    breaker = _breaker()
    for _ in range(FAILURES):
        breaker.failed(monotonic=0)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = _breaker()
    for _ in range(5):
        for _ in range(FAILURES - 1):
            breaker.failed(monotonic=0)
        assert breaker.closed
        assert breaker.allows(monotonic=0)
        breaker.succeeded()
    assert not _opened().closed


def test_it_lets_one_probe_through_after_a_while() -> None:
    breaker = _opened()
    assert [breaker.allows(monotonic=t) for t in (0, 0.9, 1.0, 1.0, 1.5)] == [False, False, True, False, False]
    breaker.succeeded()
    assert breaker.closed
    assert breaker.allows(monotonic=1.5)


def test_it_waits_twice_as_long_after_each_failed_probe_up_to_a_bound() -> None:
    breaker, now, waits = _opened(), 0.0, []
    for _ in range(4):
        began = now
        while not breaker.allows(monotonic=now):
            now += 0.5
        waits.append(now - began)
        breaker.failed(monotonic=now)
    assert waits == [1, 2, 4, 4]


def test_it_sends_another_probe_where_one_was_never_reported() -> None:
    breaker = _opened()
    assert breaker.allows(monotonic=1)
    assert not breaker.allows(monotonic=4.9)
    assert breaker.allows(monotonic=5)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ask", "fail", "succeed"]), st.floats(0, 10)), max_size=60))
def test_it_never_lets_two_pass_an_open_breaker_at_once(steps: list[tuple[str, float]]) -> None:
    breaker, now, probing_until = _breaker(), 0.0, -1.0
    for step, seconds in steps:
        now += seconds
        if step == "ask" and breaker.allows(monotonic=now) and not breaker.closed:
            assert now >= probing_until
            probing_until = now + breaker.open_seconds_max
        elif step == "fail":
            breaker.failed(monotonic=now)
            probing_until = -1.0
        elif step == "succeed":
            breaker.succeeded()
            assert breaker.closed
            probing_until = -1.0
