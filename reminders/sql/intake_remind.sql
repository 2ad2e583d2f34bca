-- Messages that ask for a reminder: everything that they leave behind, their charges too, in one statement. One row for
-- each that was written. The guard is the person's version: who is missing lost a race to another message of theirs.
-- At most one message of a person. Locks the persons' rows until the commit, in key order, which orders the messages of
-- one number; then new persons by number. Served by the persons' keys.
WITH asked AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(messages)s::json) AS a (
    place int, subscriber_id uuid, account_id uuid, bucket smallint, version int, new_number text, new_zone text,
    language text, dayfirst boolean, zone text, message_id uuid, carrier text, carrier_sid text, digest bytea, body text,
    segments smallint, received_at timestamptz, trace_context text, reminder_id uuid, occurrence_id uuid,
    ring_timer_id uuid, reminder_number int, subject text, reminder_zone text, rrule text, rule_at timestamptz,
    due_at timestamptz, event_id uuid, answers boolean, reply_id uuid, reply_body text, reply_segments smallint,
    reply_timer_id uuid, charge_id uuid, charge_minor bigint, charge_currency text, charge_evidence jsonb)
), unchanged AS (
  SELECT s.id FROM asked JOIN reminders_subscriber s ON s.id = asked.subscriber_id AND s.version = asked.version
   ORDER BY s.id FOR NO KEY UPDATE OF s
), known AS (
  UPDATE reminders_subscriber s
     SET version = s.version + 1, reminders_made = s.reminders_made + 1, language = a.language,
         zone = coalesce(a.zone, s.zone), held = NULL, last_change = NULL
    FROM unchanged JOIN asked a ON a.subscriber_id = unchanged.id
   WHERE s.id = unchanged.id
  RETURNING s.id
), fresh AS (
  INSERT INTO reminders_subscriber (id, number, bucket, account_id, zone, language, dayfirst, version, reminders_made,
                                    created_at)
  SELECT subscriber_id, new_number, bucket, account_id, coalesce(zone, new_zone), language, dayfirst, 1, 1, received_at
    FROM asked WHERE version IS NULL ORDER BY new_number
  ON CONFLICT (number) DO NOTHING
  RETURNING id
), person AS MATERIALIZED (
  SELECT a.* FROM (SELECT id FROM known UNION ALL SELECT id FROM fresh) AS written JOIN asked a ON a.subscriber_id = written.id
), message_key AS (
  INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, reply_id, received_at)
  SELECT message_id, carrier, carrier_sid, digest, 'reminder', reply_id, received_at FROM person
), message AS (
  INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind,
                                 reminder_id, received_at, trace_context)
  SELECT message_id, subscriber_id, bucket, carrier, carrier_sid, body, segments, 'reminder', 'remind', reminder_id,
         received_at, trace_context FROM person
), reminder AS (
  INSERT INTO reminders_reminder (id, subscriber_id, bucket, number, subject, zone, language, rrule, rule_at, due_at,
                                  message_id, trace_context, created_at)
  SELECT reminder_id, subscriber_id, bucket, reminder_number, subject, reminder_zone, language, rrule, rule_at, due_at,
         message_id, trace_context, received_at FROM person
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT occurrence_id, reminder_id, 1, bucket, due_at FROM person
), timers AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at, made_late_at)
  -- A text that is read late (fetched again, drained) may be due already: a scan starts shortly before now.
  SELECT t.id, t.kind, t.key, bucket, subscriber_id, t.due_at, greatest(t.due_at, now()),
         CASE WHEN t.due_at < now() THEN now() END
    FROM person, LATERAL (VALUES
      (ring_timer_id, 'ring', reminder_id, person.due_at),
      (reply_timer_id, 'reply', reply_id, CASE WHEN answers THEN received_at + make_interval(secs => %(reply_seconds)s::int)
                                               ELSE received_at END)
    ) AS t (id, kind, key, due_at)
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail,
                               trace_context)
  SELECT event_id, subscriber_id, reminder_id, bucket, 1, 'reminder.scheduled', received_at,
         ringback_facts('scheduled', 1, due_at, 1, 0, 0, NULL)
         || jsonb_build_object('number', reminder_number, 'subject', subject, 'zone', reminder_zone, 'rrule', rrule),
         trace_context
    FROM person
), reply AS (
  INSERT INTO reminders_reply (id, subscriber_id, bucket, message_id, reminder_id, kind, body, segments, state,
                               carrier, created_at, handed_over_at, trace_context)
  SELECT reply_id, subscriber_id, bucket, message_id, reminder_id, 'confirmation', reply_body, reply_segments,
         CASE WHEN answers THEN 'handed_over' ELSE 'intended' END, carrier, received_at,
         CASE WHEN answers THEN received_at END, trace_context FROM person
), charged AS MATERIALIZED (
  SELECT billing_charge_messages(
           array_agg(charge_id), array_agg(account_id), array_agg(bucket), array_agg(version IS NULL),
           array_agg(message_id), array_agg(charge_minor), array_agg(charge_currency), array_agg(charge_evidence),
           array_agg(received_at)) AS many
    FROM person
)
SELECT place, charged.many FROM person, charged
