"""Every sentence that we send or speak, in the person's language. Pure.

The sentences are data (`reminders/languages/<code>.toml`), in plain GSM-7; a subject goes back as it came,
shortened only where the text would grow over its segments.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing.pricing import TARIFF, Tariff
from billing.segments import segments
from reminders import languages, limits

SUBJECT_SHOWN_MAX = 100
LISTED_SUBJECT_MAX = 30
LISTED_SEGMENTS_MAX = 2
SPOKEN_SUBJECT_MAX = 500
PRICE_SIGNS = {"USD": "$", "EUR": "EUR ", "GBP": "GBP ", "INR": "Rs "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A reminder as the person knows it. `when` is aware."""

    number: int
    subject: str
    when: datetime
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One text of a list; `next_number` is the page that follows it, or None at the end."""

    text: str
    next_number: int | None


def say(language: str, name: str, /, **values: Any) -> str:
    """The sentence of that name in a language file's `[sms]`, with its values; in English where it lacks one."""
    text: str = _sentence(language, "sms", name)
    return text.format(**values)


def confirmation(
    *,
    number: int,
    subject: str,
    when: datetime,
    zone: str,
    seconds: bool = False,
    rule: str | None = None,
    language: str,
) -> str:
    """What was understood: number, subject, weekday, date, time and zone; `rule` as `repeats()` words it."""
    moment = say_moment(when=when, zone=zone, seconds=seconds, language=language)
    name = "repeating" if rule else "confirmation"
    values = {"number": number, "subject": shown(subject), "moment": moment, "rule": rule or ""}
    told = say(language, name, **values)
    if (several := segments(told).segments) == 1:
        return told
    # A subject in other letters than GSM-7's leaves less than half the room: not a second segment for a hint.
    brief = say(language, f"{name}_short", **values)
    return brief if segments(brief).segments < several else told


def welcome(*, first: str, language: str, tariff: Tariff = TARIFF) -> str:
    """The first text a person gets from us: `first` (the answer to theirs), what it costs, how to stop."""
    return f"{first}\n{say(language, 'welcome', **_prices(tariff))}"


def welcome_short(*, language: str, tariff: Tariff = TARIFF) -> str:
    """The welcome where the first answer is long already."""
    return say(language, "welcome_short", **_prices(tariff))


def welcome_least(*, language: str, tariff: Tariff = TARIFF) -> str:
    """The welcome where every character counts twice: what this is, what it costs, how to stop."""
    return say(language, "welcome_least", **_prices(tariff))


def money(*, amount_minor: int, language: str, tariff: Tariff = TARIFF) -> str:
    """The balance (negative where the person owes), and what things cost."""
    sign = "-" if amount_minor < 0 else ""
    said = sign + _price(abs(amount_minor), tariff.currency)
    return say(language, "balance", balance=said, **_prices(tariff))


def machine_words(*, subject: str, language: str) -> tuple[str, ...]:
    """What a voicemail is told: who called and what about, twice, and no keys."""
    return (_call(language, "machine", subject=spoken(subject)),)


def help_text(*, language: str, tariff: Tariff = TARIFF) -> str:
    return say(language, "help", **_prices(tariff))


def listing(*, entries: Sequence[Entry], zone: str, page: int = 1, language: str) -> Page:
    """One text of the person's reminders in the order given: page `page` (the last one, where there are fewer)."""
    if not entries:
        return Page(text=say(language, "list_empty"), next_number=None)
    pages = _pages(entries, zone, language)
    at = min(max(page, 1), len(pages))
    return Page(text=pages[at - 1], next_number=at + 1 if at < len(pages) else None)


def _pages(entries: Sequence[Entry], zone: str, language: str) -> list[str]:
    """Pages of at most LISTED_SEGMENTS_MAX segments each."""
    head = say(language, "list_head", zone=say_zone(zone=zone, language=language))
    if segments("".join(_wordless(entry.subject) for entry in entries)).encoding == "ucs2":
        head = say(language, "list_head_least")  # every character counts twice
    pages: list[str] = []
    text = head
    for entry in entries:
        longer = f"{text}\n{_list_line(entry, zone, language)}"
        more = say(language, "list_more", number=len(pages) + 2)
        if text != head and segments(f"{longer}\n{more}").segments > LISTED_SEGMENTS_MAX:
            pages.append(f"{text}\n{more}")
            longer = f"{head}\n{_list_line(entry, zone, language)}"
        text = longer
    return [*pages, text]


