-- Proves that STOP ends everything: nobody who said it has an open reminder. Locks nothing; reminder_open serves it.
SELECT 'reminder', r.id::text, jsonb_build_object('state', r.state, 'stopped_at', s.stopped_at)
  FROM reminders_subscriber s
  JOIN reminders_reminder r ON r.subscriber_id = s.id AND r.state IN ('scheduled', 'ringing')
 WHERE s.stopped_at IS NOT NULL AND (s.started_at IS NULL OR s.started_at <= s.stopped_at)
 ORDER BY r.id LIMIT %(rows_max)s::int
