"""The rows of looking: what the objectives counted by the minute, and the moments of the timeline."""

from django.db import models


class Rollup(models.Model):
    """One minute of one objective. Kept for 90 days; older ones are added together in the minute of 1970."""

    pk = models.CompositePrimaryKey("slo", "minute")
    slo = models.TextField()
    minute = models.DateTimeField()
    good = models.BigIntegerField()
    total = models.BigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(good__gte=0, total__gte=models.F("good")), name="rollup_good_is_part_of_all"
            ),
        )
        indexes = (
            # windows.sql, series.sql, rollup_cut.sql: a stretch of time, of every objective.
            models.Index(fields=("minute",), name="rollup_minute"),
        )

    def __str__(self) -> str:
        return f"{self.slo} at {self.minute:%Y-%m-%d %H:%M}"


class Mark(models.Model):
    """A moment that explains a curve: a deploy, a fault of the lab, a failover, an alert."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    says = models.TextField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind__in=("deploy", "fault", "failover", "alert")), name="mark_kind"
            ),
        )
        indexes = (
            # marks.sql: those of a stretch of time.
            models.Index(fields=("at",), name="mark_at"),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.says}"