def deleted(*, number: int, subject: str, language: str) -> str:
    return say(language, "deleted", number=number, subject=shown(subject))


def no_such_number(*, number: int, language: str) -> str:
    return say(language, "no_such_number", number=number)


def empty(*, language: str) -> str:
    return say(language, "empty")


def unclear(*, language: str, problem: str | None = None) -> str:
    return say(language, problem if problem in ("no_subject", "several") else "unclear")


def past(*, when: datetime, zone: str, language: str) -> str:
    return say(language, "past", moment=say_moment(when=when, zone=zone, language=language))


def too_far(*, language: str) -> str:
    return say(language, "too_far", years=limits.YEARS_AHEAD_MAX)


def impossible(*, language: str) -> str:
    return say(language, "impossible")


def too_many(*, number: int, language: str) -> str:
    return say(language, "too_many", number=number)


def too_fast(*, language: str) -> str:
    return say(language, "too_fast")


def not_callable(*, language: str) -> str:
    return say(language, "not_callable")


def started(*, language: str) -> str:
    return say(language, "started")


def stopped(*, language: str) -> str:
    return say(language, "stopped")


def missed(*, subject: str, due: datetime, zone: str, language: str) -> str:
    """After the last attempt: what the person missed."""
    time = say_time(local=due.astimezone(ZoneInfo(zone)), language=language)
    return say(language, "missed", subject=shown(subject), time=time)


def call_words(*, subject: str, lateness_seconds: int, snooze_minutes: int, language: str) -> tuple[str, ...]:
    """What the phone says once picked up, a sentence each; late (over 0) says how late, that it is free."""
    said = spoken(subject)
    lateness = say_lateness(seconds=lateness_seconds, language=language)
    opening = "opening_late" if lateness_seconds > 0 else "opening"
    return (
        _call(language, opening, lateness=lateness),
        _call(language, "subject", subject=said),
        _call(language, "again", subject=said),
        _call(language, "keys", snooze=snooze_minutes),
    )


def key_words(*, key: str, snooze_minutes: int, language: str) -> str:
    """The answer to a pressed key; any other key than 1, 2 and 9 (or none) is only said goodbye to."""
    name = {"1": "done", "2": "snoozed", "9": "never"}.get(key, "no_key")
    return _call(language, name, snooze=snooze_minutes)


def superseded_words(*, language: str) -> str:
    """To somebody who picked up a call that is no longer meant."""
    return _call(language, "superseded")


def called_back_words(*, missed: Sequence[Entry], zone: str, language: str) -> tuple[str, ...]:
    """To somebody who calls us: what they missed, newest first as given, five at most."""
    if not missed:
        return (_call(language, "called_back_none"),)
    lines = []
    for entry in missed[: limits.MISSED_SAID_MAX]:
        local = entry.when.astimezone(ZoneInfo(zone))
        weekday = clock(language)["weekdays_spoken"][local.weekday()]
        time = say_time(local=local, language=language)
        lines.append(_call(language, "called_back_line", subject=spoken(entry.subject), weekday=weekday, time=time))
    count = _count(language, "count", len(missed))
    return (_call(language, "called_back", count=count), *lines, _call(language, "called_back_end"))


def say_moment(*, when: datetime, zone: str, seconds: bool = False, language: str) -> str:
    """`Mon 23 Nov 2026, 9:00 AM New York time`: reading it gives the same moment again."""
    local = when.astimezone(ZoneInfo(zone))
    date, time = say_date(local=local, language=language), say_time(local=local, language=language, seconds=seconds)
    said: str = clock(language)["moment"].format(date=date, time=time, zone=say_zone(zone=zone, language=language))
    return said


