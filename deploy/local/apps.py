"""Django's view of this package: its commands."""

from django.apps import AppConfig


class LocalConfig(AppConfig):
    """`up`, `down`, `reset`, `doctor` and the step `prepare`; no models."""

    name = "deploy.local"
    label = "ringback_local"
    verbose_name = "Ringback on one machine"
