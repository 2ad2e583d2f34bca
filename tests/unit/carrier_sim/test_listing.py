"""Day filters of the REST lists."""

from __future__ import annotations

import pytest

from deploy.local.carrier.listing import day_filters
from deploy.local.carrier.refusals import RefusedError

MIDNIGHT = 1_795_305_600.0  # 2026-11-22T00:00:00Z


@pytest.mark.parametrize(
    ("name", "value", "inside", "outside"),
    [
        ("DateSent", "2026-11-22", [MIDNIGHT, MIDNIGHT + 86_399], [MIDNIGHT - 1, MIDNIGHT + 86_400]),
        ("DateSent>", "2026-11-22", [MIDNIGHT, MIDNIGHT + 1e6], [MIDNIGHT - 1]),
        ("DateSent<", "2026-11-22", [MIDNIGHT, MIDNIGHT - 1e6], [MIDNIGHT + 1]),
        ("DateSent>", "2026-11-22T00:00:10Z", [MIDNIGHT + 10.2], [MIDNIGHT + 9.9]),
    ],
)
def test_it_holds_within_the_bound(name: str, value: str, inside: list[float], outside: list[float]) -> None:
    (bound,) = day_filters([(name, value)], "DateSent")
    assert all(bound.holds(instant) for instant in inside)
    assert not any(bound.holds(instant) for instant in [*outside, None])


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "1"])
def test_it_refuses_what_is_no_day(value: str) -> None:
    with pytest.raises(RefusedError):
        day_filters([("DateSent>", value)], "DateSent")
