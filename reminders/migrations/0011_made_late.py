"""When a timer was made that was due before. Expand only: old code leaves it empty, and counts from the due time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0010_place_rows")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField("timer", "made_late_at", models.DateTimeField(null=True)),
    ]
