-- One reminder for each of the numbers, with everything that intake writes except the reply and the charge.
-- The instant at which the first is due: some seconds after now, since making the rows takes a while.
WITH start AS (
  SELECT now() + make_interval(secs => %(due_in_seconds)s::float8) AS at
), person AS (
  UPDATE reminders_subscriber s SET version = version + 1, reminders_made = reminders_made + 1
    FROM unnest(%(numbers)s::text[]) WITH ORDINALITY AS wanted (number, position)
   WHERE s.number = wanted.number
  RETURNING s.id, s.bucket, s.reminders_made AS number, wanted.position
), made AS (
  SELECT person.*, ringback_uuid7() AS message_id, ringback_uuid7() AS reminder_id,
         start.at + make_interval(secs => (position - 1) * %(apart_seconds)s::float8) AS due_at
    FROM person, start
), message_key AS (
  INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, received_at)
  SELECT message_id, 'twilio', 'SM' || replace(message_id::text, '-', ''), '\x00', 'reminder', now() FROM made
), message AS (
  INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind, reminder_id,
                                 received_at)
  SELECT message_id, id, bucket, 'twilio', 'SM' || replace(message_id::text, '-', ''), 'Remind in a while about tea', 1,
         'reminder', 'remind', reminder_id, now() FROM made
), reminder AS (
  INSERT INTO reminders_reminder (id, subscriber_id, bucket, number, subject, zone, language, due_at, message_id, created_at)
  SELECT reminder_id, id, bucket, number, 'tea', 'America/New_York', 'en', due_at, message_id, now() FROM made
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT ringback_uuid7(), reminder_id, 1, bucket, due_at FROM made
), timer AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'ring', reminder_id, bucket, id, due_at, due_at FROM made
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail)
  SELECT ringback_uuid7(), id, reminder_id, bucket, 1, 'reminder.scheduled', now(),
         ringback_facts('scheduled', 1, due_at, 1, 0, 0, NULL)
           || jsonb_build_object('number', number, 'subject', 'tea', 'zone', 'America/New_York', 'rrule', NULL) FROM made
)
SELECT extract(epoch FROM at)::float8 FROM start
