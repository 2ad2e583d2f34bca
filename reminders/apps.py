"""The reminder's life as a Django app."""

from django.apps import AppConfig


class RemindersConfig(AppConfig):
    """Texts in, calls out: messages, reminders, timers, attempts and their history."""

    name = "reminders"
    verbose_name = "Reminders"
