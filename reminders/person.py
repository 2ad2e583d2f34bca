"""A person as they are before a message of theirs, and what the message leaves behind. Pure: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from reminders.grammar import Request
from reminders.states import ReminderState


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A reminder as it stood when it was read; `version` is the guard of every change."""

    id: UUID
    number: int
    subject: str
    zone: str
    due_at: datetime
    state: str
    version: int
    rrule: str | None = None
    rule_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def rings(self) -> bool:
        return self.state == ReminderState.RINGING


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The sender before this message; `version` None where they have never texted."""

    id: UUID
    account_id: UUID
    number: str
    bucket: int
    zone: str
    zone_known: bool = True
    language: str
    language_chosen: bool = False  # by LANG: it stays, whatever language the texts are in
    dayfirst: bool
    version: int | None
    reminders_made: int
    stopped_at: datetime | None
    started_at: datetime | None
    reminders_open: int = 0
    open_reminders: tuple[Standing, ...] = ()
    rang: Standing | None = None  # the one that rang last, within a day; its due_at is that occurrence's
    changed: tuple[Standing, ...] = ()  # those of the last change, as they are now
    held: Mapping[str, Any] | None = None  # what was asked back
    held_body: str | None = None
    held_at: datetime | None = None
    last_change: Mapping[str, Any] | None = None
    balance_minor: int = 0

    @property
    def stopped(self) -> bool:
        return self.stopped_at is not None and (self.started_at is None or self.started_at <= self.stopped_at)

    def open_one(self, number: int | None) -> Standing | None:
        """The open reminder with that number."""
        return next((one for one in self.open_reminders if one.number == number), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One reminder shall ring at another time, as a new occurrence. `was` and `version` guard it."""

    reminder_id: UUID
    version: int
    was: str
    what: str  # the event's name behind `reminder.`: moved, snoozed, skipped, restored
    due_at: datetime
    rule_at: datetime | None = None  # where the rule goes on from; None: as before
    occurrence_outcome: str = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One reminder gets other words."""

    reminder_id: UUID
    version: int
    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a message leaves behind. `reply` None says nothing (the carrier has confirmed a STOP itself).

    `cancel` numbers the reminders that end, and means that these are all still open.
    """

    request: Request
    kind: str
    outcome: str
    reply: str | None = None
    cancel: tuple[int, ...] = ()
    moves: tuple[Move, ...] = ()
    edit: Edit | None = None
    stops: bool = False
    starts: bool = False
    consent: str | None = None  # stopped, started, help: evidence
    zone: str | None = None  # the person's from now on
    language_chosen: bool | None = None  # from now on; None: as before
    reminder_zone: str = "UTC"
    held: Mapping[str, Any] | None = None
    last_change: Mapping[str, Any] | None = field(default=None)

    @property
    def reminds(self) -> bool:
        return self.outcome == "reminder"

    @property
    def changes_rows(self) -> bool:
        return bool(self.cancel or self.moves or self.edit or self.stops)
