"""Who is to blame: a worker witnesses against a row only while it is well itself."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from reminders import limits, poison
from reminders.poison import NOBODY, Health, Record

AT: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER: Final = AT + timedelta(seconds=1)
ONE, OTHER = UUID(int=1), UUID(int=2)


def test_it_is_not_well_before_it_got_something_through() -> None:
    record = Record()
    assert record.witness(monotonic=10.0).well_at is None
    record.failed(rows=[ONE], monotonic=0.0)
    assert record.witness(monotonic=10.0).well_at is None


def test_it_forgets_who_failed_long_ago_and_not_since() -> None:
    record = Record()
    record.failed(rows=[ONE, OTHER], monotonic=0.0)
    record.failed(rows=[OTHER], monotonic=2.0)
    assert record.witness(monotonic=limits.SUSPECT_SECONDS) == NOBODY
    assert record.witness(monotonic=limits.SUSPECT_SECONDS + 1.0) == Health(may=True, suspect=OTHER)
    assert record.witness(monotonic=limits.SUSPECT_SECONDS + 3.0) == Health(may=True)


def test_it_witnesses_against_any_row_where_it_failed_nobody() -> None:
    record = Record()
    record.got_through(opened_at=LATER, began=1.0)
    record.got_through(opened_at=AT, began=0.0)  # another thread's, that took longer
    assert record.witness(monotonic=10.0) == Health(may=True, well_at=LATER)


def test_it_witnesses_against_the_only_row_that_failed_and_against_no_other() -> None:
    record = Record()
    record.got_through(opened_at=AT, began=0.0)
    record.failed(rows=[ONE], monotonic=1.0)
    assert record.witness(monotonic=10.0) == Health(may=True, well_at=AT, suspect=ONE)
    record.failed(rows=[ONE], monotonic=2.0)
    assert record.witness(monotonic=10.0) == Health(may=True, well_at=AT, suspect=ONE)


def test_it_says_nothing_where_several_failed_until_something_that_began_later_got_through() -> None:
    record = Record()
    record.got_through(opened_at=AT, began=0.0)
    record.failed(rows=[ONE, OTHER], monotonic=2.0)
    assert record.witness(monotonic=10.0) == NOBODY
    record.got_through(opened_at=LATER, began=1.0)  # it began before they failed, so it shows nothing
    assert record.witness(monotonic=10.0) == NOBODY
    record.got_through(opened_at=LATER, began=3.0)
    assert record.witness(monotonic=10.0) == Health(may=True, well_at=LATER)


def test_it_remembers_a_bounded_number_of_failures() -> None:
    record = Record()
    record.failed(rows=[UUID(int=i) for i in range(3 * limits.SUSPECTS_MAX)], monotonic=0.0)
    assert len(record._failed) == limits.SUSPECTS_MAX


@pytest.mark.parametrize(
    ("claims", "strikes", "buried"),
    [(limits.CLAIMS_MAX, 1, True), (limits.CLAIMS_MAX - 1, 4, False), (1000, 0, False), (1000, 1, True)],
)
def test_a_row_is_poison_by_its_count_and_its_own_fault(claims: int, strikes: int, buried: bool) -> None:
    assert poison.is_poison(claims=claims, strikes=strikes) is buried
