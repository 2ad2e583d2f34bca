"""The rows of a reminder's life. Fields, constraints and indexes only; rules live in the stages.

Messages, replies, attempts and events are history: partitioned by their UUIDv7 key (migration 0002), so nothing
points a foreign key at them, and what must be unique for good stands in a small table of its own
(`MessageKey`, `CarrierKey`, `OpenCall`). Every row of a person carries `bucket` (0-1023).
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reminders.states import Kind, ReminderState


def _one_of(field: str, values: Any, *, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": tuple(str(v) for v in values)}), name=name)


def _bucket(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(bucket__gte=0, bucket__lt=1024), name=name)


class Subscriber(models.Model):
    """A person, known by their number, which stands in this table only."""

    id = models.UUIDField(primary_key=True)
    number = models.TextField()
    bucket = models.SmallIntegerField()
    account = models.OneToOneField("billing.Account", on_delete=models.PROTECT)
    zone = models.TextField(null=True)
    language = models.TextField(default="en", db_default="en")
    language_chosen = models.BooleanField(default=False, db_default=False)  # by LANG: it stays
    dayfirst = models.BooleanField(default=False, db_default=False)
    version = models.IntegerField(default=0, db_default=0)
    reminders_made = models.IntegerField(default=0, db_default=0)
    stopped_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    held = models.JSONField(null=True)  # what we asked back, and the message that it is about
    last_change = models.JSONField(null=True)  # what UNDO takes back; null: the newest reminder

    class Meta:
        constraints = (
            _bucket("subscriber_bucket"),
            # Not `unique=True`: that makes a second index for LIKE, which no query asks for.
            models.UniqueConstraint(fields=("number",), name="subscriber_number"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="subscriber_e164"),
        )

    def __str__(self) -> str:
        return f"subscriber {self.id}"


class MessageKey(models.Model):
    """Once per message: the carrier's id of what came in, kept for good."""

    id = models.UUIDField(primary_key=True)  # the message's id
    carrier = models.TextField()
    carrier_sid = models.TextField()
    digest = models.BinaryField()  # of sender and text: the same id with other content is refused
    outcome = models.TextField()
    reply_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("carrier", "carrier_sid"), name="message_once"),
            _one_of("outcome", ("reminder", "command", "refused"), name="message_key_outcome"),
        )

    def __str__(self) -> str:
        return f"message key {self.id}"


class Message(models.Model):
    """What a person texted (MO), and what became of it."""

    id = models.UUIDField(primary_key=True)
    subscriber_id = models.UUIDField()
    bucket = models.SmallIntegerField()
    carrier = models.TextField()
    carrier_sid = models.TextField()
    body = models.TextField()
    segments = models.SmallIntegerField()
    outcome = models.TextField()
    kind = models.TextField()  # what was understood: remind, list, unclear ...
    reminder_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(null=True)
    trace_context = models.TextField(default="", db_default="")

    def __str__(self) -> str:
        return f"message {self.id}"


class Reminder(models.Model):
    """A wish to be rung, once or by a rule, and where its present occurrence stands."""

    id = models.UUIDField(primary_key=True)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, db_index=False)
    bucket = models.SmallIntegerField()
    number = models.IntegerField()  # as the person knows it
    subject = models.TextField()
    zone = models.TextField()
    language = models.TextField(default="en", db_default="en")
    rrule = models.TextField(null=True)
    state = models.TextField(default=ReminderState.SCHEDULED, db_default=ReminderState.SCHEDULED)
    version = models.IntegerField(default=1, db_default=1)
    sequence = models.IntegerField(default=1, db_default=1)  # its present occurrence
    due_at = models.DateTimeField()  # of its present occurrence
    generation = models.IntegerField(default=1, db_default=1)  # of its present ring timer
    attempts = models.IntegerField(default=0, db_default=0)  # numbers taken for this occurrence
    tries = models.IntegerField(default=0, db_default=0)  # of these, calls that the carrier took
    message_id = models.UUIDField()
    trace_context = models.TextField(default="", db_default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    rule_at = models.DateTimeField(null=True)  # the rule's own date of its present occurrence, before moves and snoozes

    class Meta:
        constraints = (
            _bucket("reminder_bucket"),
            _one_of("state", ReminderState, name="reminder_state"),
            models.UniqueConstraint(fields=("subscriber", "number"), name="reminder_number"),
            models.UniqueConstraint(fields=("message_id",), name="reminder_once_per_message"),
            models.CheckConstraint(
                condition=Q(state__in=("scheduled", "ringing"), ended_at__isnull=True)
                | Q(state__in=("answered", "missed", "cancelled", "dead"), ended_at__isnull=False),
                name="reminder_ended",
            ),
        )
        indexes = (
            # LIST, DELETE, STOP: a person's open reminders.
            models.Index(
                fields=("subscriber", "due_at"),
                condition=Q(state__in=("scheduled", "ringing")),
                name="reminder_open",
            ),
            # Dead letters, for the alert and for replay.
            models.Index(fields=("ended_at",), condition=Q(state="dead"), name="reminder_dead"),
        )

    def __str__(self) -> str:
        return f"reminder {self.id}"


class Occurrence(models.Model):
    """One time that a reminder is due: what is charged once, and late or not by one stored decision."""

    id = models.UUIDField(primary_key=True)
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, db_index=False)
    sequence = models.IntegerField()
    bucket = models.SmallIntegerField()
    due_at = models.DateTimeField()
    rang_at = models.DateTimeField(null=True)  # the first attempt's ringing, by the carrier; or its answer
    lateness_ms = models.BigIntegerField(null=True)
    late = models.BooleanField(null=True)  # decided once, when the words are asked for
    late_cause = models.TextField(null=True)
    outcome = models.TextField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reminder", "sequence"), name="occurrence_once"),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True)
                | Q(outcome__in=("answered", "missed", "cancelled", "dead", "snoozed")),
                name="occurrence_outcome",
            ),
        )

    def __str__(self) -> str:
        return f"occurrence {self.id}"


