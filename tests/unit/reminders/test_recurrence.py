"""Rules on the wall clock: over every change of the clocks from 2025 to 2035, against an independent judge."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from reminders import recurrence

ZONES: Final = (
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


def changes(zone: str) -> list[datetime]:
    """The days on which the clocks of a zone change."""
    found, at, here = [], FIRST, ZoneInfo(zone)
    while at < LAST:
        if at.astimezone(here).utcoffset() != (at + timedelta(days=1)).astimezone(here).utcoffset():
            found.append(at)
        at += timedelta(days=1)
    return found


def exists(wall: datetime, zone: str) -> bool:
    aware = wall.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", [(0, 0), (0, 30), (1, 30), (2, 0), (2, 30), (3, 0), (9, 0), (23, 30)])
def test_a_daily_reminder_keeps_its_wall_time_over_every_change(zone: str, clock: tuple[int, int]) -> None:
    hour, minute = clock
    rule = f"FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}"
    for change in changes(zone):
        begin = (change - timedelta(days=2)).astimezone(ZoneInfo(zone))
        at = begin.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
        for day in range(1, 6):
            wanted = (begin + timedelta(days=day)).replace(
                tzinfo=None, hour=hour, minute=minute, second=0, microsecond=0
            )
            found = recurrence.following(rule=rule, rule_at=at, zone=zone, after=at)
            assert found is not None
            wall = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            if exists(wanted, zone):
                assert (wall, found.fold) == (wanted, 0)
            else:  # the gap: as much later as the clocks skip
                assert timedelta(0) < wall - wanted <= timedelta(hours=1)
            at = found


RULES: Final = st.one_of(
    st.builds(
        "FREQ=DAILY;INTERVAL={};BYHOUR={};BYMINUTE={}".format, st.integers(1, 9), st.integers(4, 23), st.integers(0, 59)
    ),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={};BYHOUR={};BYMINUTE=0".format,
        st.integers(1, 5),
        st.lists(st.sampled_from(recurrence.WEEKDAYS), min_size=1, max_size=7, unique=True).map(",".join),
        st.integers(4, 23),
    ),
    st.builds(
        "FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={};BYHOUR=9;BYMINUTE=30".format, st.integers(1, 6), st.integers(1, 31)
    ),
    st.builds("FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR={};BYMINUTE=0".format, st.integers(4, 23)),
    st.builds(
        "FREQ=MONTHLY;BYDAY={}{};BYHOUR=9;BYMINUTE=0".format,
        st.sampled_from([1, 2, 3, 4, -1]),
        st.sampled_from(recurrence.WEEKDAYS),
    ),
    st.builds(
        "FREQ=YEARLY;BYMONTH={};BYMONTHDAY={};BYHOUR=9;BYMINUTE=0".format, st.integers(1, 12), st.integers(1, 28)
    ),
)


@given(rule=RULES, start=st.datetimes(datetime(2025, 1, 1), datetime(2032, 1, 1)), zone=st.sampled_from(ZONES))
def test_it_agrees_with_an_independent_judge(rule: str, start: datetime, zone: str) -> None:
    start = start.replace(second=0, microsecond=0)
    judge = rrulestr(rule + ";WKST=MO", dtstart=start)
    at = start.replace(tzinfo=ZoneInfo(zone))
    wanted = start
    for _ in range(5):
        later = judge.after(wanted)
        found = recurrence.following(rule=rule, rule_at=at, zone=zone, after=at)
        if later is None or found is None:
            return
        wanted = later
        if not exists(wanted, zone):
            return
        assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wanted
        at = found


def test_a_number_of_times_becomes_a_last_date() -> None:
    first = datetime(2026, 3, 27, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    rule = recurrence.pinned(rule="FREQ=DAILY;COUNT=4", first=first, zone="Europe/Berlin")
    assert rule == "FREQ=DAILY;BYHOUR=9;BYMINUTE=30;UNTIL=20260330T073000Z"
    at, times = first, 1
    while (later := recurrence.following(rule=rule, rule_at=at, zone="Europe/Berlin", after=at)) is not None:
        at, times = later, times + 1
    assert times == 4


@given(rule=RULES, start=st.datetimes(datetime(2025, 1, 1), datetime(2032, 1, 1)))
def test_one_interval_before_leads_to_the_same_date_again(rule: str, start: datetime) -> None:
    at = start.replace(microsecond=0, tzinfo=UTC)
    present = recurrence.following(rule=rule, rule_at=at, zone="UTC", after=at)
    if present is None:
        return
    before = recurrence.before(rule=rule, rule_at=present, zone="UTC")
    assert before < present
    assert recurrence.following(rule=rule, rule_at=before, zone="UTC", after=present - timedelta(seconds=1)) == present


@pytest.mark.parametrize(
    ("rule", "often"), [("FREQ=SECONDLY;INTERVAL=30", True), ("FREQ=MINUTELY", False), ("FREQ=DAILY", False)]
)
def test_calls_come_at_least_a_minute_apart(rule: str, often: bool) -> None:
    assert recurrence.too_often(rule=rule) is often
