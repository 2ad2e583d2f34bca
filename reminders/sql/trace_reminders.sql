-- A person's reminders, newest first. Locks nothing. Served by reminder_number.
SELECT id, number, subject, zone, state, version, due_at, created_at
  FROM reminders_reminder WHERE subscriber_id = %(subscriber_id)s::uuid
 ORDER BY number DESC LIMIT %(rows_max)s::int
