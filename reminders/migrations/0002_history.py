"""History: messages, attempts, events and replies, range-partitioned by month on their UUIDv7 key.

Old data leaves by dropping a partition. A default partition catches what no month holds, and is alerted on.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION ringback_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
  SET search_path = pg_catalog AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
           PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The least UUIDv7 of an instant: a month's bound, and "not older than" in queries of history.
CREATE FUNCTION ringback_uuid7_at(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (rpad(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0'))::uuid
$$;

-- What of a reminder's row its events carry, so that replay by version gives the row.
CREATE FUNCTION ringback_facts(state text, sequence int, due_at timestamptz, generation int, attempts int, tries int,
                               ended_at timestamptz) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_build_object('state', state, 'sequence', sequence, 'due_at', extract(epoch FROM due_at),
                            'generation', generation, 'attempts', attempts, 'tries', tries,
                            'ended_at', extract(epoch FROM ended_at))
$$;

-- Partitions of the months from `since` on. The services own nothing: they may only ask for this.
CREATE FUNCTION ringback_make_partitions(since timestamptz, months int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_catalog AS $$
DECLARE
  parent text;
  month timestamptz;
  made int := 0;
BEGIN
  IF months > 24 THEN
    RAISE EXCEPTION 'at most 24 months ahead, not %', months;
  END IF;
  PERFORM set_config('lock_timeout', '2000', true);
  FOREACH parent IN ARRAY ARRAY['reminders_message', 'reminders_attempt', 'reminders_event', 'reminders_reply'] LOOP
    FOR i IN 0..months LOOP
      month := (date_trunc('month', since AT TIME ZONE 'UTC') + make_interval(months => i)) AT TIME ZONE 'UTC';
      IF to_regclass(parent || to_char(month AT TIME ZONE 'UTC', '_YYYYMM')) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 80)',
          parent || to_char(month AT TIME ZONE 'UTC', '_YYYYMM'), parent,
          ringback_uuid7_at(month),
          ringback_uuid7_at((month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'));
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION ringback_make_partitions(timestamptz, int) FROM PUBLIC;
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ringback_app') THEN
    GRANT EXECUTE ON FUNCTION ringback_make_partitions(timestamptz, int) TO ringback_app;
  END IF;
END $$;
"""

TABLES = """
CREATE TABLE reminders_message (
  id uuid PRIMARY KEY,
  subscriber_id uuid NOT NULL,
  bucket smallint NOT NULL CONSTRAINT message_bucket CHECK (bucket >= 0 AND bucket < 1024),
  carrier text NOT NULL,
  carrier_sid text NOT NULL,
  body text NOT NULL,
  segments smallint NOT NULL,
  outcome text NOT NULL CONSTRAINT message_outcome CHECK (outcome IN ('reminder', 'command', 'refused')),
  kind text NOT NULL,
  reminder_id uuid CONSTRAINT message_reminder CHECK ((outcome = 'reminder') = (reminder_id IS NOT NULL)),
  received_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz,
  trace_context text NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
-- trace: a person's messages, newest last.
CREATE INDEX message_person ON reminders_message (subscriber_id, id);

CREATE TABLE reminders_attempt (
  id uuid PRIMARY KEY,
  reminder_id uuid NOT NULL,
  occurrence_id uuid NOT NULL,
  subscriber_id uuid NOT NULL,
  bucket smallint NOT NULL CONSTRAINT attempt_bucket CHECK (bucket >= 0 AND bucket < 1024),
  sequence int NOT NULL,
  number int NOT NULL,
  state text NOT NULL CONSTRAINT attempt_state CHECK (state IN
    ('intended', 'placed', 'in_call', 'unknown', 'ended', 'not_sent', 'not_placed')),
  intended_at timestamptz NOT NULL DEFAULT now(),
  placed_at timestamptz,
  carrier text NOT NULL,
  carrier_sid text,
  ringing_at timestamptz,
  answered_at timestamptz,
  words_at timestamptz,
  call_ended_at timestamptz,
  call_status text,
  answered_by text,
  duration_seconds int,
  pressed text NOT NULL DEFAULT '',
  pressed_at timestamptz,
  outcome text CONSTRAINT attempt_outcome CHECK (outcome IN
    ('answered', 'machine', 'busy', 'no_answer', 'failed', 'cancelled')),
  reason text,
  ended_at timestamptz,
  look_ups smallint NOT NULL DEFAULT 0,
  looker text,
  looked_ms bigint,
  wait_cause text,
  trace_context text NOT NULL DEFAULT '',
  CONSTRAINT attempt_ended CHECK ((state IN ('ended', 'not_sent', 'not_placed')) = (ended_at IS NOT NULL))
) PARTITION BY RANGE (id);
-- trace and the admin: a reminder's attempts in order; load_attempt: another answer of the same occurrence.
CREATE INDEX attempt_reminder ON reminders_attempt (reminder_id, id);
CREATE INDEX attempt_occurrence ON reminders_attempt (occurrence_id, id);

CREATE TABLE reminders_event (
  id uuid PRIMARY KEY,
  subscriber_id uuid NOT NULL,
  reminder_id uuid,
  attempt_id uuid,
  bucket smallint NOT NULL CONSTRAINT event_bucket CHECK (bucket >= 0 AND bucket < 1024),
  version int,
  what text NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  detail jsonb NOT NULL DEFAULT '{}',
  trace_context text NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
-- trace: a person's history in order; replay: a reminder's events by version.
CREATE INDEX event_person ON reminders_event (subscriber_id, id);
CREATE INDEX event_reminder ON reminders_event (reminder_id, version) WHERE version IS NOT NULL;

CREATE TABLE reminders_reply (
  id uuid PRIMARY KEY,
  subscriber_id uuid NOT NULL,
  bucket smallint NOT NULL CONSTRAINT reply_bucket CHECK (bucket >= 0 AND bucket < 1024),
  message_id uuid,
  reminder_id uuid,
  kind text NOT NULL,
  body text NOT NULL,
  segments smallint NOT NULL,
  state text NOT NULL CONSTRAINT reply_state CHECK (state IN
    ('intended', 'handed_over', 'sent', 'undelivered', 'unknown')),
  carrier text NOT NULL,
  carrier_sid text,
  created_at timestamptz NOT NULL,
  handed_over_at timestamptz,
  ended_at timestamptz,
  error text,
  sends smallint NOT NULL DEFAULT 0,
  look_ups smallint NOT NULL DEFAULT 0,
  trace_context text NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
-- trace: a person's replies in order.
CREATE INDEX reply_person ON reminders_reply (subscriber_id, id);

CREATE TABLE reminders_message_default PARTITION OF reminders_message DEFAULT;
CREATE TABLE reminders_attempt_default PARTITION OF reminders_attempt DEFAULT;
CREATE TABLE reminders_event_default PARTITION OF reminders_event DEFAULT;
CREATE TABLE reminders_reply_default PARTITION OF reminders_reply DEFAULT;
SELECT ringback_make_partitions(now() - interval '1 month', 4);

-- A hot table: dead rows are cleaned often, and updates find room on their page.
ALTER TABLE reminders_timer SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                 autovacuum_vacuum_cost_delay = 0);
ALTER TABLE reminders_reminder SET (fillfactor = 80);
"""

