"""Two tables. Nothing in them is unique, so nothing in them can be refused."""

from typing import ClassVar

from django.db import models


class Reminder(models.Model):
    """What to say to whom, and what the carrier said last about the call."""

    number = models.CharField(max_length=20)
    subject = models.TextField()
    due_at = models.DateTimeField()
    message_sid = models.CharField(max_length=40)
    status = models.CharField(max_length=20, default="waiting")

    objects: ClassVar[models.Manager["Reminder"]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return f"reminder {self.pk}"


class Charge(models.Model):
    """Money that somebody owes."""

    number = models.CharField(max_length=20)
    kind = models.CharField(max_length=4)  # sms, call
    amount = models.IntegerField()
    sid = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Charge"]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return f"charge {self.pk}"
