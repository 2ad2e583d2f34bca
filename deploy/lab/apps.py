"""Django's view of this package."""

from django.apps import AppConfig


class LabConfig(AppConfig):
    """The lab; no models, one command."""

    name = "deploy.lab"
    label = "ringback_lab"
    verbose_name = "Ringback's lab"
