"""What we say that repeats is read again as the same rule, in every language."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminders import recurrence, rule_words
from reminders.grammar import understand
from reminders.schedule import read, rules
from reminders.schedule.phrase import WORDS_MAX
from reminders.schedule.tokens import tokens

NOW = datetime(2026, 11, 18, 10, 20, tzinfo=ZoneInfo("America/New_York"))
# Where days come first, or months; where a bare hour is one of twelve, or of twenty-four.
PLACES = [("America/New_York", False), ("Asia/Kolkata", True), ("Europe/Madrid", True), ("Australia/Sydney", True)]
LANGUAGES = ["en", "es", "hi"]
SHOWN = 8

weekdays = st.lists(st.sampled_from(recurrence.WEEKDAYS), min_size=1, max_size=6, unique=True)
nths = st.lists(st.sampled_from([1, 2, 3, 4, 5, -1, -2, -3, -4]), min_size=1, max_size=2, unique=True)
days_of_any_month = st.one_of(
    st.lists(st.integers(1, 28), min_size=1, max_size=4, unique=True).map(sorted),
    st.sampled_from([[-1], [-2], [15, -1]]),
)
days_of_month = st.one_of(days_of_any_month, st.sampled_from([[29], [31]]))
months = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True).map(sorted)
clocks = st.builds(
    lambda hours, minutes: f"BYHOUR={_joined(sorted(hours))};BYMINUTE={_joined(sorted(minutes))}",
    st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True),
    st.sampled_from([[0], [30], [5], [0, 30]]),
)


def _joined(values: list[int] | list[str]) -> str:
    return ",".join(map(str, values))


@st.composite
def days(draw: st.DrawFn) -> str:
    """How often, and on which days: what is said before the times of the day."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    interval = draw(st.sampled_from([1, 1, 2, 3, 10]))
    parts = [f"FREQ={freq}", *([f"INTERVAL={interval}"] if interval > 1 else [])]
    if freq == "WEEKLY":
        listed = draw(weekdays)
        parts.append(f"BYDAY={_joined(sorted(listed, key=recurrence.WEEKDAYS.index))}")
    if freq == "YEARLY":
        parts.append(f"BYMONTH={_joined(draw(months))}")
    if freq in ("MONTHLY", "YEARLY"):
        usual = days_of_month if freq == "MONTHLY" else days_of_any_month
        day = draw(st.sampled_from(recurrence.WEEKDAYS))
        nth = st.builds(lambda found: f"BYDAY={_joined([f'{n}{day}' for n in found])}", nths)
        parts.append(draw(st.one_of(nth, usual.map(lambda found: f"BYMONTHDAY={_joined(found)}"))))
    return ";".join([*parts, draw(clocks)])


elapsing = st.builds(
    lambda freq, interval: f"FREQ={freq}" + (f";INTERVAL={interval}" if interval > 1 else ""),
    st.sampled_from(["HOURLY", "MINUTELY"]),
    st.integers(1, 90),
)
ends = st.one_of(st.none(), st.integers(1, 9), st.dates(datetime(2026, 12, 1).date(), datetime(2029, 12, 31).date()))


def first_of(rule: str, now: datetime, zone: str) -> datetime | None:
    """The first time of a rule: one interval from now for hours and minutes, else the next such day and time."""
    parts = recurrence.parse(rule)
    if not recurrence.drifts(rule=rule):
        parts.pop("INTERVAL", None)
    return rules.following(rule=";".join(f"{k}={v}" for k, v in parts.items()), start=now, after=now, tz=zone)


def ended(rule: str, end: object, first: datetime, zone: str) -> str:
    if end is None:
        return rule
    if isinstance(end, int):
        return recurrence.pinned(rule=f"{rule};COUNT={end}", first=first, zone=zone)
    last = datetime.fromisoformat(f"{end} 23:59:59").replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
    return f"{rule};UNTIL={last:%Y%m%dT%H%M%SZ}"


def times(rule: str, first: datetime, zone: str) -> list[datetime]:
    found = [first]
    while len(found) < SHOWN:
        later = rules.following(rule=rule, start=first, after=found[-1], tz=zone)
        if later is None:
            break
        found.append(later)
    assert all(one < other for one, other in pairwise(found))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(rule=st.one_of(days(), days(), days(), elapsing), end=ends, place=st.sampled_from(PLACES), behind=st.booleans())
@example(rule="FREQ=SECONDLY;INTERVAL=90", end=None, place=PLACES[0], behind=False)
@example(rule="FREQ=MONTHLY;BYDAY=2MO;BYHOUR=9;BYMINUTE=0", end=None, place=PLACES[2], behind=False)
@example(rule="FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3;BYHOUR=9;BYMINUTE=0", end=None, place=PLACES[2], behind=False)
@example(
    rule="FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0", end=datetime(2027, 12, 3).date(), place=PLACES[0], behind=True
)
@example(rule="FREQ=DAILY;BYHOUR=9,18;BYMINUTE=0", end=3, place=PLACES[1], behind=False)
def test_what_we_say_of_a_rule_is_read_as_that_rule(
    language: str, rule: str, end: object, place: tuple[str, bool], behind: bool
) -> None:
    zone, dayfirst = place
    now = NOW.replace(tzinfo=ZoneInfo(zone))
    first = first_of(rule, now, zone)
    if first is None:
        return  # the 31st of february
    rule = ended(rule, end, first, zone)
    if times(rule, first, zone)[-1] > (recurrence.until(rule) or now + timedelta(days=365_000)):
        return  # over before it begins
    said = rule_words.say_rule(rule=rule, zone=zone, language=language)
    if len(tokens(said)) > WORDS_MAX:
        return  # six times of a day, on two days of three months

    request = understand(f"xyzzy {said}" if behind else f"{said} xyzzy", now, zone, dayfirst, language)
    assert (request.kind, request.subject, len(request.choices) > 1) == ("remind", "xyzzy", False), said
    assert request.when == first, said
    assert request.rrule is not None, said
    assert times(request.rrule, first, zone) == times(rule, first, zone), (said, request.rrule)

    alone = read(said, now, zone, dayfirst)
    assert isinstance(alone, str), said
    assert times(alone, first, zone) == times(rule, first, zone), (said, alone)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=1,15;BYHOUR=9;BYMINUTE=0", "every month on day 1 and 15 at 9:00 AM"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2;BYHOUR=9;BYMINUTE=0", "every month on the 2nd last day at 9:00 AM"),
        ("FREQ=MONTHLY;BYDAY=-4FR;BYHOUR=9;BYMINUTE=0", "every month on the 4th last Fri at 9:00 AM"),
        ("FREQ=SECONDLY;INTERVAL=90", "every 90 seconds"),
        ("FREQ=SECONDLY;INTERVAL=120", "every 2 minutes"),
        ("FREQ=HOURLY;INTERVAL=2;UNTIL=20261118T232000Z", "every 2 hours until Wed 18 Nov 2026 at 6:20 PM"),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0;UNTIL=20261120T140000Z", "every day at 9:00 AM until Fri 20 Nov 2026"),
    ],
)
def test_it_says_what_the_rule_has(rule: str, said: str) -> None:
    assert rule_words.say_rule(rule=rule, zone="America/New_York", language="en") == said