def say_zone(*, zone: str, language: str) -> str:
    """`New York time` for America/New_York; `UTC` stays."""
    city = zone.rpartition("/")[2].replace("_", " ")
    return city if city == "UTC" else str(clock(language)["zone"].format(city=city))


def say_lateness(*, seconds: int, language: str) -> str:
    """`one minute`, `3 hours`: rounded down to the largest unit, never to nothing."""
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return _count(language, name, seconds // size)
    return _count(language, "seconds", max(seconds, 0))


def shown(subject: str, characters_max: int = SUBJECT_SHOWN_MAX) -> str:
    """The subject as it is echoed: what XML cannot carry becomes "?", and what is too long ends in dots."""
    clean = subject[: characters_max + 1]
    if not (clean.isascii() and clean.isprintable()):
        clean = "".join("?" if _unsendable(c) else c for c in clean)
    if len(clean) <= characters_max:
        return clean
    cut = clean[: characters_max - 3]
    # A cut inside a family emoji or under an accent would change what is left of it.
    while cut and (cut[-1] == "\u200d" or unicodedata.category(clean[len(cut)]) in ("Mn", "Me", "Cf", "Sk")):
        cut = cut[:-1]
    return cut.rstrip() + "..."


def spoken(subject: str) -> str:
    """The subject as it is said: one line, without a full stop of its own."""
    return " ".join(shown(subject, SPOKEN_SUBJECT_MAX).split()).rstrip(".")


def _call(language: str, name: str, **values: Any) -> str:
    text: str = _sentence(language, "call", name)
    return text.format(**values)


def _sentence(language: str, part: str, name: str) -> str:
    said: str = languages.table(language)[part].get(name) or languages.table(languages.DEFAULT)[part][name]
    return said


def clock(language: str) -> dict[str, Any]:
    """How the language writes dates and times: the `[clock]` of its file."""
    words: dict[str, Any] = languages.table(language)["clock"]
    return words


def _count(language: str, name: str, count: int) -> str:
    return _call(language, f"{name}_one" if count == 1 else f"{name}_many", count=count)


def say_date(*, local: datetime, language: str) -> str:
    """`Mon 23 Nov 2026`, of a local time."""
    words = clock(language)
    weekday, month = words["weekdays"][local.weekday()], words["months"][local.month - 1]
    said: str = words["date"].format(weekday=weekday, day=local.day, month=month, year=local.year)
    return said


def say_time(*, local: datetime, language: str, seconds: bool = False) -> str:
    """`9:00 AM` or `9:00`, as the language writes it, of a local time."""
    words = clock(language)
    said: str = words["time_seconds" if seconds else "time"].format(
        hour12=local.hour % 12 or 12,
        hour24=f"{local.hour:02}",
        minute=f"{local.minute:02}",
        second=f"{local.second:02}",
        half=words["halves"][local.hour >= 12],
    )
    return said


def _list_line(entry: Entry, zone: str, language: str) -> str:
    local = entry.when.astimezone(ZoneInfo(zone))
    return say(
        language,
        "list_line_repeats" if entry.repeats else "list_line",
        number=entry.number,
        subject=shown(_wordless(entry.subject), LISTED_SUBJECT_MAX),
        date=say_date(local=local, language=language),
        time=say_time(local=local, language=language),
    )


def _wordless(subject: str) -> str:
    """Without emoji, where words are left: in a list, one of them would halve the room of every line."""
    words = "".join(c for c in subject if unicodedata.category(c) not in ("So", "Sk", "Cf", "Me") and c != "\ufe0f")
    return " ".join(words.split()) or subject


def _prices(tariff: Tariff) -> dict[str, str]:
    return {
        "message_price": _price(tariff.message_in_minor, tariff.currency),
        "call_price": _price(tariff.call_answered_minor, tariff.currency),
    }


def _price(minor: int, currency: str) -> str:
    sign = PRICE_SIGNS.get(currency, f"{currency} ")
    return f"{sign}{minor // 100}.{minor % 100:02}"


def _unsendable(character: str) -> bool:
    return (
        (character < " " and character not in "\t\n\r")
        or "\ud800" <= character <= "\udfff"
        or character in "\ufffe\uffff"
    )
