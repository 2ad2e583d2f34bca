"""The rows of billing. What must never be false about money is a constraint or a trigger of the database.

Signs: an entry on a customer's account is seen from the customer, so a charge is negative there and the
balance is a plain sum. There is no row that holds a balance, and none that every transaction has to lock.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q

BUCKETS = 1024
LEDGER_KINDS = ("sms", "call", "credit", "refund")
HOUSE_ACCOUNTS = ("revenue:sms", "revenue:call", "funds:credit")
HOLD_STATES = ("reserved", "posted", "voided")
PROMISES = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9")


if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class Xid8Field(_Field):
    """The id of a database transaction (64 bits, never reused within a cluster)."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002
        """Postgres' own type."""
        return "xid8"


class CurrentXid(models.Func):
    """The id of the database transaction that is running."""

    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = Xid8Field()


class Account(models.Model):
    """Who pays. `bucket` divides the work between cells and is never computed again."""

    id = models.UUIDField(primary_key=True)
    bucket = models.SmallIntegerField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(bucket__range=(0, BUCKETS - 1)), name="account_bucket_in_range"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="account_currency_is_iso_4217"),
        )

    def __str__(self) -> str:
        return str(self.pk)


class LedgerTransaction(models.Model):
    """One movement of money, written once together with its entries by one statement.

    `key` names what is paid for: the message, the occurrence, the transaction that is reversed, the payment.
    (kind, key) is unique for good, so nothing is charged twice however often it is told.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=6)
    key = models.UUIDField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=TransactionNow())
    evidence = models.JSONField()
    made_by = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=LEDGER_KINDS), name="ledger_kind_is_known"),
            models.UniqueConstraint(fields=("kind", "key"), name="ledger_key_is_permanent"),
        )
        indexes = (
            # Serves the sealing of a day and the audit's windows; costs an insert next to nothing.
            BrinIndex(fields=("recorded_at",), name="ledger_by_recorded_at", autosummarize=True),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Entry(models.Model):
    """One side of a ledger transaction: on a customer's account, or on one of the house's.

    The trigger on insert finds the transaction itself and refuses one of another database transaction,
    which is more than a foreign key would check, so there is no second check beside it.
    """

    pk = models.CompositePrimaryKey("transaction_id", "line")
    transaction = models.ForeignKey(
        LedgerTransaction,
        on_delete=models.PROTECT,
        related_name="entries",
        db_constraint=False,
        db_index=False,
    )
    line = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries", null=True, db_index=False)
    house = models.CharField(max_length=16, null=True)  # null on a customer's entry
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(amount_minor=0), name="entry_amount_is_not_zero"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="entry_currency_is_iso_4217"),
            models.CheckConstraint(condition=Q(line__range=(1, 9)), name="entry_line_in_range"),
            models.CheckConstraint(
                condition=Q(account__isnull=False, house__isnull=True)
                | Q(account__isnull=True, house__isnull=False, house__in=HOUSE_ACCOUNTS),
                name="entry_is_of_a_customer_or_the_house",
            ),
        )
        indexes = (
            # Serves the balance and the statement of one account.
            models.Index(
                fields=("account", "currency"),
                include=("amount_minor",),
                condition=Q(account__isnull=False),
                name="entry_by_account",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id or self.house} {self.amount_minor} {self.currency}"


class Hold(models.Model):
    """What one attempt may cost, reserved before the dial. Its id is the attempt's.

    reserved → posted (answered) | voided (not answered, or free); voided → posted only by a proof of the
    answer that comes within a day. An unknown outcome keeps its hold until somebody has looked.
    """

    id = models.UUIDField(primary_key=True)
    occurrence_id = models.UUIDField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds", db_index=False)
    bucket = models.SmallIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8)
    reserved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, default="", db_default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=HOLD_STATES), name="hold_state_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="hold_amount_is_positive"),
            models.CheckConstraint(condition=Q(bucket__range=(0, BUCKETS - 1)), name="hold_bucket_in_range"),
            models.CheckConstraint(
                condition=Q(state="reserved", ended_at__isnull=True) | Q(~Q(state="reserved"), ended_at__isnull=False),
                name="hold_ends_when_it_leaves_reserved",
            ),
            models.UniqueConstraint(
                fields=("occurrence_id",), condition=Q(state="posted"), name="hold_posted_once_per_occurrence"
            ),
        )
        indexes = (
            # Serves the search for holds that are reserved too long.
            models.Index(fields=("reserved_at",), condition=Q(state="reserved"), name="hold_reserved"),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class LedgerSeal(models.Model):
    """The hash of one past day of the ledger, chained to the day before: a superuser's change shows."""

    day_date = models.DateField(primary_key=True)
    transactions = models.BigIntegerField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("previous_hash",), name="seal_chain_does_not_fork"),)

    def __str__(self) -> str:
        return f"{self.day_date} {self.hash[:12]}"


class Break(models.Model):
    """A promise that was found broken, or a difference between two books, until somebody closes it."""

    id = models.UUIDField(primary_key=True)
    promise = models.CharField(max_length=2)
    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    detail = models.JSONField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=400, default="", db_default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(promise__in=PROMISES), name="break_names_a_promise"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="break_closes_after_it_opens",
            ),
            models.UniqueConstraint(
                fields=("kind", "subject_kind", "subject_id"),
                condition=Q(closed_at__isnull=True),
                name="break_open_once_per_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.promise} {self.kind} {self.subject_kind}:{self.subject_id}"
