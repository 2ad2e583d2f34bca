"""Whole messages as people in several countries and languages write them: both the time and the subject."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.grammar import understand

TABLE = Path(__file__).parent / "tables" / "asked.tsv"
Row = tuple[str, str, str, str, bool, str]


def rows() -> Iterator[Row]:
    """Text, when, subject, zone, whether days come first, language."""
    zone, dayfirst, language = "", False, ""
    for line in TABLE.read_text("utf-8").splitlines():
        cells = line.replace("\\n", "\n").split("\t")
        if cells[0] == "zone":
            zone, dayfirst, language = cells[1], cells[2] == "dmy", cells[3]
        elif not line.startswith("#"):
            yield cells[0], cells[1], cells[2], zone, dayfirst, language


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[0])
def test_it_finds_both_the_time_and_the_subject(row: Row) -> None:
    text, when, subject, zone, dayfirst, language = row
    now = datetime(2026, 11, 18, 10, 20, tzinfo=ZoneInfo(zone))
    request = understand(text, now, zone, dayfirst, language)
    said = request.when.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M") if request.when else request.kind
    assert (request.kind, request.rrule or said, request.subject) == ("remind", when, subject)


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
