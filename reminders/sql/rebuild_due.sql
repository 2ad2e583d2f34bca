-- After a restore: which of these people would be rung at once. Locks nothing. Served by subscriber_number.
SELECT DISTINCT s.number
  FROM reminders_subscriber s
  JOIN reminders_reminder r ON r.subscriber_id = s.id AND r.state = 'scheduled'
  JOIN reminders_timer t ON t.kind = 'ring' AND t.key = r.id AND t.generation = r.generation
 WHERE s.number = ANY (%(numbers)s::text[]) AND t.due_at <= %(now)s::timestamptz
 ORDER BY s.number
