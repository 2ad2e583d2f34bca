-- Claimed rings that come late: what the misfire policy decides about. Locks nothing. Served by the primary keys.
SELECT t.id AS timer_id, r.id AS reminder_id, r.subscriber_id, r.bucket, r.subject, r.language, r.zone, r.rrule,
       r.rule_at, r.trace_context, o.due_at
  FROM reminders_timer t
  JOIN reminders_reminder r ON r.id = t.key AND r.generation = t.generation AND r.state = 'scheduled'
  JOIN reminders_occurrence o ON o.reminder_id = r.id AND o.sequence = r.sequence
 WHERE t.id = ANY (%(ids)s::uuid[]) AND t.token = %(token)s::uuid
   AND o.due_at < %(before)s::timestamptz
