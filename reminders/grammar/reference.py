"""Writes docs/reference/language.md from the tables that the reader uses: `python -m reminders.grammar.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reminders import languages
from reminders.schedule.conventions import tables

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "language.md"
SHOWN_MAX: Final = 12
ROLES: Final = {
    "day": "days from today",
    "weekday": "weekdays",
    "month": "months",
    "unit": "lengths of time",
    "part": "parts of the day",
    "clock": "times with a name",
    "often": "how often, in one word",
    "holiday": "holidays",
}
# Of the commands: words that are part of one, and none themselves.
WORDS_ONLY: Final = ("polite", "move_to", "reminder", "all", "object_marks", "tz_words", "lang_words", "about")
CONVENTIONS: Final = {
    "default_hour": "the hour of a day that was named without a time",
    "afternoon_until": "with a day and without am or pm, hours up to this one are in the afternoon",
    "wake_hour": "without a day, an hour before this one is meant twelve hours later",
    "figures_are_24h": '"5:30" in figures is 05:30',
    "next_weekday": '"next friday", said earlier in the same week (both are offered)',
    "morning": "morning",
    "afternoon": "afternoon",
    "evening": "evening",
    "night": "night",
    "morning_ends": '"this morning" said after its hour is in an hour; from here on it is past',
    "afternoon_ends": 'the same of "this afternoon"',
    "evening_ends": 'of "this evening"',
    "night_ends": 'of "tonight"',
    "night_until": '"tomorrow", said after midnight and before this hour, is the calendar\'s; the answer offers today',
    "century": "of years in two figures",
}


def page() -> str:
    """The whole page."""
    return (
        "\n".join([*_head(), *_conventions(), *(line for code in languages.codes() for line in _language(code))]) + "\n"
    )


def _head() -> Iterator[str]:
    yield "# What people may say\n"
    yield "This page is made from the reader's own tables (`python -m reminders.grammar.reference`); a test holds it"
    yield "to them. A language is one file, `reminders/languages/<code>.toml`:"
    yield "see [how to add one](../howto/add-a-language.md).\n"
    yield 'The phrase right after "remind me" says when; if none stands there, the last one does.'
    yield 'A day and a time that stand apart ("meet Bob at 5 for dinner on friday") are one.'
    yield "What is left is the subject, as it was written."
    yield "What cannot be (Feb 30, 25:00, the past) is refused with a suggestion."
    yield 'Times that one rule cannot say ("every day at 6pm and on the 3rd") are not guessed at: we ask which one.'
    yield 'Days that are listed once ("on the 1st and the 15th") ring once each.'
    yield '"Today at 9", said after nine in the morning, is at nine in the evening.'
    yield '"An hour before my 3pm appointment tomorrow" is tomorrow at 2pm, also behind "leave".'
    yield '"Before 5 on friday" rings at 5, "before friday" in the morning of that day.'
    yield 'What repeats begins with the next time that it names ("every other friday": the friday to come).'
    yield 'A date that is taken back ("tomorrow, no wait, friday") counts no more.'
    yield 'No part of a word is a date ("7d2").\n'


def _conventions() -> Iterator[str]:
    data = tables()
    yield "## Where several meanings are usual\n"
    yield "| convention | meaning | value |\n|---|---|---|"
    for name, value in data["default"].items():
        yield f"| `{name}` | {CONVENTIONS[name]} | {_shown(value)} |"
    yield "\nCountries that differ:\n"
    for country in data["country"]:
        differs = {name: value for name, value in country.items() if name in CONVENTIONS or name == "holidays"}
        yield f"- {country['name']}: " + ", ".join(f"`{name}` {_shown(value)}" for name, value in differs.items())
    yield "\nOther rules: a weekday alone is the next one, never today; with a time still ahead it may be today, and"
    yield "both are offered. The 5th is the next 5th. A date without a year is the next one. A time alone is the"
    yield "next time that a clock shows it. Today, this weekend and tonight, said when their own hour is over, are in"
    yield "an hour. Where clocks go forward, a skipped time is as much later; where they go"
    yield 'back, the first of two is taken. "In 3 hours" is three hours that pass, whatever the clocks do meanwhile.\n'


def _language(code: str) -> Iterator[str]:
    data = languages.table(code)
    yield f"## {data['name']} (`{code}`)\n"
    if "extends" in data:
        yield f"Everything of `{data['extends']}` is understood too.\n"
    yield "Said on Wednesday 13 May 2026 at 10:20 in New York:\n"
    yield "| said | meant |\n|---|---|"
    for text, meaning in data["examples"].items():
        yield f"| {text} | {'refused' if meaning == 'none' else f'`{meaning}`'} |"
    yield "\n| words for | among them |\n|---|---|"
    for role, title in ROLES.items():
        words = list(_words(data["words"].get(role, {})))
        if words:
            yield f"| {title} | {', '.join(words[:SHOWN_MAX])}{' …' if len(words) > SHOWN_MAX else ''} |"
    yield "\n| command | said as |\n|---|---|"
    for kind, sayings in data.get("commands", {}).items():
        if kind not in WORDS_ONLY:
            yield f"| {kind} | {', '.join(sayings[:SHOWN_MAX])}{' …' if len(sayings) > SHOWN_MAX else ''} |"
    yield ""


def _words(table: Any) -> Iterator[str]:
    if "names" in table:
        yield from (listed[0] for listed in table["names"])
        return
    for key, value in table.items():
        if not isinstance(value, list) or all(not isinstance(word, str) for word in value):
            yield key
        elif key.lstrip("-").isdecimal() or isinstance(value, list):
            yield from value if value and isinstance(value[0], str) and not value[0].isupper() else [key]


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), "utf-8")
