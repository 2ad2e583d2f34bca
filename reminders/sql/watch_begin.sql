-- Watches a person until an end, anew where they are watched already; forgets whose watch has ended.
-- Locks the rows of both. Served by the primary key; the table holds limits.WATCHED_MAX rows.
WITH ended AS (
  DELETE FROM reminders_watched WHERE until <= %(now)s::timestamptz AND subscriber_id <> %(subscriber_id)s::uuid
)
INSERT INTO reminders_watched (subscriber_id, name, since, until)
VALUES (%(subscriber_id)s::uuid, %(name)s::text, %(now)s::timestamptz, %(until)s::timestamptz)
ON CONFLICT (subscriber_id) DO UPDATE
   SET name = excluded.name, until = excluded.until,
       since = CASE WHEN reminders_watched.until <= excluded.since THEN excluded.since ELSE reminders_watched.since END
