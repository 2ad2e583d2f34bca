"""Whole messages as people in several countries and languages write them: both the time and the subject."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.grammar import Request, understand

TABLE = Path(__file__).parent / "tables" / "asked.tsv"
USUAL = "2026-11-18T10:20"
Row = tuple[str, str, str, str, bool, str, str]


def rows() -> Iterator[Row]:
    """Text, when, subject, zone, whether days come first, language, when it was received."""
    zone, dayfirst, language, received = "", False, "", USUAL
    for line in TABLE.read_text("utf-8").splitlines():
        cells = line.replace("\\n", "\n").split("\t")
        if cells[0] == "zone":
            zone, dayfirst, language, received = cells[1], cells[2] == "dmy", cells[3], (*cells, USUAL)[4]
        elif not line.startswith("#"):
            yield cells[0], cells[1], cells[2], zone, dayfirst, language, received


def told(request: Request, now: datetime, *, whole: bool) -> str:
    """When, as the table has it: the time, the rule, a rule and its first time, two times, or why it is refused."""
    if request.kind != "remind" or request.when is None:
        return request.kind

    def at(when: datetime) -> str:
        return when.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M")

    if request.rrule:
        return f"{request.rrule} from {at(request.when)}" if whole else request.rrule
    return " or ".join(at(choice) for choice in request.choices) if whole else at(request.when)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[0])
def test_it_finds_both_the_time_and_the_subject(row: Row) -> None:
    text, when, subject, zone, dayfirst, language, received = row
    now = datetime.fromisoformat(received).replace(tzinfo=ZoneInfo(zone))
    request = understand(text, now, zone, dayfirst, language)
    assert told(request, now, whole=" from " in when or " or " in when) == when
    assert request.subject == subject or request.kind != "remind"


@pytest.mark.parametrize(
    ("text", "when", "subject"),
    [
        ("I have a haircut Saturday at 2, remind me an hour before", "2026-11-21 13:00", "I have a haircut"),
        ("dentist on friday, remind me the day before", "2026-11-19 09:00", "dentist"),
        ("flight at 6am tomorrow, remind me 2 hours earlier please", "2026-11-19 04:00", "flight"),
        ("kal 5 baje meeting hai, 10 min pehle yaad dilana", "2026-11-19 16:50", "meeting hai"),
        ("dentista el lunes a las 10, recuérdame una hora antes", "2026-11-23 09:00", "dentista"),
    ],
)
def test_it_reminds_so_long_before_what_was_named(text: str, when: str, subject: str) -> None:
    now = datetime(2026, 11, 18, 10, 20, tzinfo=ZoneInfo("America/New_York"))
    request = understand(text, now, "America/New_York")
    assert request.when is not None
    assert (f"{request.when:%Y-%m-%d %H:%M}", request.subject) == (when, subject)


def test_it_asks_before_what() -> None:
    now = datetime(2026, 11, 18, 10, 20, tzinfo=ZoneInfo("America/New_York"))
    assert understand("remind me an hour before", now, "America/New_York").kind == "unclear"
    assert understand("call mom today at 11 remind me 2 hours before", now, "America/New_York").kind == "past"


def hours() -> list[list[str]]:
    lines = (TABLE.parent / "hours.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(("text", "received", "when"), hours())
def test_it_depends_on_the_hour_at_which_it_is_said(text: str, received: str, when: str) -> None:
    now = datetime.fromisoformat(received).replace(tzinfo=ZoneInfo("America/New_York"))
    request = understand(text, now, "America/New_York")
    assert (f"{request.when:%Y-%m-%d %H:%M}" if request.kind == "remind" else request.kind) == when
