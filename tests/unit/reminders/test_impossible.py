"""What cannot be is refused wherever it stands in a message, and a number that is no date is left alone."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.grammar import understand

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 10, 20, tzinfo=NEW_YORK)
SUBJECTS = (Path(__file__).parent / "tables" / "subjects.txt").read_text("utf-8").splitlines()

DAYS = (
    "feb 30", "30 feb", "the 30th of february", "feb 29 2027", "31 april", "apr 31st", "june 31st", "the 31st of june",
    "31 sept", "nov 31st", "thirty-first of november", "january 32", "32nd of january", "december 45", "45 december",
    "30/2/2027", "4/31/2027", "2027-02-30", "2027-13-01", "32/13/2026", "00/05/2027", "31.04.2027", "on 31/4",
    "31/6/27", "30-feb", "31-jun-2027", "june 0", "0th of june", "march 32", "february thirtieth",
    "thirty first of june", "2/30", "the 32nd",
)  # fmt: skip
TIMES = (
    "25:00", "at 25:00", "13:75", "at 9:75", "24:30", "12:60", "at 7:99 pm", "at 25", "at 26 o'clock", "at 25h",
    "at 2500 hours", "at 99:99", "at 5:60pm", "at 0pm",
    "at half past 25", "quarter to 26", "25 o'clock", "at 26am", "at 2575", "0:60",
)  # fmt: skip
OTHERS = ("tomorrow", "on friday", "in 2 hours", "next monday", "on dec 5", "every day", "tomorrow at 9am")
SHAPES = (
    "remind me {other} to call Bob {wrong}",
    "remind me to call Bob {wrong} {other}",
    "remind me to call Bob {other} {wrong}",
    "call Bob {wrong} {other}",
    "call Bob {other}, {wrong}",
    "{wrong} call Bob {other}",
    "{other} call Bob {wrong}",
    "remind me {wrong} to call Bob {other}",
    "can you remind me {other} to pay rent, {wrong}, thanks",
)


@pytest.mark.parametrize("wrong", DAYS + TIMES)
def test_it_never_answers_what_cannot_be(wrong: str) -> None:
    texts = [shape.format(wrong=wrong, other=other) for shape in SHAPES for other in OTHERS]
    texts += [f"remind me {wrong} to call Bob", f"call Bob {wrong}", f"{wrong} call Bob"]
    answered = [text for text in texts if understand(text, NOW, "America/New_York").kind == "remind"]
    assert answered == []


ELSEWHERE = [
    ("es", wrong, shape)
    for wrong in ("30 de febrero", "31 de abril", "el 32 de enero", "a las 25:00", "a las 25")
    for shape in (
        "recuérdame mañana llamar a Ana {}",
        "llamar a Ana {} mañana a las 9",
        "{} llamar a Ana el viernes",
        "recuérdame {} llamar a Ana",
    )
] + [
    ("hi", wrong, shape)
    for wrong in ("31 april ko", "30 फरवरी को", "31 अप्रैल को", "32 tarikh ko", "25 baje", "25:00 बजे")
    for shape in (
        "mujhe kal {} phone karna yaad dilana",
        "kal subah 9 baje bank jana {}",
        "{} bank jana har roz 8 baje",
    )
]


@pytest.mark.parametrize(("language", "wrong", "shape"), ELSEWHERE)
def test_it_never_answers_what_cannot_be_in_other_languages(language: str, wrong: str, shape: str) -> None:
    assert understand(shape.format(wrong), NOW, "America/New_York", True, language).kind != "remind"


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("remind me on friday to meet at 13:75", "2026-11-20 14:15"),
        ("call Bob feb 30 tomorrow at 9am", "2027-02-28 09:00"),
        ("remind me tomorrow to pay the bill of 31 april", "2027-04-30 09:00"),
        ("remind me tomorrow dec 25 to call", "2026-11-19 09:00"),
    ],
)
def test_it_suggests_what_may_have_been_meant(text: str, suggestion: str) -> None:
    request = understand(text, NOW, "America/New_York")
    assert request.kind == "impossible"
    assert [f"{choice:%Y-%m-%d %H:%M}" for choice in request.choices] == [suggestion]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_it_leaves_numbers_that_are_no_dates_in_the_subject(subject: str) -> None:
    for text in (f"remind me tomorrow at 9am: {subject}", f"remind me to {subject} tomorrow at 9am"):
        request = understand(text, NOW, "America/New_York")
        when = request.when.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M") if request.when else ""
        assert (request.kind, when, request.subject) == ("remind", "2026-11-19 09:00", subject)


@pytest.mark.parametrize(
    "text",
    [
        "remind me on friday, not thursday, at 25 pm to return the drill",
        "remind me on friday, not thursday, at 8593 to return the drill",
        "remind me at 25:00, no wait, friday to return the drill",
    ],
)
def test_it_refuses_a_time_that_cannot_be_with_the_day_of_a_correction(text: str) -> None:
    request = understand(text, NOW, "America/New_York")
    assert (request.kind, request.problem) == ("impossible", "no_such_time")