class Attempt(models.Model):
    """One attempt to ring a person: committed before the request, its evidence folded in as it comes."""

    id = models.UUIDField(primary_key=True)
    reminder_id = models.UUIDField()
    occurrence_id = models.UUIDField()
    subscriber_id = models.UUIDField()
    bucket = models.SmallIntegerField()
    sequence = models.IntegerField()
    number = models.IntegerField()
    state = models.TextField()
    intended_at = models.DateTimeField(db_default=Now())
    placed_at = models.DateTimeField(null=True)
    carrier = models.TextField()
    carrier_sid = models.TextField(null=True)
    ringing_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    words_at = models.DateTimeField(null=True)
    call_ended_at = models.DateTimeField(null=True)  # by the carrier
    call_status = models.TextField(null=True)  # the carrier's terminal word for it
    answered_by = models.TextField(null=True)
    duration_seconds = models.IntegerField(null=True)
    pressed = models.TextField(default="", db_default="")  # each key once, as pressed
    pressed_at = models.DateTimeField(null=True)
    outcome = models.TextField(null=True)
    reason = models.TextField(null=True)
    ended_at = models.DateTimeField(null=True)  # when we concluded
    look_ups = models.SmallIntegerField(default=0, db_default=0)
    looker = models.TextField(null=True)  # the boot that began looking
    looked_ms = models.BigIntegerField(null=True)  # its monotonic clock at the first look-up
    wait_cause = models.TextField(null=True)  # pacing, other_call ...: why it started after its due time
    trace_context = models.TextField(default="", db_default="")

    def __str__(self) -> str:
        return f"attempt {self.id}"


class CarrierKey(models.Model):
    """Once per thing of ours at the carrier: which call is which attempt, which SMS is which reply."""

    id = models.UUIDField(primary_key=True)  # the attempt's or the reply's id
    carrier = models.TextField()
    carrier_sid = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("carrier", "carrier_sid"), name="carrier_once"),)

    def __str__(self) -> str:
        return f"carrier key {self.id}"


class OpenCall(models.Model):
    """A person has at most one attempt whose call has not ended: this table's primary key."""

    subscriber = models.OneToOneField(Subscriber, on_delete=models.PROTECT, primary_key=True)
    attempt_id = models.UUIDField(unique=True)
    opened_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"open call {self.attempt_id}"


