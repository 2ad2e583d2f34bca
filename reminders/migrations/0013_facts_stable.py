"""`ringback_facts` calls a STABLE function, so it is one: declared IMMUTABLE it was never inlined into a statement."""

from django.db import migrations

FACTS = "ringback_facts(text, int, timestamptz, int, int, int, timestamptz)"


class Migration(migrations.Migration):
    dependencies = [("reminders", "0012_leased_until")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.RunSQL(f"ALTER FUNCTION {FACTS} STABLE", f"ALTER FUNCTION {FACTS} IMMUTABLE"),
    ]
