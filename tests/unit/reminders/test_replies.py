"""What is sent and spoken: in words, in segments, in every language."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

from billing.segments import segments
from reminders import languages, limits, replies
from reminders.grammar import reference
from reminders.schedule import read

DUE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ZONE = "America/New_York"
LONG = "a subject that is forty characters long."


def entries(count: int, subject: str = LONG) -> list[replies.Entry]:
    return [replies.Entry(number=n, subject=subject, when=DUE + timedelta(days=n)) for n in range(1, count + 1)]


def test_it_echoes_what_was_understood() -> None:
    said = replies.confirmation(number=3, subject="tea", when=DUE, zone=ZONE, language="en")
    assert said == "#3 tea: Mon 23 Nov 2026, 9:00 AM New York time. Reply DELETE 3 to remove."


def test_it_shows_seconds_to_who_spoke_in_seconds() -> None:
    when = DUE + timedelta(seconds=10)
    said = replies.confirmation(number=3, subject="tea", when=when, zone=ZONE, seconds=True, language="en")
    assert "9:00:10 AM" in said


# A usual value for each thing that a sentence names.
VALUES = {
    "number": 12, "subject": LONG, "moment": "Mon 23 Nov 2026, 9:00 AM New York time",
    "rule": "every weekday at 9:00 AM",
    "zone": "New York time", "date": "Mon 23 Nov 2026", "time": "9:00 AM", "years": 10, "count": 12, "minutes": 5,
    "place": "Atlantis", "languages": "English, Hindi, Spanish", "balance": "-$12.30", "message_price": "$0.01",
    "call_price": "$0.10", "said": "Mon 23 Nov 2026, 9:00 AM", "city": "New York",
}  # fmt: skip
# The reminder, its rule and its date; two moments; an answer and what waits: these may take two.
TWO_SEGMENTS = (
    "repeating", "past", "missed", "missed_outage", "moved_once", "move_past", "suggest_impossible", "suggest_past",
    "skip_over", "restored", "ask_zone", "ask_zone_again", "zone_set", "list_line_repeats",
)  # fmt: skip


@pytest.mark.parametrize("language", languages.codes())
def test_each_text_is_gsm7_and_fits_one_segment_where_it_can(language: str) -> None:
    for name, text in languages.table(language)["sms"].items():
        fields = {field: VALUES.get(field, "x") for _, field, _, _ in Formatter().parse(text) if field}
        said = segments(text.format(**fields))
        assert said.encoding == "gsm7", name
        assert said.segments <= (2 if name in TWO_SEGMENTS else 1), name


@pytest.mark.parametrize("language", languages.codes())
def test_the_first_text_fits_two_segments(language: str) -> None:
    firsts = [
        replies.confirmation(number=1, subject=LONG, when=DUE, zone=ZONE, seconds=True, language=language),
        replies.unclear(language=language),
        replies.empty(language=language),
    ]
    for first in firsts:
        assert segments(replies.welcome(first=first, language=language)).segments <= 2


@pytest.mark.parametrize("language", languages.codes())
@pytest.mark.parametrize("subject", [LONG, "🎉" * 40, "नमस्ते दुनिया", "€" * 60])
def test_a_list_is_paged_by_segments_and_loses_nothing(language: str, subject: str) -> None:
    seen: list[int] = []
    page: int | None = 1
    while page is not None:
        shown = replies.listing(entries=entries(9, subject), zone=ZONE, page=page, language=language)
        lines = re.findall(r"^#(\d+) ", shown.text, re.MULTILINE)
        seen += [int(n) for n in lines]
        assert len(lines) == 1 or segments(shown.text).segments <= replies.LISTED_SEGMENTS_MAX
        page = shown.next_number
    assert seen == list(range(1, 10))


def test_the_subject_goes_back_byte_for_byte_unless_it_is_too_long_or_cannot_be_sent() -> None:
    assert replies.shown("“Tea” {at} 5\n🎉") == "“Tea” {at} 5\n🎉"
    assert replies.shown("x" * 101) == "x" * 97 + "..."
    assert replies.shown("a\x00b\ud800c") == "a?b?c"
    assert not replies.shown("👩\u200d👩\u200d👧" * 40).removesuffix("...").endswith("\u200d")


@pytest.mark.parametrize("language", languages.codes())
def test_a_call_says_who_it_is_the_subject_twice_and_the_keys(language: str) -> None:
    said = " ".join(replies.call_words(subject="tea", lateness_seconds=0, snooze_minutes=10, language=language))
    assert said.count("tea") == 2
    assert all(key in said for key in ("1", "2", "9"))
    late = replies.call_words(subject="tea", lateness_seconds=125, snooze_minutes=10, language=language)
    assert "2" in late[0]
    assert len({replies.key_words(key=k, snooze_minutes=10, language=language) for k in ("1", "2", "9", "")}) == 4


@pytest.mark.parametrize("language", languages.codes())
def test_who_calls_back_hears_what_they_missed(language: str) -> None:
    said = replies.called_back_words(missed=entries(7, "tea"), zone=ZONE, language=language)
    assert sum("tea" in line for line in said) == limits.MISSED_SAID_MAX
    assert replies.called_back_words(missed=[], zone=ZONE, language=language)


@pytest.mark.parametrize("language", languages.codes())
def test_every_language_says_what_english_says(language: str) -> None:
    english, other = languages.table("en"), languages.table(language)
    for part in ("clock", "sms", "call"):
        assert other[part].keys() == english[part].keys()
    for part in ("sms", "call"):
        for name, text in english[part].items():
            fields = {field for _, field, _, _ in Formatter().parse(text) if field}
            assert {field for _, field, _, _ in Formatter().parse(other[part][name]) if field} <= fields, name


EXAMPLES = [(code, *pair) for code in languages.codes() for pair in languages.table(code)["examples"].items()]


@pytest.mark.parametrize(("code", "text", "meaning"), EXAMPLES)
def test_the_examples_of_the_reference_are_true(code: str, text: str, meaning: str) -> None:
    now = datetime.fromisoformat("2026-05-13T10:20:00-04:00")
    found = read(text, now, ZONE)
    if isinstance(found, datetime):
        found = found.astimezone(now.tzinfo)
    written = f"{found:%Y-%m-%d %H:%M}" if isinstance(found, datetime) else "none" if found is None else str(found)
    assert written == meaning


def test_the_reference_is_made_from_the_tables_that_are_read() -> None:
    assert Path(reference.PAGE).read_text("utf-8") == reference.page(), "run python -m reminders.grammar.reference"
