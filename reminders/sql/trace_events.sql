-- Every event of a person, newest first. Those of messages are left out: the message itself is told.
-- Locks nothing. Served by event_person.
SELECT occurred_at, recorded_at, what, reminder_id, version, attempt_id, detail, trace_context
  FROM reminders_event WHERE subscriber_id = %(subscriber_id)s::uuid AND what NOT LIKE 'message.%%'
 ORDER BY id DESC LIMIT %(rows_max)s::int
