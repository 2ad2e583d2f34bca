"""A date phrase while it is being read: what has been said so far, and the walk from left to right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from reminders.schedule.words import Lexicon

if TYPE_CHECKING:
    from datetime import datetime

    from reminders.schedule.conventions import Convention

# Reads what starts at the index: the index after it; 0 where it is not for this reader; negative (the index after
# it) for a word that only links, so that a phrase never ends on it.
Reader = Callable[["Phrase", int], int]


# "on the", "at about the": words that only link, one after another. More is no phrase, and costs.
LINKS_MAX: Final = 4
SATURDAY: Final = 5
# Nobody says when in more words than these, and what is read must not cost more the more is sent.
WORDS_MAX: Final = 30
INNER_WORDS_MAX: Final = 12
INNERS_MAX: Final = 4


class Readers(dict[str, Reader]):
    """The reader of each word of a language, that of figures, and that of what no other knows."""

    __slots__ = ("figure", "other")

    figure: Reader
    other: Reader


class Said:
    """What nearly every phrase is asked for: slots, which cost a store each and are read without a search."""

    __slots__ = (
        "at",
        "convention",
        "days",
        "edge",
        "end",
        "exact",
        "firm",
        "fixed",
        "freq",
        "half",
        "holiday",
        "hour",
        "into",
        "lexicon",
        "minute",
        "month",
        "month_shift",
        "now",
        "nths",
        "offset",
        "part",
        "problem",
        "readers",
        "second",
        "span",
        "span_days",
        "span_months",
        "span_seconds",
        "weekday",
        "weeks",
        "words",
        "working",
        "year",
    )  # fmt: skip

    def __init__(
        self, words: list[str], lexicon: Lexicon, readers: Readers, now: datetime, convention: Convention
    ) -> None:
        self.words = words
        self.lexicon = lexicon
        self.readers = readers
        self.now = now
        self.convention = convention
        self.end = 0  # the index after the last word that said something
        self.at = -1  # the index right after "at": a figure there is an hour
        self.into = -1  # the index right after "in": a figure there is a length of time
        self.firm = False  # said something that is hardly anything but a date
        self.offset: int | None = None  # from today
        self.fixed: int | None = None  # a proleptic ordinal
        self.weekday = -1
        self.weeks: int | None = None  # "next week" is 1
        self.nths: list[int] | None = None  # "first and third" of a weekday or of a day of the month
        self.days: list[int] | None = None  # of the month
        self.month = 0
        self.month_shift: int | None = None
        self.year = 0
        self.holiday = ""
        self.edge = 0  # 1: the start of a period, -1: its end
        self.working = 0  # "next weekday"
        self.hour = -1
        self.minute = 0
        self.second = 0
        self.half = ""  # "am" or "pm"
        self.part = ""
        self.exact = False  # said in 24 hours
        self.span = False
        self.span_months = 0
        self.span_days = 0
        self.span_seconds = 0.0
        self.freq = ""
        self.problem = ""  # why it cannot be


class Phrase(Said):
    """What a phrase has said. What is seldom said is the class's default, which costs a new phrase nothing."""

    # The day.
    week_mod = ""  # "next" or "this", right before the weekday
    more_weeks = 0  # "monday week" is 1
    nth_weekday = -1
    of_month = False  # "of the month"
    of_working = False  # "the last working day"
    months: list[int] | None = None
    days_named = 0  # how many days were named before the month
    paired = False  # "1 january and 1 july": each month with a day of its own
    year_shift = 0
    compact = False  # "20261225", which may be any number
    beside = -1  # "the friday before christmas": the weekday
    between = False  # "between 1 and 3pm"
    # The time of the day.
    counted_back = 0  # "a quarter to 7": the hour that was named is so many later
    by_name = False  # "lunchtime": a time said in figures is nearer
    more_times: list[tuple[int, int, str]] | None = None
    weekday_last = False  # a weekday was named after the time
    timed_apart = False  # "monday at 9 and thursday at 5"
    listing = False  # "8am and": more times come, and then how often
    in_seconds = False
    zone = ""
    # A length of time, from now or from what else was said.
    sign = 1
    anchored = False
    # How often.
    interval = 1
    hours: list[int] | None = None  # "every hour from 9 to 5"
    per = 0  # "twice a day": so many times have to be named
    weekdays: list[int] | None = None
    but: list[int] | None = None
    count = 0
    until: datetime | None = None
    start: Phrase | None = None
    run = False  # "monday to": the next weekday closes the range
    other: Phrase | None = None  # "monday or tuesday": the other one
    inners = 0  # how many phrases were read inside this one
    inner = False  # the end or the start of what repeats: cannot repeat itself
    other_days = 0  # the other likely reading is so many days off
    other_hours = 0
    dayfirst = False
    note = ""
    here: datetime | None = None  # now as the person's own clock has it, where another zone was named

    def word(self, i: int) -> str:
        """The word there, or "" past the end."""
        return self.words[i] if i < len(self.words) else ""

    def within(self, i: int, at: int = -1) -> tuple[Phrase, int]:
        """Another phrase inside this one, read from word `i` on, and the index after it (`i` where there is none).

        None stands inside what is inside, and few in one: what is read stays in proportion to the text.
        """
        inner = Phrase(self.words, self.lexicon, self.readers, self.now, self.convention)
        inner.dayfirst, inner.inner, inner.at = self.dayfirst, True, at
        if self.inner or self.inners >= INNERS_MAX:
            return inner, i
        self.inners += 1
        return inner, descend(inner, i, INNER_WORDS_MAX)

    def name_weekend(self) -> None:
        """Saturday; on a weekend itself, the day that it is."""
        if self.now.weekday() < SATURDAY or self.more_weeks or self.offset is not None:
            self.weekday = SATURDAY
        else:
            self.offset = 0
        self.firm = True

    def has_day(self) -> bool:
        return (
            self.offset is not None
            or self.weekday >= 0
            or self.days is not None
            or self.month > 0
            or self.fixed is not None
            or self.nths is not None
            or self.weeks is not None
            or self.month_shift is not None
            or self.holiday != ""
            or self.freq != ""
        )


def descend(phrase: Phrase, i: int, words_max: int = WORDS_MAX) -> int:
    """Read from word `i` on as far as a date phrase goes; the index after it (`i` where there is none)."""
    words, readers = phrase.words, phrase.readers
    n, links, end = len(words), LINKS_MAX, i
    if n - i > words_max:
        n = i + words_max
    while i < n:
        word = words[i]
        # A figure comes before ":" in the order of characters, a letter after it; signs have readers of their own.
        reader = readers.get(word) or (readers.figure if word < ":" else readers.other)
        j = reader(phrase, i)
        if j > 0:
            end = i = j
            links = LINKS_MAX
        elif j and links:
            i = -j
            links -= 1
        else:
            break
    phrase.end = end
    return end
