"""The conversation: what was asked back, what may be undone, and where a rule stands. Expand only.

`held` and `last_change` name messages and reminders by their ids. Old code runs on: every column may be null.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0002_history")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField("subscriber", "held", models.JSONField(null=True)),
        migrations.AddField("subscriber", "last_change", models.JSONField(null=True)),
        migrations.AddField("reminder", "rule_at", models.DateTimeField(null=True)),
    ]
