-- Reminders far from due, as many for each of some persons: what a claim scan must not read. Person by person, and due one
-- after the other, so that each index grows in one place: by chance, ten million would write its pages again and again.
WITH person AS (
  SELECT id, bucket, reminders_made, %(first)s::int + row_number() OVER (ORDER BY number) - 1 AS position
    FROM (SELECT id, number, bucket, reminders_made FROM reminders_subscriber
           ORDER BY number OFFSET %(first)s::int LIMIT %(persons)s::int) AS chosen
), made AS MATERIALIZED (
  SELECT person.id, person.bucket, person.reminders_made + n AS number, ringback_uuid7() AS reminder_id,
         now() + interval '30 days' + make_interval(secs => (position * %(each)s::float8 + n) * %(apart_seconds)s::float8) AS due_at
    -- A look at the person keeps the order: all of one, then all of the next.
    FROM person CROSS JOIN LATERAL generate_series(1, %(each)s::int + 0 * person.bucket) AS n
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
UPDATE reminders_subscriber s SET reminders_made = s.reminders_made + %(each)s::int FROM person WHERE s.id = person.id
