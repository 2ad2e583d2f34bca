"""Billing for staff: everything can be read, nothing can be changed but by a reversal."""

from typing import ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property

from billing import charges
from billing.models import Account, Break, Entry, Hold, LedgerSeal, LedgerTransaction
from billing.money import Money

ROWS_COUNTED_MAX = 1000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to a bound and no further; what is older is found by id (`?id__lt=…`), never by an offset."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or the bound."""
        rows = self.object_list
        return rows.order_by()[:ROWS_COUNTED_MAX].count() if isinstance(rows, QuerySet) else len(rows)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table that staff may search by an id and read."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 100
    search_fields: ClassVar[tuple[str, ...]] = ("id",)
    search_help_text = "An id, whole."
    ids: ClassVar[tuple[str, ...]] = ("id",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes."""
        return False

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Model],
        search_term: str,
    ) -> tuple[QuerySet[Model], bool]:
        """Rows whose ids are the one searched for; a word that is no id finds nothing."""
        word = search_term.strip()
        if not word:
            return queryset, False
        try:
            wanted = UUID(word)
        except ValueError:
            return queryset.none(), False
        return queryset.filter(Q.create([(field, wanted) for field in self.ids], connector=Q.OR)), True


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts."""

    list_display = ("id", "bucket", "currency", "opened_at")
    ordering = ("-id",)


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ReadOnlyAdmin):
    """The ledger, each transaction with its entries. The one action gives charges back by reversal."""

    list_display = ("id", "kind", "key", "occurred_at", "recorded_at")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    readonly_fields = ("shown_entries",)
    search_help_text = "The id of an account, a transaction, a message or an occurrence."
    ids = ("id", "key", "entries__account_id")
    actions = ("refund",)

    @admin.display(description="entries")
    def shown_entries(self, obj: LedgerTransaction) -> str:
        """The entries as text: who, how much."""
        return "; ".join(_shown(entry) for entry in obj.entries.order_by("line"))

    def has_refund_permission(self, request: HttpRequest) -> bool:
        """Who may give charges back: those with the right to change the ledger, which nobody uses else."""
        return request.user.has_perm("billing.change_ledgertransaction")

    @admin.action(description="Give back by reversal", permissions=["refund"])
    def refund(self, request: HttpRequest, queryset: QuerySet[LedgerTransaction]) -> None:
        """Reverse the selected charges, each once; what is no charge or was given back stays as it is."""
        note = f"by staff {request.user.pk}"
        now = timezone.now()
        done = sum(charges.refund(transaction_id=one, at=now, note=note) for one in _ids(queryset))
        self.message_user(request, f"{done} given back.", messages.SUCCESS if done else messages.WARNING)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Holds, by attempt."""

    list_display = ("id", "occurrence_id", "state", "reason", "amount_minor", "reserved_at", "ended_at")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    search_help_text = "The id of an attempt."


@admin.register(Break)
class BreakAdmin(ReadOnlyAdmin):
    """Breaks, open ones first to be looked at."""

    list_display = ("id", "promise", "kind", "subject_kind", "subject_id", "opened_at", "closed_at")
    list_filter = ("promise", "kind", ("closed_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)


@admin.register(LedgerSeal)
class LedgerSealAdmin(ReadOnlyAdmin):
    """Sealed days."""

    list_display = ("day_date", "transactions", "hash", "sealed_at")
    ordering = ("-day_date",)
    search_fields = ()


def _ids(queryset: QuerySet[LedgerTransaction]) -> list[UUID]:
    return sorted(queryset.values_list("id", flat=True))


def _shown(entry: Entry) -> str:
    return f"{entry.account_id or entry.house}: {Money(entry.amount_minor, entry.currency)}"
