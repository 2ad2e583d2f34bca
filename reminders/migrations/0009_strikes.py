"""Whose fault a failure is: strikes, and since when a row fails. Expand only: old code leaves both as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0008_lineage")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField("timer", "strikes", models.SmallIntegerField(default=0, db_default=0)),
        migrations.AddField("timer", "failing_since", models.DateTimeField(null=True)),
    ]
