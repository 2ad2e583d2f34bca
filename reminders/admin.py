"""Reminders for staff: everything can be read and searched by number; the one action replays dead letters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.admin import ReadOnlyAdmin
from reminders import dead_letters, dispatch, history, phone, wiring
from reminders.history import Happened
from reminders.models import (
    Attempt,
    CarrierKey,
    Event,
    Lineage,
    Message,
    MessageKey,
    Occurrence,
    OpenCall,
    Pace,
    Reminder,
    Reply,
    Subscriber,
    Timer,
    Watched,
    Witness,
)
from reminders.states import Kind, ReminderState

HELD = ("hold.", "charge.", "refund")
TRIED = ("attempt.", "call.")
# Of a move's facts, those that only replay asks for.
COUNTERS = frozenset({"generation", "sequence", "attempts", "tries", "number", "zone", "kind", "tariff"})


class Choice(admin.SimpleListFilter):
    """A filter by one of a few known words: no DISTINCT over the table, as Django would make one."""

    words: ClassVar[type[StrEnum]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Every word, whether or not a row has it."""
        return [(word.value, word.value.replace("_", " ")) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:  # noqa: ARG002
        """The rows with that word."""
        word = self.value()
        return queryset if word is None else queryset.filter(Q((str(self.parameter_name), word)))


class StateFilter(Choice):
    """A reminder's state."""

    title = "state"
    parameter_name = "state"
    words = ReminderState


class KindFilter(Choice):
    """A timer's kind."""

    title = "kind"
    parameter_name = "kind"
    words = Kind


class Table(ReadOnlyAdmin):
    """A table that is read, newest first, paged by its key; found by a person's number or by an id."""

    search_help_text = "A phone number with its country code, or an id, whole."
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    of_person: ClassVar[str | None] = "subscriber_id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """A person's rows by their number, else the rows whose ids are the one searched for."""
        number = phone.parse(search_term).e164
        if number is None or self.of_person is None:
            return super().get_search_results(request, queryset, search_term)
        person = history.person(number=number)
        found = queryset.none() if person is None else queryset.filter(Q((self.of_person, person.id)))
        return found, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with a link to what is older than its last row."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data["older"] = _older(request, response.context_data["cl"])
        return response


def _older(request: HttpRequest, shown: Any) -> str:
    rows = list(shown.result_list)
    if shown.model_admin.ordering != Table.ordering or len(rows) < shown.list_per_page or shown.page_num != 1:
        return ""  # what is in no order of ids is short enough for Django's own pages
    kept = [(name, value) for name, value in request.GET.items() if name not in ("p", "id__lt")]
    return urlencode([*kept, ("id__lt", str(rows[-1].pk))])


@admin.register(Subscriber)
class SubscriberAdmin(Table):
    """People."""

    list_display = ("id", "number", "zone", "language", "reminders_made", "stopped_at", "created_at")
    of_person = "id"


@admin.register(Reminder)
class ReminderAdmin(Table):
    """Reminders, each with its events, attempts and holds."""

    list_display = ("id", "phone_number", "number", "subject", "state", "due_at", "version")
    list_filter = (StateFilter,)
    list_select_related = ("subscriber",)
    readonly_fields = ("shown_events", "shown_attempts", "shown_holds")
    ids = ("id", "message_id")
    actions = ("replay_dead_letter",)

    @admin.display(description="phone")
    def phone_number(self, obj: Reminder) -> str:
        """Whose it is."""
        return obj.subscriber.number

    @admin.display(description="events")
    def shown_events(self, obj: Reminder) -> SafeString:
        """Every move of its row, by version."""
        return _table(one for one in _history(obj) if one.version is not None)

    @admin.display(description="attempts")
    def shown_attempts(self, obj: Reminder) -> SafeString:
        """Every attempt, and the evidence about its call."""
        return _table(one for one in _history(obj) if one.what.startswith(TRIED))

    @admin.display(description="holds and charges")
    def shown_holds(self, obj: Reminder) -> SafeString:
        """What was reserved, posted, voided, charged and given back."""
        return _table(one for one in _history(obj) if one.what.startswith(HELD))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may replay: those with the right to change reminders, which nobody uses else."""
        return request.user.has_perm("reminders.change_reminder")

    @admin.action(description="Replay dead letter (rings again, if it is not too late)", permissions=["replay"])
    def replay_dead_letter(self, request: HttpRequest, queryset: QuerySet[Reminder]) -> None:
        """Let the selected dead letters ring again; what is not dead stays as it is."""
        by, now = f"staff {request.user.pk}", timezone.now()
        ids = sorted(queryset.values_list("id", flat=True))
        misfire = wiring.policy().misfire
        fates = [dead_letters.replay(reminder_id=one, by=by, misfire=misfire, at=now) for one in ids]
        done = Counter(fate for fate in fates if fate is not None)
        if done:
            dispatch.notify()
        said = [f"{done.total()} replayed.", *(f"{count} {fate}." for fate, count in sorted(done.items()))]
        self.message_user(request, " ".join(said), messages.SUCCESS if done else messages.WARNING)


@admin.register(Occurrence)
class OccurrenceAdmin(Table):
    """Occurrences: what is charged once, on time or late."""

    list_display = ("id", "reminder_id", "sequence", "due_at", "rang_at", "lateness_ms", "late", "outcome")
    ids = ("id", "reminder_id")
    of_person = "reminder__subscriber_id"


@admin.register(Message)
class MessageAdmin(Table):
    """What people texted."""

    list_display = ("id", "subscriber_id", "body", "kind", "outcome", "received_at")
    ids = ("id", "subscriber_id", "reminder_id")


@admin.register(Reply)
class ReplyAdmin(Table):
    """What we texted."""

    list_display = ("id", "subscriber_id", "kind", "body", "state", "error", "created_at")
    ids = ("id", "subscriber_id", "message_id")


@admin.register(Attempt)
class AttemptAdmin(Table):
    """Attempts to ring."""

    list_display = ("id", "reminder_id", "number", "state", "outcome", "reason", "intended_at", "ended_at")
    ids = ("id", "reminder_id", "occurrence_id")
    of_person = "subscriber_id"


@admin.register(Event)
class EventAdmin(Table):
    """History, as it was known when. Nobody changes it."""

    list_display = ("id", "what", "reminder_id", "version", "occurred_at", "recorded_at")
    ids = ("id",)


@admin.register(Timer)
class TimerAdmin(Table):
    """What is to be done later."""

    list_display = (
        "id", "kind", "key", "generation", "due_at", "wake_at", "leased_until", "claims", "parked", "wait_cause"
    )  # fmt: skip
    list_filter = (KindFilter,)
    ids = ("id", "key")


@admin.register(OpenCall)
class OpenCallAdmin(Table):
    """Who is being rung now."""

    list_display = ("subscriber_id", "attempt_id", "opened_at")
    ordering = ("-opened_at",)
    ids = ("attempt_id", "subscriber_id")


@admin.register(MessageKey)
class MessageKeyAdmin(Table):
    """Which message of the carrier is which of ours."""

    list_display = ("id", "carrier", "carrier_sid", "outcome", "received_at")
    of_person = None
    ids = ("id", "reply_id")


@admin.register(CarrierKey)
class CarrierKeyAdmin(Table):
    """Which call or SMS of the carrier is which attempt or reply."""

    list_display = ("id", "carrier", "carrier_sid")
    of_person = None


@admin.register(Watched)
class WatchedAdmin(Table):
    """Whose every trace is kept, and until when."""

    list_display = ("subscriber_id", "name", "since", "until")
    ordering = ("until",)
    ids = ("subscriber_id",)


@admin.register(Lineage)
class LineageAdmin(Table):
    """What this database has been: begun, lost commits, released."""

    list_display = ("position", "kind", "token", "at", "reached_at")
    ordering = ("-position",)
    of_person = None
    ids = ("token",)


@admin.register(Witness)
class WitnessAdmin(Table):
    """Who keeps on its own disk how far this database has acknowledged."""

    list_display = ("instance", "id", "number", "moved_at")
    ordering = ("-moved_at",)
    of_person = None


@admin.register(Pace)
class PaceAdmin(Table):
    """Moments that processes share: how far an account's calls are spent, when its books were read last."""

    list_display = ("account", "spent_until")
    ordering = ("account",)
    search_fields = ()
    of_person = None


def _history(obj: Reminder) -> Sequence[Happened]:
    person = history.person(number=obj.subscriber.number)
    if person is None:
        return ()
    return [one for one in history.trace(person=person, at=None).events if one.reminder == obj.pk]


def _table(events: Iterable[Happened]) -> SafeString:
    rows = format_html_join(
        "",
        '<tr><td>{}</td><td>{}</td><td>{}</td><td style="overflow-wrap: anywhere">{}<br>trace {}</td></tr>',
        (
            (
                f"{one.at:%Y-%m-%d %H:%M:%S}.{one.at.microsecond // 1000:03}",
                one.what,
                "" if one.version is None else one.version,
                _said(one),
                one.trace_id or "",
            )
            for one in events
        ),
    )
    if not rows:
        return format_html("none")
    return format_html(
        "<table><thead><tr><th>UTC</th><th>what</th><th>version</th><th>detail</th></tr></thead>"
        "<tbody>{}</tbody></table>",
        rows,
    )


def _said(one: Happened) -> str:
    said = ((name, value) for name, value in one.detail.items() if name not in COUNTERS and not _is_id(value))
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in said)


def _shown(value: Any) -> str:
    if isinstance(value, float):  # facts keep instants as seconds since 1970
        return f"{datetime.fromtimestamp(value, tz=UTC):%Y-%m-%d %H:%M:%S}"
    return str(value)


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
