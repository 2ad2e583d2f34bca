"""What a message can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

KINDS: Final = (
    "remind",
    "list",
    "next",
    "delete",
    "move",
    "snooze",
    "edit",
    "tz",
    "lang",
    "balance",
    "quiet",
    "undo",
    "help",
    "choose",
    "stop",
    "start",
    "empty",
    "past",
    "too_far",
    "impossible",
    "unclear",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A message, understood.

    `kind` is one of KINDS. Of a reminder: `when` (aware, the first occurrence of what repeats), `rrule`, `subject`
    (as it was written) and `seconds` (the person spoke in seconds, so seconds are echoed). `choices`: where two
    readings stay likely (kind remind: ask which, `when` is the likelier), and what may have been meant where it
    cannot be (kinds past, impossible); aware, soonest first. `number`: of the reminder in delete, move, edit and
    list, of the choice in choose. `everything`: delete all; `numbers`: of several to be
    deleted. `phrase`: when a move or snooze shall go, as written
    (`reminders.grammar.moved` reads it). `zone`: of tz, or the zone that was named with a time. `told`: the language
    of lang. `note`: "gap" or "fold" where the clocks change, "night" where "tomorrow" was said after midnight and may
    be the day that has begun. `problem`: why it cannot be, or what is missing:
    no_such_date, no_such_time, other_weekday, past, too_far, no_date, no_subject, several (times that are more than
    one rule), no_number, no_such_place, no_such_language.
    """

    kind: str
    when: datetime | None = None
    rrule: str | None = None
    subject: str = ""
    choices: tuple[datetime, ...] = ()
    number: int | None = None
    language: str = "en"
    problem: str | None = None
    seconds: bool = False
    everything: bool = False
    numbers: tuple[int, ...] = ()
    phrase: str = ""
    zone: str | None = None
    told: str | None = None
    note: str | None = None
