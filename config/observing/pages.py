"""The pages and answers for those who look: /metrics, /status/, /trace/ (staff), /receipt (the phone page's)."""

import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from billing.money import Money
from billing.queries import HoldLine
from config.observing import status as nines_page
from config.observing import told
from config.observing import waterfall as drawing
from config.observing.prometheus import PROMETHEUS
from config.observing.slos import PAGE, looked_for
from config.observing.spans import Store
from reminders import history, limits, phone, queries
from reminders.carriers.twilio import NAME

LINKED_TRACES_MAX: Final = 20
SAID: Final = {
    "late": "The call was late, so it is free.",
    "machine": "A machine picked up, so the call is free.",
    "already_charged": "Another call of this reminder was charged, so this one is free.",
}


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """This instance's metrics, in Prometheus' text format."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


@require_GET
@staff_member_required
def trace(request: HttpRequest) -> HttpResponse:
    """Everything that happened for one person, in order; with `at`, as it was known then."""
    number = request.GET.get("number", "").strip()
    shown: dict[str, object] = {"number": number, "at": request.GET.get("at", "").strip()}
    if number:
        try:
            shown |= _history(number, str(shown["at"]))
        except ValueError as error:
            shown["problem"] = str(error)
    return render(request, "observing/trace.html", shown, status=404 if "problem" in shown else 200)


@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """The nines: everybody sees the public objectives, staff sees all of them and the marks."""
    now, is_staff = timezone.now(), _is_staff(request)
    said = told.read(home=settings.RINGBACK_HOME, at=now)
    loud = [one for one in said["alerts"] if is_staff or not one["silenced_by"]]
    shown: dict[str, object] = {"staff": is_staff, "firing": loud, "looked": _looked(said), "verdict": _verdict(said)}
    try:
        since = _since(request, now)
        page = nines_page.page(looked_for=looked_for(), at=now, since=since, public=not is_staff)
    except ValueError as error:
        return render(request, "observing/status.html", shown | {"problem": str(error), "page": {}}, status=400)
    except DatabaseError:
        away = "The database does not answer, so the figures are missing; what fires is told by the watch."
        return render(request, "observing/status.html", shown | {"problem": away, "page": {}}, status=503)
    shown |= {"page": nines_page.shown(page), "since": f"{since:%Y-%m-%dT%H:%M}"}
    return render(request, "observing/status.html", shown | {"step_minutes": page["step_seconds"] // 60})


@require_GET
@staff_member_required
def waterfall(request: HttpRequest, trace_id: str) -> HttpResponse:
    """The spans of one trace, and of those that it is linked with, from the embedded trace store."""
    if not re.fullmatch("[0-9a-f]{32}", trace_id):
        return _no_waterfall(request, trace_id, "A trace's id is 32 hex digits, as a person's trace shows them.", 404)
    if not settings.RINGBACK_TRACE_STORE:
        return _no_waterfall(request, trace_id, "No trace store runs here: see OTEL_EXPORTER_OTLP_ENDPOINT.", 404)
    store = Store(Path(settings.RINGBACK_TRACE_STORE))
    try:
        linked = store.linked(trace_id)[:LINKED_TRACES_MAX]
        found = [drawing.waterfall(store.trace(one)) for one in (trace_id, *linked)]
    except sqlite3.Error as error:
        return _no_waterfall(request, trace_id, f"The trace store cannot be read ({error}): is `traces` running?", 503)
    falls = sorted((one for one in found if one), key=lambda one: one.began_at)
    if trace_id not in {one.trace_id for one in falls}:
        said = "Nothing of this trace is kept: of ordinary ones a share is (RINGBACK_TRACE_RATIO), and for a time."
        return _no_waterfall(request, trace_id, said, 404)
    return render(request, "observing/waterfall.html", {"trace_id": trace_id, "falls": falls})


@require_GET
def receipt(request: HttpRequest) -> HttpResponse:
    """What a call cost, for the phone page of the simulated carrier only; elsewhere there is no such page."""
    if not settings.RINGBACK_SIMULATED:
        return HttpResponse(status=404)
    held = queries.hold_of_call(carrier=NAME, carrier_sid=request.GET.get("call", "")[:64])
    answer = JsonResponse({"state": held.state if held else None, "said": _said(held)})
    carrier = urlsplit(settings.RINGBACK_TWILIO_BASE)
    answer["Access-Control-Allow-Origin"] = f"{carrier.scheme}://{carrier.netloc}"
    return answer


def _is_staff(request: HttpRequest) -> bool:
    """Whether staff asks; nobody is, while the database that knows them is away."""
    try:
        return bool(getattr(request.user, "is_staff", False))
    except DatabaseError:
        return False


def _since(request: HttpRequest, now: datetime) -> datetime:
    """From when on the curves are drawn. Raises ValueError with what to write instead."""
    text, hours = request.GET.get("since", "").strip(), request.GET.get("hours", "").strip() or "1"
    try:
        since = datetime.fromisoformat(text) if text else now - timedelta(hours=float(hours))
    except (ValueError, OverflowError):
        raise ValueError(f"{text or hours!r} is no time: write it such as 2026-11-26T12:00.") from None
    since = (since.replace(tzinfo=UTC) if since.tzinfo is None else since).replace(second=0, microsecond=0)
    if not now - timedelta(days=nines_page.SINCE_DAYS_MAX) <= since < now:
        raise ValueError(
            f"The figures of the last {nines_page.SINCE_DAYS_MAX} days are kept; choose a time within them."
        )
    return since


def _looked(said: Mapping[str, Any]) -> str:
    if said["looked_at"] is None:
        return "Nobody looks: the watch does not run here."
    when = datetime.fromisoformat(said["looked_at"])
    if not said["looks"]:
        return f"Nobody has looked since {when:%H:%M:%S} UTC."
    by = "Prometheus" if said["by"] == PROMETHEUS else "the watch"
    return f"Looked at {when:%H:%M:%S} UTC; {by} decides what fires."


def _verdict(said: Mapping[str, Any]) -> str:
    if not said["looks"]:
        return "Not known: the watch is away"
    loud = [one for one in said["alerts"] if not one["silenced_by"]]
    pages = sum(one["severity"] == PAGE for one in loud)
    if pages:
        return "1 alert pages" if pages == 1 else f"{pages} alerts page"
    return f"Nothing pages; {len(loud)} for the morning" if loud else "All is well"


def _no_waterfall(request: HttpRequest, trace_id: str, problem: str, status: int) -> HttpResponse:
    shown = {"trace_id": trace_id, "falls": [], "problem": problem}
    return render(request, "observing/waterfall.html", shown, status=status)


def _history(number: str, at: str) -> dict[str, object]:
    found = phone.parse(number if number.startswith("+") else f"+{number}")
    try:
        moment = datetime.fromisoformat(at) if at else None
    except ValueError:
        raise ValueError(f"{at!r} is not a time: write it such as 2026-11-22T17:58:00Z.") from None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    with history.lately(seconds=limits.AUDIT_SECONDS):
        person = history.person(number=found.e164) if found.e164 else None
        if person is None:
            raise ValueError(f"Nobody has texted from {number}. A number is written such as +12025550123.")
        told = history.trace(person=person, at=moment)
    events = [
        {"event": event, "detail": [(name, _readable(name, fact)) for name, fact in sorted(event.detail.items())]}
        for event in told.events
    ]
    return {"person": person, "events": events, "reminders": told.reminders, "complete": told.complete}


def _readable(name: str, fact: object) -> object:
    """A fact for people: a reminder's instants are kept as seconds since 1970."""
    if name.endswith("_at") and isinstance(fact, int | float):
        return f"{datetime.fromtimestamp(fact, UTC):%Y-%m-%d %H:%M:%S}"
    return fact


def _said(held: HoldLine | None) -> str | None:
    """What became of the price, in one sentence; None while the call is not settled."""
    if held is None or held.state == "reserved":
        return None
    if held.state == "posted":
        return f"Charged {Money(held.amount_minor, held.currency)} for one answered call."
    return SAID.get(held.reason, "Nothing was charged for this call.")
