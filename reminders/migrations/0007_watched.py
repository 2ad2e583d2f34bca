"""Whose every trace is kept, until when. Expand only: a new table, which old code does not know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0006_language_chosen"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Watched",
            fields=[
                ("subscriber_id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "watched",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[0-9a-f]{32}$")), name="watched_by_a_hash"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("since"))), name="watched_ends_after_it_begins"
                    ),
                ],
            },
        ),
    ]
