"""./manage.py trace NUMBER: everything that happened for a person, from the SMS to the charge, in order."""

import json
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from reminders import history, limits, tracing, under_watch
from reminders.history import Happened, History, Known, Waiting
from reminders.management.asking import Asking, local, money, number_argument, plain, rfc3339, utc
from reminders.tables import Column, paragraph, table
from reminders.under_watch import UnderWatch

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
        """Whose history, and as of when; or whose traces are all kept from now on."""
        number_argument(parser, may_lack=True)
        parser.add_argument("--at", metavar="TIME", help="as it was known then: ISO 8601, UTC where it names no offset")
        parser.add_argument(
            "--watch", metavar="HOW_LONG", help="keep each of their traces from now on: 30m, 12h, 1d; `end` ends it"
        )
        parser.add_argument("--watched", action="store_true", help="who is under watch, and until when")
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """Print it."""
        now = timezone.now()
        if options["watched"]:
            self.stdout.write(_watched(under_watch.listed(now=now), as_json=options["json"]))
            return
        if options["number"] is None:
            self.refuse("Whose? Give a number, such as +12025550123, or --watched.")
        if options["watch"] is not None:
            self.stdout.write(self._watch(options["number"], options["watch"], now))
            return
        at = self._instant(options["at"])
        with history.lately(seconds=limits.AUDIT_SECONDS):
            person = self.person(options["number"])
            try:
                found = history.trace(person=person, at=at)
            except history.HistoryBroken as broken:
                self.refuse(f"A reminder's history is broken ({broken}): ./manage.py audit names it under P8.")
        self.stdout.write(json.dumps(_json(found, at), indent=1) if options["json"] else _text(found, at))

    def _watch(self, raw: str, how_long: str, now: datetime) -> str:
        person = self.person(raw)
        if how_long == "end":
            was = under_watch.end(subscriber_id=person.id, now=now)
            return f"{person.number} is under watch no more." if was else f"{person.number} was not under watch."
        lasting = _lasting(how_long)
        if lasting is None:
            most = limits.WATCH_DAYS_MAX
            self.refuse(f"{how_long!r} is not how long: write 30m, 12h or 1d ({most}d at most), or end.")
        name, until = tracing.name_of(number=person.number, key=settings.RINGBACK_TELEMETRY_KEY), now + lasting
        try:
            under_watch.begin(name=name, subscriber_id=person.id, now=now, until=until)
        except under_watch.TooMany:
            self.refuse(f"{limits.WATCHED_MAX} people are under watch: end one of them (./manage.py trace --watched).")
        return (
            f"Every trace of {person.number} is kept from now on, until {utc(until)} UTC, in every process within "
            f"seconds.\nTheir name in spans: {name}. End it: ./manage.py trace {person.number} --watch end"
        )

    def _instant(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.refuse(f"{text!r} is not a time: write it such as 2026-11-22T17:58:00Z.")
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def _lasting(text: str) -> timedelta | None:
    """How long a watch lasts; None for what is no such time."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if found is None:
        return None
    lasting = timedelta(minutes=int(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]])
    return lasting if timedelta(0) < lasting <= timedelta(days=limits.WATCH_DAYS_MAX) else None


def _watched(several: Sequence[UnderWatch], *, as_json: bool) -> str:
    if as_json:
        told = [
            {"number": one.number, "name": one.name, "since": rfc3339(one.since), "until": rfc3339(one.until)}
            for one in several
        ]
        return json.dumps({"watched": told}, indent=1)
    if not several:
        return "Nobody is under watch."
    rows = [(one.number, utc(one.since), utc(one.until), one.name) for one in several]
    titles = ("number", "since (UTC)", "until (UTC)", "name in spans")
    return table(columns=tuple(Column(title=title) for title in titles), rows=rows)


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
