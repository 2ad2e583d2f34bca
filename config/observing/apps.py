"""Looking, as an app: its pages and their templates."""

from django.apps import AppConfig


class ObservingConfig(AppConfig):
    """Metrics, the trace of a person, the receipt of a call."""

    name = "config.observing"
    label = "observing"
    verbose_name = "Looking"
