"""Whether a person chose their language by LANG, so that it stays. Expand only: old code runs on, the default is no."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0003_conversation")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField("subscriber", "language_chosen", models.BooleanField(default=False, db_default=False)),
        migrations.AlterModelOptions("reply", {"verbose_name_plural": "replies"}),
        migrations.AlterModelOptions("pace", {"verbose_name_plural": "pace"}),
    ]
