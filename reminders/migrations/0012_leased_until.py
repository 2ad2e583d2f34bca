"""A lease has a column of its own. Expand only: old code leaves it empty, and its leases, in `wake_at`, are understood."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0011_made_late")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField("timer", "leased_until", models.DateTimeField(null=True)),
    ]
