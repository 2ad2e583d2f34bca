"""Rows that no month holds move into theirs. Expand only: a function of the owner's, for the services to ask."""

from django.db import migrations

PLACE_ROWS = """
-- Moves the history of a month out of the default partitions into partitions of its own, all four tables or none.
-- A month that has its partitions already has nothing there. Nobody writes to the default partitions meanwhile; a row
-- of that month that waits to be written there is refused, and is written again into its month.
CREATE FUNCTION ringback_place_rows(of timestamptz, rows_max int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_catalog AS $$
DECLARE
  month timestamptz := date_trunc('month', of AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  since uuid := ringback_uuid7_at(month);
  until uuid := ringback_uuid7_at((month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
  parent text;
  part text;
  moved bigint;
  total bigint := 0;
BEGIN
  PERFORM set_config('lock_timeout', '2000', true);
  LOCK TABLE reminders_message_default, reminders_attempt_default, reminders_event_default, reminders_reply_default
    IN ACCESS EXCLUSIVE MODE;
  FOREACH parent IN ARRAY ARRAY['reminders_message', 'reminders_attempt', 'reminders_event', 'reminders_reply'] LOOP
    part := parent || to_char(month AT TIME ZONE 'UTC', '_YYYYMM');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (fillfactor = 80)', part, parent);
    EXECUTE format('WITH gone AS (DELETE FROM %I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM gone',
      parent || '_default', since, until, part);
    GET DIAGNOSTICS moved = ROW_COUNT;
    total := total + moved;
    IF total > rows_max THEN
      RAISE EXCEPTION 'more than % rows', rows_max USING ERRCODE = 'program_limit_exceeded';
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, since, until);
  END LOOP;
  RETURN total;
END $$;
REVOKE ALL ON FUNCTION ringback_place_rows(timestamptz, int) FROM PUBLIC;
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ringback_app') THEN
    GRANT EXECUTE ON FUNCTION ringback_place_rows(timestamptz, int) TO ringback_app;
  END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0009_strikes")]

    operations = [
        migrations.RunSQL(PLACE_ROWS, "DROP FUNCTION ringback_place_rows(timestamptz, int)"),
    ]
