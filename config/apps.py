"""The composition root as an app, so that its commands are found."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, telemetry, health."""

    name = "config"
    verbose_name = "Ringback"

    def ready(self) -> None:
        """Register the checks that refuse settings which could lose or repeat work."""
        from django.conf import settings

        from config import checks, errors, logs, telemetry  # noqa: F401  # checks register themselves
        from reminders import witness

        logs.configure()
        if settings.RINGBACK_INSTANCE:  # a process that serves, not a command at a terminal
            errors.catch()
            witness.watch()  # before telemetry asks the database who is under watch
            telemetry.configure()