class Timer(models.Model):
    """At `due_at` do `kind` for `key`. The one mechanism for "later"; a row leaves when it is done.

    `wake_at` is when a dispatcher may claim it; it moves only where the timer comes again later. A claim is a `token`
    until `leased_until`, and over where the token is taken away. No index knows of either: a claim is a HOT update.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.TextField()
    key = models.UUIDField()
    generation = models.IntegerField(default=1, db_default=1)
    bucket = models.SmallIntegerField()
    subscriber_id = models.UUIDField(null=True)
    due_at = models.DateTimeField()
    wake_at = models.DateTimeField()
    made_late_at = models.DateTimeField(
        null=True
    )  # when it was made, where it was due before: overdue counts from here
    token = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    claims = models.SmallIntegerField(default=0, db_default=0)
    strikes = models.SmallIntegerField(default=0, db_default=0)  # of these, failures that are the row's own fault
    failing_since = models.DateTimeField(null=True)  # when its first opening failed; until known, its lease's end
    parked = models.BooleanField(default=False, db_default=False)
    wait_cause = models.TextField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "key", "generation"), name="timer_once"),
            _one_of("kind", Kind, name="timer_kind"),
        )
        indexes = (
            # claim_rings.sql and claim_others.sql: what may be claimed, oldest first.
            models.Index(fields=("wake_at",), condition=Q(kind="ring"), name="timer_rings"),
            models.Index(fields=("wake_at",), condition=~Q(kind="ring"), name="timer_others"),
            # wake_parked: the oldest reminder that waits for this person's other call.
            models.Index(fields=("subscriber_id", "due_at"), condition=Q(parked=True), name="timer_parked"),
        )

    def __str__(self) -> str:
        return f"timer {self.kind} {self.key}"


class Event(models.Model):
    """History: every state move, as it was known when. Replay orders by version only."""

    id = models.UUIDField(primary_key=True)
    subscriber_id = models.UUIDField()
    reminder_id = models.UUIDField(null=True)
    attempt_id = models.UUIDField(null=True)
    bucket = models.SmallIntegerField()
    version = models.IntegerField(null=True)  # of the reminder, where its row moved
    what = models.TextField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    detail = models.JSONField(default=dict)
    trace_context = models.TextField(default="", db_default="")

    def __str__(self) -> str:
        return f"event {self.what}"


class Reply(models.Model):
    """An SMS of ours (MT): an answer to a message, or a notice by ourselves."""

    id = models.UUIDField(primary_key=True)
    subscriber_id = models.UUIDField()
    bucket = models.SmallIntegerField()
    message_id = models.UUIDField(null=True)
    reminder_id = models.UUIDField(null=True)
    kind = models.TextField()
    body = models.TextField()
    segments = models.SmallIntegerField()
    state = models.TextField()
    carrier = models.TextField()
    carrier_sid = models.TextField(null=True)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(null=True)
    sends = models.SmallIntegerField(default=0, db_default=0)
    look_ups = models.SmallIntegerField(default=0, db_default=0)
    trace_context = models.TextField(default="", db_default="")

    class Meta:
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return f"reply {self.id}"


class Watched(models.Model):
    """A person whose every trace is kept, until an end; `name` is what telemetry calls them, a keyed hash."""

    subscriber_id = models.UUIDField(primary_key=True)
    name = models.TextField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "watched"
        constraints = (
            models.CheckConstraint(condition=Q(name__regex=r"^[0-9a-f]{32}$"), name="watched_by_a_hash"),
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="watched_ends_after_it_begins"),
        )

    def __str__(self) -> str:
        return f"watched {self.subscriber_id}"


class Lineage(models.Model):
    """What this database has been: begun, found to lack acknowledged commits, released again, in this order.

    A `token` names a database from then on; of a loss, a later one that this database had not come to.
    """

    position = models.BigAutoField(primary_key=True)
    token = models.UUIDField(null=True)
    kind = models.TextField()
    at = models.DateTimeField(db_default=Now())
    reached_at = models.DateTimeField(null=True)  # of a loss: how far this database surely goes

    class Meta:
        verbose_name_plural = "lineage"
        constraints = (
            models.UniqueConstraint(fields=("token",), name="lineage_once"),
            _one_of("kind", ("begun", "lost", "released"), name="lineage_kind"),
            models.CheckConstraint(condition=Q(kind="lost") | Q(token__isnull=False), name="lineage_named"),
        )

    def __str__(self) -> str:
        return f"lineage {self.position}"


class Witness(models.Model):
    """A process that keeps on its own disk the last number of this row that was acknowledged to it."""

    id = models.UUIDField(primary_key=True)
    instance = models.TextField()
    number = models.BigIntegerField()
    moved_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "witnesses"

    def __str__(self) -> str:
        return f"witness {self.id}"


class Pace(models.Model):
    """A moment that processes share, by name: how far an account's calls are spent, until when bounds are lifted
    (`spend:lifted`), when the carrier's books were read last (`reconciled:…`)."""

    account = models.TextField(primary_key=True)
    spent_until = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "pace"

    def __str__(self) -> str:
        return f"pace {self.account}"
