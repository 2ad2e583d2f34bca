"""./manage.py trace NUMBER: everything that happened for a person, from the SMS to the charge, in order."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from reminders import history, limits
from reminders.history import Happened, History, Known, Waiting
from reminders.management.asking import Asking, local, money, number_argument, plain, rfc3339, utc
from reminders.tables import Column, paragraph, table

COLUMNS = (
    Column(title="UTC"),
    Column(title="what"),
    Column(title="#", right=True),
    Column(title="v", right=True),
    Column(title="details"),
)
# Told by the trace itself, or by the row's columns; the JSON has everything.
LEFT_OUT = frozenset(
    {"message", "reply", "generation", "sequence", "attempts", "tries", "number", "zone", "tariff", "kind", "id", "sid"}
    | {"attempt", "reminder", "reminder_number", "currency", "state", "ended_at", "carrier", "occurrence"}
)
IDS = frozenset({"carrier_sid", "subject"})
INSTANTS = frozenset({"planned_at", "ring_at", "answered_at", "ended_at", "said_at"})


class Command(Asking):
    """Reads one person's rows in one snapshot."""

    help = "Show everything that happened for a person, in order; --at TIME: as it was known then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose history, and as of when."""
        number_argument(parser)
        parser.add_argument("--at", metavar="TIME", help="as it was known then: ISO 8601, UTC where it names no offset")
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """Print it."""
        at = self._instant(options["at"])
        with history.lately(seconds=limits.AUDIT_SECONDS):
            person = self.person(options["number"])
            try:
                found = history.trace(person=person, at=at)
            except history.HistoryBroken as broken:
                self.refuse(f"A reminder's history is broken ({broken}): ./manage.py audit names it under P8.")
        self.stdout.write(json.dumps(_json(found, at), indent=1) if options["json"] else _text(found, at))

    def _instant(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.refuse(f"{text!r} is not a time: write it such as 2026-11-22T17:58:00Z.")
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def _json(found: History, at: datetime | None) -> dict[str, Any]:
    return {
        "number": found.person.number,
        "zone": found.person.zone,
        "as_known_at": rfc3339(at),
        "complete": found.complete,
        "reminders": [_json_reminder(one) for one in found.reminders],
        "waiting": [_json_waiting(one) for one in found.waiting],
        "events": [_json_event(one) for one in found.events],
    }


def _json_event(one: Happened) -> dict[str, Any]:
    return {
        "at": rfc3339(one.at),
        "what": one.what,
        "reminder": str(one.reminder) if one.reminder else None,
        "reminder_number": one.number,
        "version": one.version,
        "trace_id": one.trace_id,
        "attempt": str(one.attempt) if one.attempt else None,
        "recorded_at": rfc3339(one.recorded_at),
        "detail": plain(dict(one.detail)),
    }


def _json_reminder(one: Known) -> dict[str, Any]:
    return {
        "reminder": str(one.reminder),
        "reminder_number": one.number,
        "subject": one.subject,
        "state": one.state,
        "version": one.version,
        "due_at": rfc3339(one.due_at),
    }


def _json_waiting(one: Waiting) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "reminder": str(one.reminder) if one.reminder else None,
        "due_at": rfc3339(one.due_at),
        "parked": one.parked,
        "wait_cause": one.wait_cause,
    }


def _text(found: History, at: datetime | None) -> str:
    number = found.person.number
    told = [f"{number}, {found.person.zone}" + (", who said STOP" if found.person.stopped else "")]
    if at is not None:
        told.append(f"As it was known at {utc(at)} UTC.")
    if not found.complete:
        told.append(f"Older history is left out: {limits.TRACE_ROWS_MAX} of each kind are shown.")
    told += ["", _events(found.events) if found.events else "Nothing had happened by then."]
    told += ["", *(f"#{one.number} {_standing(one)}" for one in found.reminders)]
    told += [_waiting(one, found) for one in found.waiting]
    told.append(paragraph(f"Next: ./manage.py statement {number} (what it cost), ./manage.py audit (every promise)."))
    return "\n".join(told)


def _standing(one: Known) -> str:
    return paragraph(f"{one.subject}: {one.state}, version {one.version}, due {local(one.due_at, one.zone)}").strip()


def _waiting(one: Waiting, found: History) -> str:
    number = next((f" #{known.number}" for known in found.reminders if known.reminder == one.reminder), "")
    cause = f" ({one.wait_cause})" if one.wait_cause else ""
    return f"waits: {one.kind}{number} at {utc(one.due_at)} UTC{cause}"


def _events(events: Iterable[Happened]) -> str:
    rows: list[tuple[str, ...]] = []
    day, trace_id = "", None
    for one in events:
        if utc(one.at)[:10] != day:
            day = utc(one.at)[:10]
            rows.append((day, "", "", "", ""))
        details = _details(one)
        if one.trace_id != trace_id:
            trace_id = one.trace_id
            details = f"{details} trace {trace_id}".strip()
        rows.append((_clock(one.at), one.what, _text_of(one.number), _text_of(one.version), details))
    return table(columns=COLUMNS, rows=rows)


def _details(one: Happened) -> str:
    detail = dict(one.detail)
    words = [f'"{detail.pop("text")}"'] if "text" in detail else []
    if "amount_minor" in detail:
        currency = detail.get("currency", "USD")
        words.append(money(detail.pop("amount_minor"), currency))
    if one.what.startswith("reminder.") and "due_at" in detail:
        due_at = datetime.fromtimestamp(float(detail.pop("due_at")), tz=UTC)
        words.append(f"due {utc(due_at)}")
    for name, value in detail.items():
        if name not in LEFT_OUT and value not in (None, ""):
            words.append(str(value) if name in IDS else f"{name.replace('_', ' ')} {_value(name, value)}")
    return " ".join(words)


def _value(name: str, value: Any) -> str:
    if name in INSTANTS:
        return _clock(datetime.fromisoformat(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def _text_of(number: int | None) -> str:
    return "" if number is None else str(number)
