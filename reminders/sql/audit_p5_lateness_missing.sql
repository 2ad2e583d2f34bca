-- Proves that lateness is stored where an occurrence rang, once it is over. Locks nothing; attempt_occurrence.
SELECT 'occurrence', o.id::text, jsonb_build_object('reminder', o.reminder_id, 'rang_at', o.rang_at)
  FROM reminders_occurrence o
 WHERE o.lateness_ms IS NULL AND o.outcome IS NOT NULL
   AND (o.rang_at IS NOT NULL
        OR EXISTS (SELECT FROM reminders_attempt a WHERE a.occurrence_id = o.id AND a.state = 'ended' AND a.ringing_at IS NOT NULL))
 ORDER BY o.id LIMIT %(rows_max)s::int
