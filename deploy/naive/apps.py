"""Django's view of this package."""

from django.apps import AppConfig


class NaiveConfig(AppConfig):
    """Installed by its own settings only."""

    name = "deploy.naive"
    label = "naive"
