-- A message that asks for a reminder: everything that it leaves behind, its charge too, in one statement.
-- The guard is the person's version: a row count of 0 means that another message of theirs came between.
-- Locks the person's row until the commit, which orders the messages of one number.
WITH person AS (
  UPDATE reminders_subscriber
     SET version = version + 1, reminders_made = reminders_made + 1, language = %(language)s::text,
         zone = coalesce(%(zone)s::text, zone), held = NULL, last_change = NULL
   WHERE id = %(subscriber_id)s::uuid AND version = %(version)s::int
  RETURNING id, bucket, account_id
), message_key AS (
  INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, reply_id, received_at)
  SELECT %(message_id)s::uuid, %(carrier)s::text, %(carrier_sid)s::text, %(digest)s::bytea, 'reminder',
         %(reply_id)s::uuid, %(received_at)s::timestamptz FROM person
), message AS (
  INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind,
                                 reminder_id, received_at, trace_context)
  SELECT %(message_id)s::uuid, id, bucket, %(carrier)s::text, %(carrier_sid)s::text, %(body)s::text,
         %(segments)s::smallint, 'reminder', 'remind', %(reminder_id)s::uuid, %(received_at)s::timestamptz,
         %(trace_context)s::text FROM person
), reminder AS (
  INSERT INTO reminders_reminder (id, subscriber_id, bucket, number, subject, zone, language, rrule, rule_at, due_at,
                                  message_id, trace_context, created_at)
  SELECT %(reminder_id)s::uuid, id, bucket, %(reminder_number)s::int, %(subject)s::text, %(reminder_zone)s::text,
         %(language)s::text, %(rrule)s::text, %(rule_at)s::timestamptz, %(due_at)s::timestamptz, %(message_id)s::uuid,
         %(trace_context)s::text, %(received_at)s::timestamptz FROM person
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT %(occurrence_id)s::uuid, %(reminder_id)s::uuid, 1, bucket, %(due_at)s::timestamptz FROM person
), timers AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  -- A text that is read late (fetched again, drained) may be due already: a scan starts shortly before now.
  SELECT t.id, t.kind, t.key, person.bucket, person.id, t.due_at, greatest(t.due_at, now())
    FROM person, (VALUES
      (%(ring_timer_id)s::uuid, 'ring', %(reminder_id)s::uuid, %(due_at)s::timestamptz),
      (%(reply_timer_id)s::uuid, 'reply', %(reply_id)s::uuid, %(reply_due_at)s::timestamptz)
    ) AS t (id, kind, key, due_at)
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail,
                               trace_context)
  SELECT %(event_id)s::uuid, id, %(reminder_id)s::uuid, bucket, 1, 'reminder.scheduled',
         %(received_at)s::timestamptz, %(event_detail)s::jsonb, %(trace_context)s::text FROM person
), reply AS (
  INSERT INTO reminders_reply (id, subscriber_id, bucket, message_id, reminder_id, kind, body, segments, state,
                               carrier, created_at, handed_over_at, trace_context)
  SELECT %(reply_id)s::uuid, id, bucket, %(message_id)s::uuid, %(reminder_id)s::uuid, 'confirmation',
         %(reply_body)s::text, %(reply_segments)s::smallint, %(reply_state)s::text, %(carrier)s::text,
         %(received_at)s::timestamptz, %(reply_handed_over_at)s::timestamptz, %(trace_context)s::text FROM person
)
SELECT id, billing_charge_message(%(charge_id)s::uuid, account_id, %(message_id)s::uuid, %(charge_minor)s::bigint,
                                   %(charge_currency)s::text, %(charge_evidence)s::jsonb, %(received_at)s::timestamptz) AS charged
  FROM person
