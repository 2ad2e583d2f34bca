"""Date phrases on their own: points in time, rules, the calendar and the clocks' changes."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.schedule import days, read
from reminders.schedule.rules import following
from reminders.schedule.tokens import fold

TABLES = Path(__file__).parent / "tables"
ROOT = Path(__file__).parents[3]
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 5, 13, 10, 20, tzinfo=NEW_YORK)
ZONES = ("America/New_York", "Europe/London", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago")


def rows() -> list[tuple[str, str, str]]:
    lines = (TABLES / "phrases.tsv").read_text("utf-8").splitlines()
    parsed = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(text, zone, want) for text, zone, want in parsed]


def written(found: datetime | date | str | None, zone: str) -> str:
    if isinstance(found, datetime):
        found = found.astimezone(ZoneInfo(zone))
        return f"{found:%Y-%m-%d %H:%M}" + (f":{found:%S}" if found.second else "")
    return "none" if found is None else str(found)


@pytest.mark.parametrize(("text", "zone", "want"), rows())
def test_it_reads_as_the_table_says(text: str, zone: str, want: str) -> None:
    reference = NOW.replace(tzinfo=ZoneInfo(zone))
    assert written(read(text, reference, zone, dayfirst=not zone.startswith("America/")), zone) == want


def test_it_needs_no_django_and_is_cheap_to_import() -> None:
    code = (
        "import sys;from reminders.schedule import read;"
        "print(*(name for name in ('django', 'tomllib', 're', 'reminders.schedule.reader') if name in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []  # the tables load with the first phrase


@pytest.mark.parametrize("zone", ZONES)
def test_a_gap_shifts_forward_and_a_fold_takes_the_first(zone: str) -> None:
    here = ZoneInfo(zone)
    hour = datetime(2025, 1, 1, tzinfo=UTC)
    seen = 0
    while hour.year < 2036:
        later = hour + timedelta(hours=1)
        before, after = hour.astimezone(here).utcoffset(), later.astimezone(here).utcoffset()
        assert before is not None
        assert after is not None
        if before != after:
            seen += 1
            wall = (hour.astimezone(here).replace(tzinfo=None) + timedelta(minutes=75)).replace(minute=15)
            text = f"{wall:%Y-%m-%d %H:%M}"
            found = read(text, hour - timedelta(days=2), zone)
            assert isinstance(found, datetime)
            if after > before:
                said = wall.replace(tzinfo=here)
                assert found.astimezone(UTC) >= hour
                assert said.astimezone(UTC) == found.astimezone(UTC)
            else:
                assert found.fold == 0
                assert found.replace(tzinfo=None) == wall
        hour = later
    assert seen >= 20


@pytest.mark.parametrize("zone", ZONES)
def test_a_rule_keeps_its_wall_time_across_every_transition(zone: str) -> None:
    here = ZoneInfo(zone)
    at = datetime(2025, 1, 1, 9, 0, tzinfo=here)
    start = at
    for _ in range(11 * 365):
        after = following(rule="FREQ=DAILY;BYHOUR=9;BYMINUTE=0", start=start, after=at, tz=zone)
        assert after is not None
        assert (after.hour, after.minute, after.date() - at.date()) == (9, 0, timedelta(days=1))
        at = after


RULES = (
    "FREQ=DAILY;INTERVAL=3;BYHOUR=8;BYMINUTE=0",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=7;BYMINUTE=30",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;BYHOUR=9;BYMINUTE=0",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9;BYMINUTE=0",
    "FREQ=MONTHLY;BYMONTHDAY=1,15,-1;BYHOUR=9,21;BYMINUTE=0",
    "FREQ=MONTHLY;BYDAY=2FR,-1FR;BYHOUR=9;BYMINUTE=0",
    "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO;BYHOUR=9;BYMINUTE=0",
    "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR;BYHOUR=9;BYMINUTE=0",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=9;BYMINUTE=0",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH;BYHOUR=9;BYMINUTE=0",
    "FREQ=DAILY;BYHOUR=10,12,17;BYMINUTE=0",
    "FREQ=HOURLY;INTERVAL=8",
    "FREQ=MINUTELY;INTERVAL=45",
)


@settings(max_examples=30, deadline=None)
@given(st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1)))
@pytest.mark.parametrize("rule", RULES)
def test_it_agrees_with_dateutil_on_when_a_rule_happens(rule: str, start: datetime) -> None:
    begin = start.replace(second=0, microsecond=0, tzinfo=UTC)
    peer = iter(rrulestr(rule, dtstart=begin))
    at = begin
    for _ in range(6):
        want = next(peer)
        while want <= at:
            want = next(peer)
        found = following(rule=rule, start=begin, after=at, tz="UTC")
        assert found == want
        assert found is not None
        at = found


def test_a_rule_ends_with_its_count_and_its_last_day() -> None:
    at = NOW.replace(hour=9)
    assert following(rule="FREQ=DAILY;COUNT=3", start=at, after=at, tz="America/New_York", made=3) is None
    assert following(rule="FREQ=DAILY;UNTIL=20260514T120000Z", start=at, after=at, tz="America/New_York") is None


@pytest.mark.parametrize(("year", "sunday"), [(2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28")])
def test_it_knows_easter(year: int, sunday: str) -> None:
    assert f"{date.fromordinal(days.easter(year)):%m-%d}" == sunday


@given(st.text(st.characters(exclude_categories=()), max_size=100))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=100), st.sampled_from(ZONES), st.booleans())
def test_it_never_raises_and_never_names_the_past(text: str, zone: str, dayfirst: bool) -> None:
    found = read(text, NOW, zone, dayfirst)
    if isinstance(found, datetime):
        assert found >= NOW
