"""How a process knows that this database lacks nothing that it was told of. Expand only: new tables."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0007_watched"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Lineage",
            fields=[
                ("position", models.BigAutoField(primary_key=True, serialize=False)),
                ("token", models.UUIDField(null=True)),
                ("kind", models.TextField()),
                ("at", models.DateTimeField(db_default=Now())),
                ("reached_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "lineage",
                "constraints": [
                    models.UniqueConstraint(fields=("token",), name="lineage_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("begun", "lost", "released"))), name="lineage_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "lost"), ("token__isnull", False), _connector="OR"),
                        name="lineage_named",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Witness",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("instance", models.TextField()),
                ("number", models.BigIntegerField()),
                ("moved_at", models.DateTimeField(db_default=Now())),
            ],
            options={"verbose_name_plural": "witnesses"},
        ),
        migrations.RunSQL(
            "INSERT INTO reminders_lineage (token, kind) VALUES (gen_random_uuid(), 'begun')", migrations.RunSQL.noop
        ),
    ]