# History is appended to and folded, never cut by the services; the ends of its rows are guarded UPDATEs.
RIGHTS = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ringback_app') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON reminders_event FROM ringback_app;
    REVOKE DELETE, TRUNCATE ON reminders_message, reminders_attempt, reminders_reply, reminders_messagekey,
           reminders_carrierkey, reminders_reminder, reminders_occurrence, reminders_subscriber FROM ringback_app;
  END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, migrations.RunSQL.noop)],
            state_operations=[
                migrations.CreateModel(
                    name="Attempt",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("reminder_id", models.UUIDField()),
                        ("occurrence_id", models.UUIDField()),
                        ("subscriber_id", models.UUIDField()),
                        ("bucket", models.SmallIntegerField()),
                        ("sequence", models.IntegerField()),
                        ("number", models.IntegerField()),
                        ("state", models.TextField()),
                        (
                            "intended_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("placed_at", models.DateTimeField(null=True)),
                        ("carrier", models.TextField()),
                        ("carrier_sid", models.TextField(null=True)),
                        ("ringing_at", models.DateTimeField(null=True)),
                        ("answered_at", models.DateTimeField(null=True)),
                        ("words_at", models.DateTimeField(null=True)),
                        ("call_ended_at", models.DateTimeField(null=True)),
                        ("call_status", models.TextField(null=True)),
                        ("answered_by", models.TextField(null=True)),
                        ("duration_seconds", models.IntegerField(null=True)),
                        ("pressed", models.TextField(db_default="", default="")),
                        ("pressed_at", models.DateTimeField(null=True)),
                        ("outcome", models.TextField(null=True)),
                        ("reason", models.TextField(null=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        ("look_ups", models.SmallIntegerField(db_default=0, default=0)),
                        ("looker", models.TextField(null=True)),
                        ("looked_ms", models.BigIntegerField(null=True)),
                        ("wait_cause", models.TextField(null=True)),
                        ("trace_context", models.TextField(db_default="", default="")),
                    ],
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("subscriber_id", models.UUIDField()),
                        ("reminder_id", models.UUIDField(null=True)),
                        ("attempt_id", models.UUIDField(null=True)),
                        ("bucket", models.SmallIntegerField()),
                        ("version", models.IntegerField(null=True)),
                        ("what", models.TextField()),
                        ("occurred_at", models.DateTimeField()),
                        (
                            "recorded_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("detail", models.JSONField(default=dict)),
                        ("trace_context", models.TextField(db_default="", default="")),
                    ],
                ),
                migrations.CreateModel(
                    name="Message",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("subscriber_id", models.UUIDField()),
                        ("bucket", models.SmallIntegerField()),
                        ("carrier", models.TextField()),
                        ("carrier_sid", models.TextField()),
                        ("body", models.TextField()),
                        ("segments", models.SmallIntegerField()),
                        ("outcome", models.TextField()),
                        ("kind", models.TextField()),
                        ("reminder_id", models.UUIDField(null=True)),
                        ("received_at", models.DateTimeField()),
                        (
                            "recorded_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("last_seen_at", models.DateTimeField(null=True)),
                        ("trace_context", models.TextField(db_default="", default="")),
                    ],
                ),
                migrations.CreateModel(
                    name="Reply",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("subscriber_id", models.UUIDField()),
                        ("bucket", models.SmallIntegerField()),
                        ("message_id", models.UUIDField(null=True)),
                        ("reminder_id", models.UUIDField(null=True)),
                        ("kind", models.TextField()),
                        ("body", models.TextField()),
                        ("segments", models.SmallIntegerField()),
                        ("state", models.TextField()),
                        ("carrier", models.TextField()),
                        ("carrier_sid", models.TextField(null=True)),
                        ("created_at", models.DateTimeField()),
                        ("handed_over_at", models.DateTimeField(null=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        ("error", models.TextField(null=True)),
                        ("sends", models.SmallIntegerField(db_default=0, default=0)),
                        ("look_ups", models.SmallIntegerField(db_default=0, default=0)),
                        ("trace_context", models.TextField(db_default="", default="")),
                    ],
                ),
            ],
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
