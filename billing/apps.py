"""The Django app of billing."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Accounts, the ledger, holds and breaks."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"
