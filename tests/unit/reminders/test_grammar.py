"""Whole messages: what is asked, when, and about what."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders import replies
from reminders.grammar import KINDS, moved, understand

TABLES = Path(__file__).parent / "tables"
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 10, 20, tzinfo=NEW_YORK)


def rows(name: str) -> list[tuple[str, ...]]:
    lines = (TABLES / name).read_text("utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def said(text: str) -> tuple[str, str]:
    request = understand(text, NOW, "America/New_York")
    when = request.when.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M") if request.when else request.kind
    return request.rrule or when, request.subject


@pytest.mark.parametrize(("text", "when", "subject"), rows("messages.tsv"))
def test_it_finds_both_the_time_and_the_subject(text: str, when: str, subject: str) -> None:
    assert said(text) == (when, subject)


def test_what_repeats_by_the_hour_begins_at_the_hour_that_was_named() -> None:
    request = understand("drink water every 3 hours starting tomorrow at 9am", NOW, "America/New_York")
    assert request.when == datetime(2026, 11, 19, 9, 0, tzinfo=NEW_YORK)
    assert request.rrule == "FREQ=HOURLY;INTERVAL=3"


def test_the_messages_are_enough_to_judge_by() -> None:
    assert len(rows("messages.tsv")) >= 200


@pytest.mark.parametrize(("text", "kind", "detail"), rows("commands.tsv"))
def test_it_knows_what_is_asked(text: str, kind: str, detail: str) -> None:
    request = understand(text, NOW, "America/New_York")
    assert request.kind == kind
    if detail:
        name, _, value = detail.partition("=")
        assert str(getattr(request, name)) == value


HOSTILE = (
    "", " ", "\x00\x00", "\ud800", "\ud800 at 5pm \udfff", "a" * 10_000, "5" * 10_000, "at " * 5_000, "every " * 5_000,
    "תזכיר לי מחר ב 5", "ذكرني غدا الساعة ٥", "🎉" * 500, "5:" * 900, "1/" * 900, "remind me " * 300, "until " * 400,
    "tomorrow " * 400, "2m" + "o" * 1500, "el mes que viene", "➌", "in ➌ hours", "5 ➌ pm", "delete ²",
    "-" * 1600, "'" * 1600, "İ" * 100 + " at 5pm", "e\u0301" * 400, "5 " * 800, "\u202e5pm tea",
    "tea at 5pm\u00a0", "tea at 5pm\u2029", 'REMID0MIDNIGHT"REMIND',
    "tea easter thirteen thousand", "tea may 13000 first monday",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_it_answers_whatever_comes(text: str) -> None:
    assert understand(text, NOW, "America/New_York").kind in KINDS


WORDS = rows("messages.tsv") + rows("commands.tsv")
MIXED = st.lists(st.sampled_from([word for row in WORDS for word in row[0].split()]), max_size=25).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(st.characters(exclude_categories=()), max_size=200), MIXED), st.booleans())
def test_it_never_raises_and_never_promises_the_past(text: str, dayfirst: bool) -> None:
    request = understand(text, NOW, "America/New_York", dayfirst)
    assert request.kind in KINDS
    if request.kind == "remind":
        assert request.when is not None
        assert request.when >= NOW
        assert request.subject


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(2026, 11, 19), datetime(2035, 1, 1)), st.sampled_from(["en", "es", "hi"]), st.booleans())
def test_reading_its_own_echo_gives_the_time_again(when: datetime, language: str, seconds: bool) -> None:
    due = when.replace(microsecond=0, second=when.second if seconds else 0, tzinfo=NEW_YORK)
    due = due.astimezone(UTC).astimezone(NEW_YORK)
    if due.fold:
        return  # of a time that comes twice, the echo means the first
    echo = replies.say_moment(when=due, zone="America/New_York", seconds=seconds, language=language)
    request = understand(f"{echo} tea", NOW, "America/New_York", language=language)
    assert (request.kind, request.when) == ("remind", due)


@given(st.integers(1, 5000), st.sampled_from(["minutes", "hours"]), st.integers(0, 10**6))
def test_shifting_the_reference_shifts_what_is_relative(count: int, unit: str, seconds: int) -> None:
    later = timedelta(seconds=seconds)
    first = understand(f"remind me in {count} {unit} about x", NOW, "America/New_York")
    second = understand(f"remind me in {count} {unit} about x", NOW.astimezone(UTC) + later, "America/New_York")
    assert first.when is not None
    assert second.when is not None
    assert second.when - first.when.astimezone(UTC) == later


WEEKLY = (
    "on friday at 5pm",
    "tomorrow at 9",
    "in 3 days at noon",
    "next week on tuesday at 8:30",
    "monday week at 7am",
)


@given(st.sampled_from(WEEKLY), st.integers(1, 500))
def test_shifting_the_reference_by_weeks_shifts_what_is_said_of_weekdays(text: str, weeks: int) -> None:
    def wall(reference: datetime) -> datetime:
        when = understand(f"remind me {text} about x", reference, "America/New_York").when
        assert when is not None
        return when.astimezone(NEW_YORK).replace(tzinfo=None)

    assert wall(NOW + timedelta(weeks=weeks)) - wall(NOW) == timedelta(weeks=weeks)


RULED = (
    "every day at 7am",
    "weekdays at 9",
    "every other tuesday at 6pm",
    "first friday of every month at 10",
    "daily",
)


@pytest.mark.parametrize("language", ["en", "es", "hi"])
@pytest.mark.parametrize("text", RULED)
def test_the_first_date_in_the_echo_of_a_rule_is_the_rule_s_own(text: str, language: str) -> None:
    made = understand(f"{text} x", NOW, "America/New_York")
    assert made.when is not None
    echo = replies.say_moment(when=made.when, zone="America/New_York", language=language)
    assert understand(f"{echo} x", NOW, "America/New_York", language=language).when == made.when


@pytest.mark.parametrize(
    ("text", "kind", "problem", "suggestion"),
    [
        ("remind me feb 30 about x", "impossible", "no_such_date", "2027-02-28 09:00"),
        ("remind me on 31 april 2027 about x", "impossible", "no_such_date", "2027-04-30 09:00"),
        ("remind me at 25:00 about x", "impossible", "no_such_time", "2026-11-19 01:00"),
        ("remind me monday 25 december 2026 about x", "impossible", "other_weekday", "2026-12-25 09:00"),
        ("remind me today at 9am about x", "past", "past", "2026-11-19 09:00"),
        ("remind me on 1 may 2020 about x", "past", "past", "2027-05-01 09:00"),
    ],
)
def test_it_refuses_what_cannot_be_and_says_what_may_be_meant(
    text: str, kind: str, problem: str, suggestion: str
) -> None:
    request = understand(text, NOW, "America/New_York")
    assert (request.kind, request.problem, request.subject) == (kind, problem, "x")
    assert [f"{choice:%Y-%m-%d %H:%M}" for choice in request.choices] == [suggestion]


def test_it_refuses_what_is_too_far() -> None:
    assert understand("remind me on 1 jan 2126 about x", NOW, "America/New_York").kind == "too_far"


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("remind me next friday at 5pm about x", ["2026-11-20 17:00", "2026-11-27 17:00"]),
        ("remind me wednesday at 5pm about x", ["2026-11-18 17:00", "2026-11-25 17:00"]),
        ("remind me tomorrow at 5pm about x", []),
    ],
)
def test_it_asks_back_where_two_readings_are_likely(text: str, choices: list[str]) -> None:
    request = understand(text, NOW, "America/New_York")
    assert [f"{choice:%Y-%m-%d %H:%M}" for choice in request.choices] == choices
    assert request.when in request.choices or not choices


@pytest.mark.parametrize(
    ("phrase", "due"),
    [
        ("6pm", "2026-11-20 18:00"),
        ("friday 6pm", "2026-11-20 18:00"),
        ("monday", "2026-11-23 09:30"),
        ("an hour later", "2026-11-20 10:30"),
        ("in an hour", "2026-11-18 11:20"),
        ("tomorrow at noon", "2026-11-19 12:00"),
        ("8", "2026-11-20 08:00"),
        ("half 1", "2026-11-20 13:30"),
        ("friday at 1", "2026-11-20 13:00"),
        ("soon", ""),
    ],
)
def test_a_moved_reminder_keeps_what_was_not_said(phrase: str, due: str) -> None:
    before = datetime(2026, 11, 20, 9, 30, tzinfo=NEW_YORK)
    found = moved(phrase=phrase, due=before, reference=NOW, tz="America/New_York", dayfirst=False)
    assert (f"{found:%Y-%m-%d %H:%M}" if found else "") == due


@pytest.mark.parametrize(
    ("text", "first", "second", "subject"),
    [
        ("call Bob saturday or sunday at 3", "2026-11-21 15:00", "2026-11-22 15:00", "call Bob"),
        ("call Bob on monday 9am or 1pm", "2026-11-23 09:00", "2026-11-23 13:00", "call Bob"),
        ("gym at 5pm or 6pm tomorrow", "2026-11-19 17:00", "2026-11-19 18:00", "gym"),
        ("remind me saturday or sunday to call Bob", "2026-11-21 09:00", "2026-11-22 09:00", "call Bob"),
    ],
)
def test_of_two_times_that_were_named_it_asks_which(text: str, first: str, second: str, subject: str) -> None:
    request = understand(text, NOW, "America/New_York")
    assert [f"{choice:%Y-%m-%d %H:%M}" for choice in request.choices] == [first, second]
    assert (request.kind, request.subject) == ("remind", subject)


def test_how_often_without_when_is_asked_for() -> None:
    request = understand("take insulin twice a day", NOW, "America/New_York")
    assert (request.kind, request.problem, request.subject) == ("unclear", "no_date", "take insulin")


@pytest.mark.parametrize("day", ["january 32nd at 5pm", "5pm 32nd of january", "december 45th 2027 9:30 am"])
def test_a_day_that_no_month_has_is_refused_in_a_message_too(day: str) -> None:
    assert understand(f"call Bob {day}", NOW, "America/New_York").kind == "impossible"
