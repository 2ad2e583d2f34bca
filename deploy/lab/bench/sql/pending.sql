-- Reminders far from due, as many for each of the first persons: what a claim scan must not read.
WITH person AS (
  SELECT id, bucket, reminders_made, row_number() OVER (ORDER BY number) - 1 AS position
    FROM reminders_subscriber ORDER BY number LIMIT %(persons)s::int
), made AS (
  SELECT person.id, person.bucket, person.reminders_made + 1 + n / %(persons)s::int AS number,
         ringback_uuid7() AS reminder_id, now() + interval '1 day' + make_interval(secs => random() * 315360000) AS due_at
    FROM generate_series(0, %(count)s::int - 1) AS n JOIN person ON person.position = n %% %(persons)s::int
), reminder AS (
  INSERT INTO reminders_reminder (id, subscriber_id, bucket, number, subject, zone, language, due_at, message_id, created_at)
  SELECT reminder_id, id, bucket, number, 'tea', 'UTC', 'en', due_at, reminder_id, now() FROM made
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT ringback_uuid7(), reminder_id, 1, bucket, due_at FROM made
), timer AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'ring', reminder_id, bucket, id, due_at, due_at FROM made
)
UPDATE reminders_subscriber s SET reminders_made = made.most
  FROM (SELECT id, max(number) AS most FROM made GROUP BY id) AS made WHERE s.id = made.id
