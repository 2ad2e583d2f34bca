-- Proves that nobody waits for a call that is over: each open call names an open attempt. Locks nothing.
SELECT 'attempt', c.attempt_id::text, jsonb_build_object('state', a.state)
  FROM reminders_opencall c LEFT JOIN reminders_attempt a ON a.id = c.attempt_id AND a.subscriber_id = c.subscriber_id
 WHERE a.id IS NULL OR a.state NOT IN ('intended', 'placed', 'in_call', 'unknown')
 ORDER BY c.attempt_id LIMIT %(rows_max)s::int
